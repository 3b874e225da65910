"""People are told of what concerns them and of nothing else, whoever does it how."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone, translation

from crm.grants import seed_grants
from crm.history.context import acting
from crm.jobs import enqueue
from crm.models import (
    Follow,
    Grant,
    Job,
    JobState,
    Notice,
    Notification,
    NotificationChoice,
    Operation,
    OperationKind,
    Role,
    User,
)
from crm.notifications import keeping
from crm.notifications.delivery import deliver
from crm.notifications.due import KIND as DUE_JOB
from crm.notifications.due import Due
from crm.notifications.kinds import KINDS
from crm.testing.query_budget import queries_of
from crm.testing.workers import run_jobs
from crm.testing.world import make_world
from tests.machines.models import Machine


def open_to_managers(scope="subtree"):
    """Let managers do everything with machines."""
    role = Role.objects.get(code="sales_manager")
    for verb in ("view", "change", "delete", "import"):
        Grant.objects.create(
            role=role, model="machines.machine", verb=verb, scope=scope
        )


@pytest.fixture
def world(db):
    made = make_world()
    open_to_managers()
    return made


@pytest.fixture
def row(world):
    return Machine.objects.create(serial="S1", name="Lathe", owner=world.ana)


def hand(client, row, person):
    """Make somebody the owner of a row on its form."""
    data = {
        "serial": row.serial,
        "name": row.name,
        "state": row.state,
        "owner": person.pk,
    }
    return client.post(f"/machines/{row.pk}/edit/", data)


def note(client, row, text="Look at this.", **data):
    url = reverse("crm:note_add", args=["machines.machine", row.pk])
    return client.post(url, {"text": text, **data})


def follow(client, row, stance="followed"):
    url = reverse("crm:follow", args=["machines.machine", row.pk])
    return client.post(url, {"stance": stance})


def unread(client):
    return client.get("/notifications/count/").json()["unread"]


def lines(person):
    rows = Notification.objects.filter(recipient=person).order_by("pk")
    return [(one.kind, one.object_id, one.count) for one in rows]


# --- Handed over ------------------------------------------------------------------


def test_who_is_made_an_owner_is_told_and_opening_it_is_reading(world, row):
    assert hand(world.client("ben"), row, world.abe).status_code == 302
    assert lines(world.abe) == [("handover", row.pk, 1)]
    assert lines(world.ana) == lines(world.ben) == []
    abe = world.client("abe")
    assert unread(abe) == 1
    page = abe.get("/notifications/").text
    assert "Lathe" in page
    assert "Ben Tester handed this to you" in page
    one = Notification.objects.get()
    answer = abe.get(f"/notifications/{one.pk}/")
    assert (answer.status_code, answer.url) == (302, f"/machines/{row.pk}/")
    assert unread(abe) == 0
    one.refresh_from_db()
    assert one.read_at is not None


def test_nobody_is_told_of_an_own_act(world, row):
    hand(world.client("ben"), row, world.ben)
    row.refresh_from_db()
    assert row.owner == world.ben
    assert not Notification.objects.exists()
    assert not Notice.objects.exists()


def test_what_is_added_for_somebody_else_is_handed_over(world):
    with acting(OperationKind.PAGE, world.ben):
        made = Machine.objects.create(serial="N", name="New", owner=world.abe)
    deliver()
    assert lines(world.abe) == [("handover", made.pk, 1)]


def test_what_a_command_or_nobody_writes_tells_nobody(world):
    with acting(OperationKind.COMMAND):
        Machine.objects.create(serial="C", name="C", owner=world.abe)
    Machine.objects.create(serial="D", name="D", owner=world.abe)
    assert not Notice.objects.exists()


@pytest.fixture
def many(world):
    return Machine.objects.bulk_create(
        Machine(serial=f"M{number:04}", name="Press", owner=world.ana)
        for number in range(3000)
    )


def test_a_bulk_handover_of_three_thousand_is_one_notification(world, many):
    with acting(OperationKind.BULK, world.ben) as number:
        for start in range(0, 3000, 300):
            keys = [one.pk for one in many[start : start + 300]]
            Machine.objects.filter(pk__in=keys).update(owner=world.abe)
            # As between the batches of a job, where the clock may come by.
            if start == 900:
                deliver()
    deliver()
    one = Notification.objects.get()
    assert (one.recipient, one.count, one.object_id) == (world.abe, 3000, None)
    assert one.operation == number
    abe = world.client("abe")
    assert unread(abe) == 1
    page = abe.get("/notifications/").text
    assert "3,000 machines were handed to you" in page
    assert "Press" not in page
    opened = abe.get(f"/notifications/{one.pk}/")
    assert opened.status_code == 200
    assert opened.text.count("Press") == 100
    assert unread(abe) == 0


def test_rows_of_an_operation_that_are_out_of_sight_are_not_listed(world, many):
    with acting(OperationKind.BULK, world.ben):
        Machine.objects.update(owner=world.abe)
    deliver()
    one = Notification.objects.get()
    keep = many[0]
    Machine.objects.exclude(pk=keep.pk).update(owner=world.cleo)
    page = world.client("abe").get(f"/notifications/{one.pk}/").text
    assert page.count("Press") == 1


def test_two_who_empty_the_outbox_at_once_tell_once(transactional_db):
    seed_grants()
    world = make_world()
    open_to_managers()
    with acting(OperationKind.BULK, world.ben):
        for number in range(40):
            Machine.objects.create(serial=f"{number}", name="x", owner=world.abe)

    def empty():
        try:
            deliver()
        finally:
            connection.close()

    threads = [threading.Thread(target=empty) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not Notice.objects.exists()
    found = Notification.objects.get()
    assert (found.recipient, found.count) == (world.abe, 40)


def test_a_notice_that_cannot_be_understood_stops_no_other(world, row):
    with acting(OperationKind.PAGE, world.ben):
        Machine.objects.filter(pk=row.pk).update(owner=world.abe)
    waiting = Notice.objects.get()
    Notice.objects.create(
        kind="unknown",
        model="machines.machine",
        rows=waiting.rows,
        recipient_id=world.abe.pk,
    )
    deliver()
    assert lines(world.abe) == [("handover", row.pk, 1)]
    assert not Notice.objects.exists()


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


def test_a_row_that_one_may_not_see_cannot_be_followed(world, row):
    assert follow(world.client("cleo"), row).status_code == 404
    assert not Follow.objects.exists()


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


# --- Rights -----------------------------------------------------------------------


def test_who_lost_the_right_sees_no_title_and_the_bell_forgets_it(world, row):
    follow(world.client("abe"), row)
    note(world.client("ben"), row, "Secret words.")
    abe = world.client("abe")
    assert unread(abe) == 1
    Machine.objects.update(owner=world.cleo)
    for address in ("/notifications/panel/", "/notifications/"):
        page = abe.get(address).text
        assert "Lathe" not in page
        assert "Secret words" not in page
    assert unread(abe) == 0
    one = Notification.objects.get(recipient=world.abe)
    answer = abe.get(f"/notifications/{one.pk}/")
    assert answer.url == "/notifications/"
    # With the right it is there again.
    Machine.objects.update(owner=world.ana)
    assert "Lathe" in abe.get("/notifications/").text


def test_nobody_is_told_of_a_row_that_they_may_not_see(world, row):
    Follow.objects.create(person=world.cleo, model="machines.machine", object_id=row.pk)
    note(world.client("ben"), row)
    assert lines(world.cleo) == []
    assert lines(world.ana) == [("note", row.pk, 1)]


def test_those_who_were_switched_off_are_not_told(world, row):
    User.objects.filter(pk=world.ana.pk).update(is_active=False)
    note(world.client("ben"), row)
    assert not Notification.objects.exists()


def test_another_persons_notification_is_nowhere(world, row):
    note(world.client("ben"), row)
    one = Notification.objects.get(recipient=world.ana)
    for name in ("ben", "abe", "dev"):
        client = world.client(name)
        assert client.get(f"/notifications/{one.pk}/").status_code == 404
        assert client.post("/notifications/read/", {"one": one.pk}).status_code == 404
        assert "Lathe" not in client.get("/notifications/").text
    world.client("dev").post("/notifications/read/")
    one.refresh_from_db()
    assert one.read_at is None


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


def test_a_stranger_is_not_answered(db, client):
    for address in ("", "count/", "panel/", "settings/", "1/"):
        answer = client.get(f"/notifications/{address}")
        assert answer.status_code == 302
        assert "/accounts/login/" in answer.url


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


def test_who_gets_a_row_back_by_an_undo_is_told(world, row):
    ben = world.client("ben")
    hand(ben, row, world.abe)
    number = Operation.objects.get(actor=world.ben, kind="page").number
    assert ben.post(f"/operations/{number}/undo/").status_code == 302
    row.refresh_from_db()
    assert row.owner == world.ana
    assert lines(world.ana) == [("handover", row.pk, 1)]


def test_pages_speak_the_readers_language(world, row):
    note(world.client("ben"), row, "@ana hello")
    User.objects.filter(pk=world.ana.pk).update(language="zh-hans")
    page = world.client("ana").get("/notifications/").text
    with translation.override("zh-hans"):
        assert translation.gettext("Mark all as read") in page
        assert translation.gettext("Mark all as read") != "Mark all as read"
        words = translation.gettext("%(person)s mentioned you in a note")
        assert words % {"person": world.ben} in page


def test_titles_of_rows_cannot_run(world, row):
    bad = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    Machine.objects.filter(pk=row.pk).update(name=bad)
    note(world.client("ben"), row, f"{bad} @ana {bad}")
    ana = world.client("ana")
    for address in ("/notifications/", "/notifications/panel/"):
        page = ana.get(address).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;" in page
