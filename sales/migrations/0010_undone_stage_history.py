"""Let an undo take back the moves of a deal that the undone operation wrote.

The field history keeps them all the same.
"""

from django.db import migrations

KEPT = """
CREATE OR REPLACE FUNCTION sales_stagechange_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {condition}EXISTS (
        SELECT 1 FROM sales_opportunity WHERE id = OLD.opportunity_id
    ) THEN
        RAISE EXCEPTION 'The stage history cannot be deleted.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
"""
UNDOING = "coalesce(current_setting('crm.undoing', true), '') <> 'on' AND "


class Migration(migrations.Migration):
    dependencies = [("sales", "0009_covering_sums"), ("crm", "0011_history")]

    operations = [
        migrations.RunSQL(KEPT.format(condition=UNDOING), KEPT.format(condition=""))
    ]
