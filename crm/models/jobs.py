"""Jobs: the truth about work done in the background."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.access import VisibleManager
from crm.addresses import address_of


class JobState(models.TextChoices):
    """States of a job: queued → running → done | failed | cancelled."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class Job(models.Model):
    """One piece of background work.

    queued ──claim──▶ running ──▶ done | failed | cancelled
       ▲                 │
       └──lease lost─────┘   (by the sweeper, until ``max_attempts``)

    ``token`` changes with every claim: who no longer holds it can neither report
    progress nor publish a result.
    """

    kind = models.CharField(_("kind"), max_length=60)
    title = models.CharField(_("title"), max_length=200, blank=True)
    queue = models.CharField(_("queue"), max_length=20, default="default")
    params = models.JSONField(_("parameters"), default=dict, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("started by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="jobs",
    )
    state = models.CharField(
        _("state"), max_length=10, choices=JobState.choices, default=JobState.QUEUED
    )
    done = models.PositiveBigIntegerField(_("done"), default=0)
    total = models.PositiveBigIntegerField(_("total"), default=0)
    message = models.CharField(_("message"), max_length=500, blank=True)
    error = models.TextField(_("error"), blank=True)
    result = models.JSONField(_("result"), default=dict, blank=True)
    token = models.UUIDField(null=True, blank=True, editable=False)
    worker = models.CharField(_("worker"), max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    max_attempts = models.PositiveSmallIntegerField(default=5)
    cancel_requested = models.BooleanField(default=False)
    dedupe_key = models.CharField(max_length=200, blank=True)
    # What the page spoke from which the job was started.
    language = models.CharField(max_length=10, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    enqueued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = VisibleManager()
    access_path = "owner"

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ("-created_at", "-pk")
        indexes = (
            models.Index(
                fields=["state", "lease_until"],
                name="job_unfinished",
                condition=models.Q(state__in=["queued", "running"]),
            ),
            models.Index(fields=["owner", "-id"], name="job_of_owner"),
        )
        constraints = (
            # Two waiting jobs with the same key would do the same work twice.
            models.UniqueConstraint(
                fields=["dedupe_key"],
                name="job_dedupe",
                condition=models.Q(state="queued") & ~models.Q(dedupe_key=""),
            ),
            models.CheckConstraint(
                name="job_running_has_lease",
                condition=~models.Q(state="running")
                | models.Q(lease_until__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.label} #{self.pk}"

    def get_absolute_url(self) -> str:
        """Return the address of the page that shows the progress."""
        return address_of("crm:job_detail", self.pk)

    @property
    def label(self) -> str:
        """Return what the job is called: its own title, or the name of its kind."""
        # The registry imports this module.
        from crm.jobs.registry import kind_label

        return self.title or str(kind_label(self.kind))

    @property
    def is_finished(self) -> bool:
        """Tell whether nothing more will happen."""
        return self.state not in (JobState.QUEUED, JobState.RUNNING)

    @property
    def result_url(self) -> str:
        """Return where the result stands on this site, blank if it has no page."""
        url = str(self.result.get("url", ""))
        return url if url.startswith("/") and not url.startswith("//") else ""

    @property
    def duration(self) -> timedelta | None:
        """Return how long the latest attempt took, or has taken so far."""
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at

    @property
    def percent(self) -> int:
        """Return progress from 0 to 100."""
        if self.state == JobState.DONE:
            return 100
        return min(100, 100 * self.done // self.total) if self.total else 0


class LogLevel(models.TextChoices):
    """How much a log line matters."""

    INFO = "info", _("info")
    WARNING = "warning", _("warning")
    ERROR = "error", _("error")


class JobLog(models.Model):
    """One line of a job's log."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="log_lines")
    at = models.DateTimeField(_("time"), default=timezone.now, editable=False)
    level = models.CharField(
        _("level"), max_length=10, choices=LogLevel.choices, default=LogLevel.INFO
    )
    text = models.TextField(_("text"))

    class Meta:
        verbose_name = _("log line")
        verbose_name_plural = _("log lines")
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.text
