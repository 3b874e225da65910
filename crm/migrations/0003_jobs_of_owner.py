import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0002_jobs_title_and_lease")]

    operations = [
        migrations.RemoveIndex(model_name="job", name="job_by_owner"),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["owner", "-id"], name="job_of_owner"),
        ),
        migrations.AlterField(
            model_name="job",
            name="enqueued_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
    ]
