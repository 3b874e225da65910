"""A whole year of invoices: the sums, a second import, and a killed one."""

import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Sum

from crm.importing.staging import PREFIX, REJECTS, sweep_staging
from crm.models import ImportRun
from crm.testing.workers import PATIENCE, child_environment
from customers.models import Customer
from sales.choices import OrderKind
from sales.models import Order, OrderLine, Product

FILE = Path(settings.DATA_DIR) / "online_retail/online_retail_2010-12_2011-12.csv.gz"
LINES = 541_909
MONEY = Decimal("9747747.934")
pytestmark = [
    pytest.mark.process,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not FILE.exists(), reason="CRM_DATA_DIR has no invoices"),
]


def start(tmp_path):
    """Start the import in a process of its own."""
    command = [sys.executable, "manage.py", "import_data", "orders", str(FILE)]
    environment = {**child_environment(), "MEDIA_ROOT": str(tmp_path / "media")}
    return subprocess.Popen(  # noqa: S603  (our own program)
        [*command, "--profile", "online-retail"],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def finish(process):
    output, _errors = process.communicate()
    assert process.returncode == 0
    return json.loads(output.splitlines()[-1])


def staging_tables():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND (starts_with(relname, %s) OR starts_with(relname, %s))",
            [PREFIX, REJECTS],
        )
        return [name for (name,) in cursor.fetchall()]


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_writing():
    """Tell whether another connection has begun to write the rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
            " AND datname = current_database() AND pid <> pg_backend_pid()"
            """ AND query LIKE 'INSERT INTO "sales_orderline"%%'"""
        )
        return cursor.fetchone()[0] > 0


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def assert_nothing_is_there():
    assert not OrderLine.objects.exists()
    assert not Order.objects.exists()
    assert not Customer.objects.exists()
    assert not Product.objects.exists()


def test_killed_at_any_point_and_started_again_it_ends_with_the_same_sums(tmp_path):
    process = start(tmp_path)
    wait_for(staging_tables)
    time.sleep(0.5)
    kill(process)
    assert_nothing_is_there()

    process = start(tmp_path)
    wait_for(is_writing)
    kill(process)
    assert_nothing_is_there()

    result = finish(start(tmp_path))
    assert (result["rows"], result["created"], result["rejected"]) == (LINES, LINES, 0)
    assert OrderLine.objects.count() == LINES
    assert OrderLine.objects.aggregate(sum=Sum("amount"))["sum"] == MONEY
    assert Order.objects.aggregate(sum=Sum("total"))["sum"] == MONEY
    assert Order.objects.count() == 25_900
    assert Order.objects.filter(kind=OrderKind.RETURN).count() == 3_836
    without = OrderLine.objects.filter(order__customer=None)
    assert without.count() == 135_080
    assert Customer.objects.count() == 4_372
    assert Product.objects.count() == 4_070

    again = finish(start(tmp_path))
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, LINES)
    assert OrderLine.objects.aggregate(sum=Sum("amount"))["sum"] == MONEY
    assert OrderLine.objects.count() == LINES
    # What the killed ones left behind was cleared away by those that came after.
    assert staging_tables() == []
    assert sweep_staging() == []
    assert ImportRun.objects.filter(state="failed").count() == 2
    assert ImportRun.objects.filter(state="done").count() == 2
