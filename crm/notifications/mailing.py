"""Notifications by mail: at once, or in a daily digest.

A mail and the mark that it went out are one transaction, and the mail goes out last: a
worker that is killed before has marked nothing, and the next one sends the mail. The
number of a message is made of what it tells, so the one case that is left (killed
between the mail server's "accepted" and the commit) is a copy that mail programs know.
"""

from __future__ import annotations

import hashlib
import logging
import smtplib
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connection, models, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.jobs import JobHandle, enqueue, job
from crm.jobs.queue import personal_settings
from crm.models import Digest, Job, JobState, MailMode, Notification, User
from crm.notifications import showing
from crm.notifications.telling import MAIL_JOB

logger = logging.getLogger(__name__)

DIGEST_JOB = "notification-digests"
# A mail tells of so many rows; the rest is a number.
MOST_TOLD = 40
SUBJECT = 120
# A mail server that is away is asked again so much later.
AGAIN_AFTER = timedelta(minutes=10)
# Two workers must not write to one person at once; any constant number will do.
LOCK = 7_301


@job(MAIL_JOB, queue="mail", label=gettext_lazy("Mail of notifications"))
def mail_now(handle: JobHandle, person: int) -> dict[str, int]:
    """Mail a person all that is to come at once, as one mail."""
    return {"sent": int(send(person, MailMode.NOW))}


@job(DIGEST_JOB, queue="mail", label=gettext_lazy("Daily digests of notifications"))
def send_digests(handle: JobHandle) -> dict[str, int]:
    """Mail a digest to each person whose morning has come and who had none today."""
    people = list(people_waiting(MailMode.DIGEST))
    sent = failed = 0
    for place, person in enumerate(people, start=1):
        handle.progress(place, len(people))
        try:
            sent += send(person, MailMode.DIGEST)
        except (OSError, smtplib.SMTPException):
            # The others get theirs; this one is tried again in a quarter of an hour.
            logger.exception("The digest for person %s could not be sent.", person)
            failed += 1
    return {"sent": sent, "failed": failed}


def people_waiting(mode: str) -> models.QuerySet:
    """Return the ids of the people for whom something is to be mailed."""
    rows = Notification.objects.filter(mail=mode).exclude(mail="")
    return rows.order_by("recipient").values_list("recipient", flat=True).distinct()


def wake_waiting() -> None:
    """Queue again the mails whose job failed some time ago."""
    for person in people_waiting(MailMode.NOW)[:500]:
        key = f"{MAIL_JOB}/{person}"
        tried = Job.objects.filter(dedupe_key=key)
        tried = tried.filter(
            Q(state__in=[JobState.QUEUED, JobState.RUNNING])
            | Q(created_at__gt=timezone.now() - AGAIN_AFTER)
        )
        if not tried.exists():
            enqueue(MAIL_JOB, params={"person": person}, dedupe_key=key)


@transaction.atomic
def send(pk: int, mode: str) -> bool:
    """Mail one person what waits and is still unread and visible; True if it was sent.

    Raises what the mail server's connection raises; nothing is marked then.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, pk % 2**31])
    person = User.objects.active().filter(pk=pk).first()
    waiting = Notification.objects.filter(recipient=pk, mail=mode)
    if person is None or not person.email:
        waiting.update(mail="")
        return False
    with personal_settings(person):
        today = timezone.localtime()
        if mode == MailMode.DIGEST and not is_time(person, today):
            return False
        return _send(person, waiting, mode, today.date())


def is_time(person: User, now: datetime) -> bool:
    """Tell whether the person's morning has come and no digest was sent that day."""
    sent = Digest.objects.filter(person=person, day=now.date())
    return now.hour >= settings.DIGEST_HOUR and not sent.exists()


def _send(
    person: User, waiting: models.QuerySet[Notification], mode: str, day: date
) -> bool:
    rows = waiting.select_related("actor").order_by("-at", "-pk")
    told = list(rows.filter(read_at__isnull=True)[: 5 * MOST_TOLD])
    lines = showing.lines_of(person, told)
    number = waiting.filter(read_at__isnull=True).count() if lines else 0
    keys = [one.pk for one in told]
    # What is for mail alone is read with it.
    waiting.filter(in_app=False, read_at__isnull=True).update(read_at=timezone.now())
    waiting.update(mail="")
    if not lines:
        return False
    if mode == MailMode.DIGEST:
        Digest.objects.create(person=person, day=day, count=number)
    try:
        message_for(person, lines, mode, day, keys).send()
    except smtplib.SMTPRecipientsRefused:
        logger.warning("The mail server refuses the address of person %s.", person.pk)
        return False
    return True


def message_for(
    person: User, lines: list[showing.Line], mode: str, day: date, keys: Iterable[int]
) -> EmailMultiAlternatives:
    """Return the mail, in the language and the time zone that are set."""
    groups = showing.grouped(lines)
    context = {
        "person": person,
        "groups": groups[:MOST_TOLD],
        "left": max(0, len(groups) - MOST_TOLD),
        "is_digest": mode == MailMode.DIGEST,
        "day": day,
        "site": settings.SITE_URL,
        "list_url": reverse("crm:notification_list"),
        "settings_url": reverse("crm:notification_settings"),
    }
    subject = subject_of(groups, mode, day)
    text = render_to_string("notifications/mail.txt", context)
    message = EmailMultiAlternatives(subject, text, to=[person.email])
    message.attach_alternative(
        render_to_string("notifications/mail.html", context), "text/html"
    )
    url = f"{settings.SITE_URL}{context['settings_url']}"
    message.extra_headers = {
        "Message-ID": number_of(person, mode, day, keys),
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{url}>",
    }
    return message


def subject_of(groups: list[showing.Group], mode: str, day: date) -> str:
    """Return one line, whatever signs a title has."""
    if mode == MailMode.DIGEST:
        text = ngettext(
            "%(number)s notification, %(day)s",
            "%(number)s notifications, %(day)s",
            len(groups),
        )
        words = {"number": number_format(len(groups)), "day": date_format(day)}
        return one_line(text % words)
    first = groups[0]
    what = first.lines[0].text if first.kind_of_row else ""
    title = f"{first.title}: {what}" if what else first.title
    if len(groups) > 1:
        more = _("and %(number)s more") % {"number": number_format(len(groups) - 1)}
        return one_line(f"{Truncator(one_line(title)).chars(SUBJECT)} ({more})")
    return one_line(title)


def one_line(text: str) -> str:
    """Return a text that fits a header: one line, no control characters, not long."""
    kept = "".join(sign if sign.isprintable() else " " for sign in text)
    return Truncator(" ".join(kept.split())).chars(2 * SUBJECT)


def number_of(person: User, mode: str, day: date, keys: Iterable[int]) -> str:
    """Return a message's number: the same for the same content."""
    told = "digest" if mode == MailMode.DIGEST else ",".join(map(str, sorted(keys)))
    text = f"{settings.SECRET_KEY}/{person.pk}/{mode}/{day}/{told}"
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    host = settings.SITE_URL.partition("://")[2].partition(":")[0] or "localhost"
    return f"<{digest}@{host}>"
