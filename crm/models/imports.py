"""Imports: what was read, what went in, what was rejected and why."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.access import VisibleManager


class ImportState(models.TextChoices):
    """Where an import stands."""

    UPLOADED = "uploaded", _("uploaded")
    CHECKING = "checking", _("checking")
    CHECKED = "checked", _("checked")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class ImportProfile(models.Model):
    """A person's remembered mapping from a file's columns to fields.

    Profiles that ship with the product are declared by the importers.
    """

    importer = models.CharField(max_length=60)
    header_key = models.CharField(max_length=64, editable=False)
    name = models.CharField(_("name"), max_length=120)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    mapping = models.JSONField(default=dict)
    options = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = VisibleManager()
    access_path = "owner"

    class Meta:
        verbose_name = _("import profile")
        verbose_name_plural = _("import profiles")
        ordering = ("importer", "name")
        constraints = (
            # One file layout is remembered once; the latest choice counts.
            models.UniqueConstraint(
                fields=["owner", "importer", "header_key"], name="import_profile_once"
            ),
        )

    def __str__(self) -> str:
        return self.name


class ImportRun(models.Model):
    """One import of one file."""

    importer = models.CharField(_("what"), max_length=60)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("started by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    job = models.ForeignKey(
        "crm.Job", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=ImportState.choices,
        default=ImportState.UPLOADED,
    )
    mode = models.CharField(_("mode"), max_length=10, default="upsert")
    file_name = models.CharField(_("file"), max_length=255)
    file_path = models.CharField(max_length=500, blank=True)
    file_hash = models.CharField(max_length=64, blank=True)
    dialect = models.JSONField(default=dict, blank=True)
    # The names of the file's columns, also of those that are left out.
    header = models.JSONField(default=list, blank=True)
    mapping = models.JSONField(default=dict, blank=True)
    options = models.JSONField(default=dict, blank=True)
    objects_changed = models.JSONField(default=dict, blank=True)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    created = models.PositiveBigIntegerField(_("new"), default=0)
    updated = models.PositiveBigIntegerField(_("changed"), default=0)
    unchanged = models.PositiveBigIntegerField(_("unchanged"), default=0)
    rejected = models.PositiveBigIntegerField(_("rejected"), default=0)
    rejects_path = models.CharField(max_length=500, blank=True)
    # The operation under which its rows were written; what is undone is found by it.
    operation = models.UUIDField(null=True, editable=False)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VisibleManager()
    access_path = "owner"

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return self.file_name


class RejectedRow(models.Model):
    """A row of the file that did not go in."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="rejects")
    line = models.PositiveBigIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=200, blank=True)
    value = models.CharField(_("value"), max_length=300, blank=True)
    reason = models.CharField(_("reason"), max_length=300)

    class Meta:
        verbose_name = _("rejected row")
        verbose_name_plural = _("rejected rows")
        ordering = ("line", "pk")
        indexes = (models.Index(fields=["run", "line"], name="reject_by_line"),)

    def __str__(self) -> str:
        return f"{self.line}: {self.reason}"
