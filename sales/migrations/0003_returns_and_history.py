"""Link returns to what they return, number orders, and let history go with its parent.

A row of the stage history may be deleted when its opportunity is, whoever deletes that
and however; the deferred trigger looks when the transaction ends.
"""

from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
DROP TRIGGER sales_stagechange_immutable ON sales_stagechange;
DROP FUNCTION sales_stagechange_immutable();
CREATE FUNCTION sales_stagechange_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The stage history cannot be changed.'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION sales_stagechange_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM sales_opportunity WHERE id = OLD.opportunity_id) THEN
        RAISE EXCEPTION 'The stage history cannot be deleted.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sales_stagechange_unchanged
    BEFORE UPDATE ON sales_stagechange
    FOR EACH ROW EXECUTE FUNCTION sales_stagechange_unchanged();
CREATE CONSTRAINT TRIGGER sales_stagechange_kept
    AFTER DELETE ON sales_stagechange DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION sales_stagechange_kept();
CREATE SEQUENCE sales_order_number START 1001;
"""
BACKWARD = """
DROP SEQUENCE sales_order_number;
DROP TRIGGER sales_stagechange_kept ON sales_stagechange;
DROP TRIGGER sales_stagechange_unchanged ON sales_stagechange;
DROP FUNCTION sales_stagechange_kept();
DROP FUNCTION sales_stagechange_unchanged();
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


class Migration(migrations.Migration):
    dependencies = [("sales", "0002_stage_history_immutable")]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AlterField(
            "order",
            "total",
            models.DecimalField(
                db_default=Decimal(0),
                decimal_places=7,
                default=Decimal(0),
                editable=False,
                max_digits=28,
                verbose_name="total",
            ),
        ),
        migrations.AddField(
            "order",
            "return_of",
            models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="returns",
                to="sales.order",
                verbose_name="return of",
            ),
        ),
        migrations.AddField(
            "orderline",
            "return_of",
            models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="returns",
                to="sales.orderline",
                verbose_name="return of",
            ),
        ),
        migrations.AddIndex(
            "order",
            models.Index(
                condition=models.Q(("return_of__isnull", False)),
                fields=["return_of"],
                name="order_by_return",
            ),
        ),
        migrations.AddIndex(
            "orderline",
            models.Index(
                condition=models.Q(("return_of__isnull", False)),
                fields=["return_of"],
                name="order_line_by_return",
            ),
        ),
        migrations.AddIndex(
            "stagechange",
            models.Index(fields=["opportunity", "at"], name="stage_change_by_time"),
        ),
    ]
