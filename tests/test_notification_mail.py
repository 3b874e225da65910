"""Mail of notifications: by choice, once, in the reader's language, with no leak."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from crm.grants import seed_grants
from crm.jobs import enqueue
from crm.models import Digest, Job, Notification, NotificationChoice, User
from crm.notifications import mailing
from crm.notifications.telling import MAIL_JOB
from crm.testing.workers import (  # noqa: F401  (a fixture)
    has_ended,
    run_jobs,
    wait_for,
    worker,
)
from crm.testing.world import make_world
from tests.machines.models import Machine
from tests.mail_server import MailServer


@pytest.fixture(autouse=True)
def morning(settings):
    settings.DIGEST_HOUR = 0
    settings.SITE_URL = "https://crm.example"


def write(client, row, text="Look at this."):
    url = reverse("crm:note_add", args=["machines.machine", row.pk])
    assert client.post(url, {"text": text}).status_code == 302


def digest():
    """Run the job once; return the messages that went out."""
    mail.outbox.clear()
    enqueue(mailing.DIGEST_JOB)
    assert set(run_jobs()) == {"done"}
    return list(mail.outbox)


# --- What is in it ----------------------------------------------------------------


def test_a_digest_holds_what_is_unread_and_leads_to_the_settings(world, row):
    write(world.client("abe"), row, "Some words.")
    (message,) = digest()
    assert message.to == ["ana@example.com"]
    assert "1 notification" in message.subject
    html = message.alternatives[0].content
    for text in (message.body, html):
        assert "Lathe" in text
        assert "Abe Tester wrote a note" in text
        assert "Some words." in text
        assert "https://crm.example/notifications/settings/" in text
    one = Notification.objects.get()
    assert f"https://crm.example/notifications/{one.pk}/" in message.body
    # In the app it is as unread as before.
    assert one.read_at is None


def test_a_digest_is_sent_once_however_often_the_job_runs(world, row):
    write(world.client("abe"), row)
    assert len(digest()) == 1
    assert digest() == []
    write(world.client("abe"), row, "More.")
    assert digest() == []
    assert Digest.objects.count() == 1
    Digest.objects.update(day=timezone.localdate() - timezone.timedelta(days=1))
    (message,) = digest()
    assert "2 new notes" in message.body


def test_what_was_read_or_is_out_of_sight_is_not_in_it(world, row):
    abe = world.client("abe")
    write(abe, row, "Seen.")
    world.client("ana").post("/notifications/read/")
    assert digest() == []
    write(abe, row, "Secret.")
    Machine.objects.update(owner=world.cleo)
    assert digest() == []
    assert not Digest.objects.exists()
    assert not Notification.objects.exclude(mail="").exists()


def test_it_speaks_the_persons_language_and_keeps_the_persons_morning(
    world, row, settings, monkeypatch
):
    settings.DIGEST_HOUR = 7
    write(world.client("abe"), row)
    zone = "Asia/Shanghai"
    User.objects.filter(pk=world.ana.pk).update(language="zh-hans", time_zone=zone)
    at = {"hour": 6}

    def now():
        return datetime(2026, 3, 1, at["hour"], 30, tzinfo=ZoneInfo(zone))

    monkeypatch.setattr("crm.notifications.mailing.timezone.now", now)
    assert digest() == []
    at["hour"] = 7
    (message,) = digest()
    assert "写了一条备注" in message.body
    assert "条通知" in message.subject
    assert Digest.objects.get().day.isoformat() == "2026-03-01"


def test_a_title_cannot_add_a_header(world, row):
    bad = "Lathe\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>"
    Machine.objects.filter(pk=row.pk).update(name=bad)
    write(world.client("abe"), row, "@ana look")
    mail.outbox.clear()
    run_jobs()
    (message,) = mail.outbox
    assert "\n" not in message.subject
    assert "\r" not in message.subject
    assert message.recipients() == ["ana@example.com"]
    sent = message.message()
    assert sent["Bcc"] is None
    assert "<script>" not in message.alternatives[0].content


# --- By choice --------------------------------------------------------------------


def test_a_mention_is_mailed_at_once_and_once(world, row):
    write(world.client("abe"), row, "@ana look")
    mail.outbox.clear()
    assert run_jobs() == ["done"]
    (message,) = mail.outbox
    assert "Lathe" in message.subject
    assert "mentioned you" in message.subject
    enqueue(MAIL_JOB, params={"person": world.ana.pk})
    run_jobs()
    assert len(mail.outbox) == 1
    assert digest() == []


def test_no_mail_and_mail_alone(world, row):
    choice = NotificationChoice.objects.create(
        person=world.ana, kind="note", in_app=True, mail=""
    )
    write(world.client("abe"), row)
    assert digest() == []
    Notification.objects.all().delete()
    choice.in_app, choice.mail = False, "digest"
    choice.save()
    write(world.client("abe"), row)
    assert world.client("ana").get("/notifications/count/").json() == {"unread": 0}
    assert len(digest()) == 1


def test_a_server_that_is_away_costs_nobody_a_mail(world, row, monkeypatch):
    write(world.client("abe"), row)

    def refuse(*args, **kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    assert digest() == []
    assert not Digest.objects.exists()
    monkeypatch.undo()
    assert len(digest()) == 1


def test_a_mail_whose_job_failed_is_tried_again_later(world, row, monkeypatch):
    write(world.client("abe"), row, "@ana look")
    Job.objects.all().delete()
    mailing.wake_waiting()
    assert Job.objects.filter(kind=MAIL_JOB).count() == 1
    mailing.wake_waiting()
    assert Job.objects.filter(kind=MAIL_JOB).count() == 1


# --- A real worker ----------------------------------------------------------------


def waiting_for_three(names=("ana", "abe", "cleo")):
    seed_grants()
    world = make_world()
    for name in names:
        person = getattr(world, name)
        made = Machine.objects.create(serial=name, name=f"Of {name}", owner=person)
        Notification.objects.create(
            recipient=person,
            kind="note",
            actor=world.dev,
            model="machines.machine",
            object_id=made.pk,
            mail="digest",
        )


@pytest.mark.process
def test_a_worker_killed_in_the_middle_of_the_digests(worker):  # noqa: F811
    waiting_for_three()
    with MailServer(hold_at=2) as server:
        surroundings = {"EMAIL_URL": server.url, "DIGEST_HOUR": "0"}
        process = worker("mail", **surroundings)
        job = enqueue(mailing.DIGEST_JOB)
        assert server.holding.wait(60)
        process.kill()
        assert len(server.accepted) == 1
        wait_for(lambda: Digest.objects.count() == 1)
        worker("mail", **surroundings)
        wait_for(lambda: has_ended(job), sweeping=True)
        job.refresh_from_db()
        assert job.state == "done"
        to = sorted(message["To"] for message in server.accepted)
        assert to == ["abe@example.com", "ana@example.com", "cleo@example.com"]
        numbers = [message["Message-ID"] for message in server.seen]
        # The one that was held came again under its number.
        assert len(numbers) == 4
        assert len(set(numbers)) == 3
        assert Digest.objects.count() == 3
        # Run once more: nobody hears twice.
        again = enqueue(mailing.DIGEST_JOB)
        wait_for(lambda: has_ended(again), sweeping=True)
        assert len(server.accepted) == 3


@pytest.mark.process
def test_two_workers_at_once_send_each_digest_once(worker):  # noqa: F811
    waiting_for_three()
    with MailServer() as server:
        surroundings = {"EMAIL_URL": server.url, "DIGEST_HOUR": "0"}
        worker("mail", concurrency=2, **surroundings)
        jobs = [enqueue(mailing.DIGEST_JOB) for _ in range(4)]
        wait_for(lambda: all(has_ended(job) for job in jobs), sweeping=True)
        assert len(server.accepted) == 3
        assert Digest.objects.count() == 3
