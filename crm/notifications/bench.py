"""What the bench fills in and measures of notifications."""

from __future__ import annotations

from django.db import connection

from crm.bench.fill import Fill, Step
from crm.bench.measures import Budget, Visit
from crm.bench.staff import ids_of
from crm.models import Notification

POLL = Budget(5, 15, 2)
LIST = Budget(40, 100, 12)
# One in twenty waits to be read.
ROWS = """
INSERT INTO crm_notification (recipient_id, kind, model, object_id, count, at, in_app,
    read_at, mail, is_demo)
SELECT (%(people)s::bigint[])[1 + n %% %(number)s], 'note', 'crm.job', n, 1,
    now() - n * interval '7 seconds', true,
    CASE WHEN n %% 20 > 0 THEN now() END, '', false
FROM generate_series(1, %(size)s) n
"""


def add_notifications(fill: Fill) -> int:
    """Add as many notifications as there are rows of the size, to all staff."""
    people = [
        one
        for role in ("executive", "sales_manager", "representative", "agent")
        for one in ids_of(role)
    ]
    values = {"people": people, "number": len(people), "size": fill.size}
    with connection.cursor() as cursor:
        cursor.execute(ROWS, values)
    return Notification.objects.count()


STEPS = (Step("notifications", add_notifications),)
MEASURES = (
    Visit("bell, number", "/notifications/count/", POLL),
    Visit("notifications", "/notifications/", LIST),
)
