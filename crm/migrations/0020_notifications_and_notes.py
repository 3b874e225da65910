from pathlib import Path

import crm.models.history
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


FUNCTIONS = Path(__file__).resolve().parent.parent / "notifications" / "functions.sql"


def install(apps, schema_editor):
    """Create the functions that the triggers share, and the one of jobs."""
    schema_editor.execute(FUNCTIONS.read_text("utf-8"), None)


class Migration(migrations.Migration):

    dependencies = [
        ('crm', '0019_custom_field_sortable'),
    ]

    operations = [
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('kind', models.CharField(max_length=20)),
                ('model', models.CharField(max_length=100)),
                ('rows', crm.models.history.Ranges()),
                ('recipient_id', models.BigIntegerField(null=True)),
                ('actor_id', models.BigIntegerField(null=True)),
                ('operation', models.UUIDField(null=True)),
            ],
            options={
                'verbose_name': 'notice',
                'verbose_name_plural': 'notices',
                'ordering': ('pk',),
            },
        ),
        migrations.CreateModel(
            name='Digest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('sent_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='time')),
                ('count', models.PositiveIntegerField(default=0)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'digest',
                'verbose_name_plural': 'digests',
                'ordering': ('-pk',),
                'constraints': [models.UniqueConstraint(fields=('person', 'day'), name='digest_once_a_day')],
            },
        ),
        migrations.CreateModel(
            name='Follow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(max_length=100)),
                ('object_id', models.BigIntegerField()),
                ('is_muted', models.BooleanField(db_default=False, default=False)),
                ('is_demo', models.BooleanField(db_default=False, default=False, editable=False)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'followed row',
                'verbose_name_plural': 'followed rows',
                'ordering': ('pk',),
                'constraints': [models.UniqueConstraint(fields=('model', 'object_id', 'person'), name='follow_once')],
            },
        ),
        migrations.CreateModel(
            name='Note',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('is_demo', models.BooleanField(db_default=False, default=False, editable=False, verbose_name='demo data')),
                ('model', models.CharField(editable=False, max_length=100)),
                ('object_id', models.BigIntegerField(editable=False)),
                ('text', models.TextField(max_length=10000, verbose_name='note')),
                ('author', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='author')),
            ],
            options={
                'verbose_name': 'note',
                'verbose_name_plural': 'notes',
                'ordering': ('-created_at', '-pk'),
                'indexes': [models.Index(fields=['model', 'object_id', '-id'], name='note_by_row')],
            },
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20, verbose_name='kind')),
                ('model', models.CharField(max_length=100, verbose_name='model')),
                ('object_id', models.BigIntegerField(null=True)),
                ('rows', crm.models.history.Ranges(null=True)),
                ('operation', models.UUIDField(null=True)),
                ('count', models.PositiveIntegerField(default=1)),
                ('note_id', models.BigIntegerField(null=True)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='time')),
                ('in_app', models.BooleanField(db_default=True, default=True)),
                ('read_at', models.DateTimeField(null=True)),
                ('mail', models.CharField(blank=True, choices=[('', 'None'), ('digest', 'In the daily digest'), ('now', 'At once')], db_default='', max_length=6)),
                ('is_demo', models.BooleanField(db_default=False, default=False, editable=False)),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('recipient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person')),
            ],
            options={
                'verbose_name': 'notification',
                'verbose_name_plural': 'notifications',
                'ordering': ('-at', '-pk'),
                'indexes': [models.Index(fields=['recipient', '-at', '-id'], name='notification_by_at'), models.Index(condition=models.Q(('in_app', True), ('read_at__isnull', True)), fields=['recipient', '-at', '-id'], name='notification_unread'), models.Index(condition=models.Q(('mail', ''), _negated=True), fields=['recipient'], name='notification_to_mail'), models.Index(fields=['at'], name='notification_age'), models.Index(fields=['model', 'object_id'], name='notification_of_row')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('object_id__isnull', False), ('read_at__isnull', True)), fields=('recipient', 'kind', 'model', 'object_id'), name='notification_once_unread'), models.UniqueConstraint(condition=models.Q(('object_id__isnull', True), ('operation__isnull', False)), fields=('recipient', 'kind', 'model', 'operation'), name='notification_once_of_many')],
            },
        ),
        migrations.CreateModel(
            name='NotificationChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20)),
                ('in_app', models.BooleanField()),
                ('mail', models.CharField(blank=True, choices=[('', 'None'), ('digest', 'In the daily digest'), ('now', 'At once')], max_length=6)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'choice of notifications',
                'verbose_name_plural': 'choices of notifications',
                'ordering': ('pk',),
                'constraints': [models.UniqueConstraint(fields=('person', 'kind'), name='notification_choice_once')],
            },
        ),
        migrations.RunPython(install, migrations.RunPython.noop, elidable=False),
    ]
