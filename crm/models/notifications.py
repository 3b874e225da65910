"""What people are told of, what waits to be told, and what they want to hear."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models.history import Ranges

UNREAD = Q(read_at__isnull=True, in_app=True)
# The bell says "99+" of more; so it costs the same however many there are.
MOST_COUNTED = 100


def count_unread(person: Any) -> int:
    """Return how many notifications a person has not read, up to ``MOST_COUNTED``."""
    mine = Notification.objects.filter(UNREAD, recipient=person)
    return mine.order_by()[:MOST_COUNTED].count()


class MailMode(models.TextChoices):
    """When a notification goes out as a mail."""

    NONE = "", pgettext_lazy("mail of notifications", "None")
    DIGEST = "digest", pgettext_lazy("mail of notifications", "In the daily digest")
    NOW = "now", pgettext_lazy("mail of notifications", "At once")


class Notice(models.Model):
    """Something that happened and that nobody was told of yet: the outbox.

    Triggers write it in the transaction of what happened, so neither a killed process
    nor a way of writing that nobody thought of loses it. ``rows`` are the ids of the
    rows it is about. Without a recipient their owners and followers are told.
    """

    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=20)
    model = models.CharField(max_length=100)
    rows = Ranges()
    recipient_id = models.BigIntegerField(null=True)
    actor_id = models.BigIntegerField(null=True)
    operation = models.UUIDField(null=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.kind} {self.model}"


class Notification(models.Model):
    """One line for one person: about a row, or about many rows of one operation.

    It holds no title of a row. What the reader is shown is read with the reader's
    rights of that moment. While unread, more of the same kind at the same row is
    counted on it.
    """

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    kind = models.CharField(_("kind"), max_length=20)
    # Who did it last; nobody where the system did.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    model = models.CharField(_("model"), max_length=100)
    object_id = models.BigIntegerField(null=True, blank=True)
    rows = Ranges(null=True, blank=True)
    operation = models.UUIDField(null=True, blank=True)
    count = models.PositiveIntegerField(default=1)
    # Of a note: the latest one's id.
    note_id = models.BigIntegerField(null=True, blank=True)
    at = models.DateTimeField(_("time"), default=timezone.now)
    in_app = models.BooleanField(default=True, db_default=True)
    read_at = models.DateTimeField(null=True, blank=True)
    # How it is still to be sent by mail.
    mail = models.CharField(
        max_length=6, choices=MailMode.choices, blank=True, db_default=""
    )
    is_demo = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ("-at", "-pk")
        indexes = (
            models.Index(fields=["recipient", "-at", "-id"], name="notification_by_at"),
            # What the bell counts, however much was read.
            models.Index(
                fields=["recipient", "-at", "-id"],
                name="notification_unread",
                condition=UNREAD,
            ),
            models.Index(
                fields=["recipient"],
                name="notification_to_mail",
                condition=~Q(mail=""),
            ),
            models.Index(fields=["at"], name="notification_age"),
            models.Index(fields=["model", "object_id"], name="notification_of_row"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["recipient", "kind", "model", "object_id"],
                name="notification_once_unread",
                condition=Q(read_at__isnull=True, object_id__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["recipient", "kind", "model", "operation"],
                name="notification_once_of_many",
                condition=Q(object_id__isnull=True, operation__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.model} {self.object_id or self.count}"

    @property
    def is_unread(self) -> bool:
        """Tell whether the person has not seen it yet."""
        return self.read_at is None


class NotificationChoice(models.Model):
    """What a person wants to hear of one kind of notification, and how."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    kind = models.CharField(max_length=20)
    in_app = models.BooleanField()
    mail = models.CharField(max_length=6, choices=MailMode.choices, blank=True)

    class Meta:
        verbose_name = _("choice of notifications")
        verbose_name_plural = _("choices of notifications")
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=["person", "kind"], name="notification_choice_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person}: {self.kind}"


class Follow(models.Model):
    """A row that a person follows, or has muted."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    model = models.CharField(max_length=100)
    object_id = models.BigIntegerField()
    is_muted = models.BooleanField(default=False, db_default=False)
    is_demo = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        verbose_name = _("followed row")
        verbose_name_plural = _("followed rows")
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=["model", "object_id", "person"], name="follow_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.person}: {self.model} {self.object_id}"


class Digest(models.Model):
    """A daily mail that went out; its row and what it told of are one transaction."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    # The person's own date.
    day = models.DateField(_("day"))
    sent_at = models.DateTimeField(_("time"), default=timezone.now)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("digest")
        verbose_name_plural = _("digests")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=["person", "day"], name="digest_once_a_day"),
        )

    def __str__(self) -> str:
        return f"{self.person}: {self.day}"
