"""Make the stage history append-only in the database itself.

A deleted opportunity takes its history along: the foreign key's cascade deletes the
opportunity's rows in the same transaction, and says so by a transaction-local setting.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION sales_stagechange_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
       AND current_setting('crm.deleting_with_parent', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The stage history cannot be changed.'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER sales_stagechange_immutable
    BEFORE UPDATE OR DELETE ON sales_stagechange
    FOR EACH ROW EXECUTE FUNCTION sales_stagechange_immutable();
"""
BACKWARD = """
DROP TRIGGER sales_stagechange_immutable ON sales_stagechange;
DROP FUNCTION sales_stagechange_immutable();
"""


class Migration(migrations.Migration):
    dependencies = [("sales", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
