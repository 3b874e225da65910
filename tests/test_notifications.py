"""People are told of what concerns them and of nothing else, whoever does it how."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from crm.jobs import enqueue
from crm.models import Follow, Job, JobState, Notification, NotificationChoice, User
from crm.notifications import keeping
from crm.notifications.delivery import deliver
from crm.notifications.due import KIND as DUE_JOB
from crm.notifications.due import Due
from crm.notifications.kinds import KINDS
from crm.testing.query_budget import queries_of
from crm.testing.workers import run_jobs
from tests.machines.models import Machine
from tests.notifying import follow, lines, note, unread, world

__all__ = ["world"]


# --- Notes, comments, changes -----------------------------------------------------


def test_the_owner_is_told_of_notes_and_many_at_one_row_are_one_line(world, row):
    ben = world.client("ben")
    for _ in range(3):
        assert note(ben, row).status_code == 302
    assert lines(world.ana) == [("note", row.pk, 3)]
    ana = world.client("ana")
    assert "3 new notes, the latest by Ben Tester" in ana.get("/notifications/").text
    assert "Look at this." in ana.get("/notifications/panel/").text
    # A note after reading is news again.
    ana.post("/notifications/read/")
    assert unread(ana) == 0
    note(ben, row)
    assert unread(ana) == 1


def test_who_follows_a_row_is_told_and_who_wrote_follows(world, row):
    abe = world.client("abe")
    assert follow(abe, row).status_code == 302
    note(world.client("ben"), row)
    assert ("note", row.pk, 1) in lines(world.abe)
    Notification.objects.all().delete()
    note(world.client("ana"), row, "An answer.")
    assert lines(world.ben) == [("note", row.pk, 1)]


def test_followers_are_told_of_changes_and_owners_are_not(world, row):
    follow(world.client("abe"), row)
    url = f"/machines/{row.pk}/edit/"
    data = {"serial": "S1", "name": "Lathe 2", "state": "broken", "owner": world.ana.pk}
    world.client("ben").post(url, data)
    assert lines(world.abe) == [("change", row.pk, 1)]
    assert lines(world.ana) == []


def test_a_muted_row_is_silent_but_for_what_is_meant_by_name(world, row):
    ana, ben = world.client("ana"), world.client("ben")
    follow(ana, row, "muted")
    note(ben, row)
    assert lines(world.ana) == []
    note(ben, row, "@ana please look.")
    assert lines(world.ana) == [("mention", row.pk, 1)]
    follow(ana, row, "")
    note(ben, row)
    assert lines(world.ana) == [("mention", row.pk, 1), ("note", row.pk, 1)]


def test_a_kind_that_was_switched_off_is_not_made(world, row):
    ana = world.client("ana")
    data = {f"app-{kind}": "on" for kind in KINDS if kind != "note"}
    answer = ana.post("/notifications/settings/", data)
    assert answer.status_code == 302
    assert NotificationChoice.objects.filter(person=world.ana).count() == len(KINDS)
    note(world.client("ben"), row)
    assert lines(world.ana) == []
    ana.post("/notifications/settings/", {**data, "app-note": "on"})
    note(world.client("ben"), row)
    assert lines(world.ana) == [("note", row.pk, 1)]


def test_a_choice_that_there_is_not_is_refused(world):
    answer = world.client("ana").post("/notifications/settings/", {"mail-note": "x"})
    assert answer.status_code == 422
    assert not NotificationChoice.objects.exists()


# --- Shares, jobs, dates ----------------------------------------------------------


def test_a_shared_row_is_told_once(world, row):
    url = f"/machines/{row.pk}/share/"
    ana = world.client("ana")
    for verb in ("view", "change"):
        ana.post(url, {"person": world.cleo.pk, "verb": verb})
    assert lines(world.cleo) == [("share", row.pk, 1)]
    assert "Ana Tester shared this with you" in (
        world.client("cleo").get("/notifications/").text
    )


def test_a_team_is_told_but_for_who_shared(world, row):
    url = f"/machines/{row.pk}/share/"
    world.client("ana").post(url, {"team": world.teams["desk"].pk, "verb": "view"})
    assert lines(world.abe) == [("share", row.pk, 1)]
    assert lines(world.ana) == []
    # Fay's roles give no right to rows of the kind.
    assert lines(world.fay) == []


def end(job, state, seconds):
    now = timezone.now()
    started = now - timedelta(seconds=seconds)
    Job.objects.filter(pk=job.pk).update(
        state=JobState.RUNNING, lease_until=now, started_at=started
    )
    Job.objects.filter(pk=job.pk).update(state=state, finished_at=now)
    deliver()


@pytest.mark.parametrize(
    ("state", "seconds", "told"),
    [("done", 11, 1), ("done", 5, 0), ("failed", 1, 1), ("cancelled", 60, 0)],
)
def test_the_end_of_a_long_job_and_each_failure_is_told(world, state, seconds, told):
    job = enqueue("test.mark", owner=world.ana, title="My work")
    end(job, state, seconds)
    assert lines(world.ana) == [("job", job.pk, 1)] * told
    page = world.client("ana").get("/notifications/").text
    assert ("My work" in page) == bool(told)
    if told:
        words = "Your job failed" if state == "failed" else "Your job is done"
        assert words in page


def test_a_date_is_told_once_in_the_morning_of_the_owner(
    world, row, monkeypatch, settings
):
    settings.DIGEST_HOUR = 0
    monkeypatch.setattr("crm.notifications.due.DUES", [])
    from crm.notifications import due

    due.DUES.append(Due(Machine, "installed_on", Machine.objects.all))
    Machine.objects.update(installed_on=timezone.localdate())
    for _ in range(2):
        enqueue(DUE_JOB)
        assert run_jobs() == ["done"]
    assert lines(world.ana) == [("due", row.pk, 1)]
    # Read or not, it is not told again.
    world.client("ana").post("/notifications/read/")
    enqueue(DUE_JOB)
    run_jobs()
    assert lines(world.ana) == [("due", row.pk, 1)]


# --- What it costs ----------------------------------------------------------------


def test_the_bell_costs_no_query_beyond_the_person(world, row):
    note(world.client("ben"), row)
    ana = world.client("ana")
    queries = queries_of(ana, "/notifications/count/")
    # The session, and the person with what is unread.
    assert len(queries) == 2, queries


def test_asking_for_the_number_does_not_keep_a_session_alive(world):
    ana = world.client("ana")
    session = ana.session
    session["seen"] = 1
    session.save()
    assert unread(ana) == 0
    assert ana.session["seen"] == 1
    ana.get("/notifications/")
    assert ana.session["seen"] > 1


def test_the_list_sends_the_same_queries_for_three_and_for_thirty(world):
    def add(number):
        for place in range(number):
            made = Machine.objects.create(
                serial=f"{number}-{place}", name="x", owner=world.ana
            )
            note(world.client("ben"), made)

    ana = world.client("ana")
    add(3)
    few = queries_of(ana, "/notifications/")
    add(30)
    more = queries_of(ana, "/notifications/")
    assert len(more) == len(few) <= 9, more


def test_the_bell_says_99_and_more(world):
    Notification.objects.bulk_create(
        Notification(
            recipient=world.ana, kind="note", model="machines.machine", object_id=number
        )
        for number in range(1, 131)
    )
    ana = world.client("ana")
    assert unread(ana) == 100
    assert ">99+</span>" in ana.get("/").text


# --- The rest of a life -----------------------------------------------------------


def test_read_ones_go_after_a_while(world, row, settings):
    note(world.client("ben"), row)
    note(world.client("ben"), row, "@abe hello")
    abe, ana = (
        Notification.objects.get(recipient=world.abe),
        Notification.objects.get(recipient=world.ana),
    )
    long_ago = timezone.now() - timedelta(days=settings.NOTIFICATION_KEEP_DAYS + 1)
    Notification.objects.update(at=long_ago)
    Notification.objects.filter(pk=abe.pk).update(read_at=long_ago)
    assert keeping.forget() == 1
    assert list(Notification.objects.all()) == [ana]


def test_followers_and_notifications_of_lost_rows_go(world, row):
    note(world.client("ben"), row)
    assert Follow.objects.exists()
    row.delete()
    # In the trash it may come back.
    keeping.forget()
    assert Follow.objects.exists()
    from crm.models import DeletedRow

    DeletedRow.objects.all().delete()
    keeping.forget()
    assert not Follow.objects.exists()
    assert not Notification.objects.exists()


def test_pages_speak_the_readers_language(world, row):
    note(world.client("ben"), row, "@ana hello")
    User.objects.filter(pk=world.ana.pk).update(language="zh-hans")
    page = world.client("ana").get("/notifications/").text
    with translation.override("zh-hans"):
        assert translation.gettext("Mark all as read") in page
        assert translation.gettext("Mark all as read") != "Mark all as read"
        words = translation.gettext("%(person)s mentioned you in a note")
        assert words % {"person": world.ben} in page
