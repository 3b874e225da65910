"""What tests themselves stand on: emptied tables, and processes that are forked."""

import signal

import pytest
from django.core.management import call_command
from django.db import connection

from crm.models import SecurityEvent, Tag
from crm.testing.forking import fork
from crm.testing.workers import child_environment
from crm.testing.world import make_world

PROGRAM = """
import os, sys
from crm.models import Tag
if __name__ == "__main__":
    Tag.objects.create(name=sys.argv[1])
    print(os.getpid(), os.getsid(0), os.environ["DATABASE_URL"], flush=True)
    {end}
"""
ENDS = {
    "sys.exit(3)": 3,
    "os.kill(os.getpid(), 9)": -signal.SIGKILL,
    "raise ValueError('broken')": 1,
    "pass": 0,
}


@pytest.mark.django_db(transaction=True)
def test_no_table_keeps_a_row_not_even_those_that_refuse_deletion():
    world = make_world()
    Tag.objects.create(name="one")
    SecurityEvent.objects.create(kind="denied", person=world.ana)
    call_command("flush", interactive=False, inhibit_post_migrate=True, verbosity=0)
    tables = connection.introspection.django_table_names(
        only_existing=True, include_views=False
    )
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608
            assert cursor.fetchone() == (0,), table


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", ENDS)
def test_a_forked_process_has_its_own_session_database_and_end(tmp_path, end):
    program, log = tmp_path / "program.py", tmp_path / "log"
    program.write_text(PROGRAM.format(end=end))
    environment = child_environment()
    process = fork([str(program), "mark"], environment, log)
    assert process.wait() == process.poll() == ENDS[end]
    pid, session, url, *more = log.read_text().split(maxsplit=3)
    assert int(pid) == int(session) == process.pid
    assert url == environment["DATABASE_URL"]
    assert "".join(more).strip().endswith("broken") == ("broken" in end)
    assert Tag.objects.filter(name="mark").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_process_forks_for_all_tests_and_another_for_other_settings(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("")
    same = {"PYTEST_CURRENT_TEST": "another"}
    forkers = set()
    for more in ({}, same, {"MEDIA_ROOT": str(tmp_path)}):
        environment = {**child_environment(), **more}
        process = fork([str(program)], environment, tmp_path / "log")
        assert process.wait() == 0
        forkers.add(process.forker.process.pid)
    assert len(forkers) == 2
