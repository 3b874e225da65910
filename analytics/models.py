"""Runs, models and scores; nothing was typed by a person, all can be recomputed."""

from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from crm.access import VisibleManager
from crm.addresses import address_of


class AnalysisKey(models.TextChoices):
    """The analyses there are."""

    STATISTICS = "statistics", _("Statistics")
    SEGMENTATION = "segmentation", _("Segmentation")
    LTV = "ltv", _("Lifetime value")
    CONVERSION = "conversion", _("Conversion of leads")
    TICKET_CLASS = "ticket-class", _("Ticket categories")


class RunState(models.TextChoices):
    """How a run ended."""

    RUNNING = "running", _("running")
    PUBLISHED = "published", _("published")
    NOT_ENOUGH = "not_enough", _("not enough history")
    NOT_BETTER = "not_better", _("not better than the simple rule")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class ModelVersion(models.Model):
    """A trained model with the figures it reached; the file is signed."""

    key = models.CharField(_("analysis"), max_length=20, choices=AnalysisKey.choices)
    number = models.PositiveIntegerField(_("version"))
    algorithm = models.CharField(_("method"), max_length=200)
    trained_at = models.DateTimeField(_("trained"), auto_now_add=True)
    as_of = models.DateTimeField(_("data as of"))
    window_start = models.DateTimeField(_("data from"), null=True)
    window_end = models.DateTimeField(_("data to"), null=True)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    data_hash = models.CharField(max_length=64)
    card = models.JSONField(_("model card"), default=dict)
    artefact = models.BinaryField(null=True, editable=False)

    objects = VisibleManager()
    access_shared = True

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ("-trained_at", "-pk")
        constraints = (
            models.UniqueConstraint(fields=["key", "number"], name="model_number"),
        )

    def __str__(self) -> str:
        return f"{self.get_key_display()} {self.number}"


class Run(models.Model):
    """One computation of one analysis; at most one per key is the current one."""

    key = models.CharField(_("analysis"), max_length=20, choices=AnalysisKey.choices)
    state = models.CharField(
        _("state"), max_length=12, choices=RunState.choices, default=RunState.RUNNING
    )
    as_of = models.DateTimeField(_("data as of"))
    job = models.ForeignKey(
        "crm.Job", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, related_name="runs"
    )
    params = models.JSONField(_("parameters"), default=dict)
    data_hash = models.CharField(max_length=64, blank=True)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    reason = models.TextField(_("reason"), blank=True)
    summary = models.JSONField(_("results"), default=dict)
    is_current = models.BooleanField(_("current"), default=False)
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects = VisibleManager()
    access_shared = True

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ("-started_at", "-pk")
        indexes = (models.Index(fields=["key", "-started_at"], name="run_by_key"),)
        constraints = (
            models.UniqueConstraint(
                fields=["key"],
                condition=Q(is_current=True),
                name="one_current_run_per_key",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_key_display()} #{self.pk}"

    def get_absolute_url(self) -> str:
        """Return the run's page."""
        return address_of("analytics:run_detail", self.pk)


class Score(models.Model):
    """What a run says of one object; ``object_id`` is of the model the key scores.

    No foreign key to the object: scores are written by COPY a million at a time, and
    a score of a deleted object is simply never joined.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="scores")
    object_id = models.BigIntegerField()
    value = models.FloatField(_("value"), null=True)
    low = models.FloatField(_("low"), null=True)
    high = models.FloatField(_("high"), null=True)
    label = models.CharField(_("label"), max_length=120, blank=True)
    abstained = models.BooleanField(default=False)
    reasons = models.JSONField(_("reasons"), default=list)
    details = models.JSONField(default=dict)
    # Beside the details, so that lists read it from an index; only the lifetime value
    # has it. The database fills it in: whoever writes scores need not know of it.
    p_alive = models.GeneratedField(
        expression=Cast(KeyTextTransform("p_alive", "details"), models.FloatField()),
        output_field=models.FloatField(null=True),
        db_persist=True,
    )

    objects = VisibleManager()

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        constraints = (
            models.UniqueConstraint(fields=["run", "object_id"], name="score_once"),
        )
        indexes = (
            models.Index(fields=["run", "value", "object_id"], name="score_by_value"),
            models.Index(fields=["run", "label"], name="score_by_label"),
            models.Index(
                fields=["run", "p_alive", "object_id"],
                name="score_by_p_alive",
                condition=Q(p_alive__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.run_id}/{self.object_id}"


class Cluster(models.Model):
    """A group of alike customers; ``number`` is kept from run to run."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="clusters")
    number = models.PositiveIntegerField(_("number"))
    name_key = models.JSONField(default=dict)
    size = models.PositiveBigIntegerField(_("size"))
    revenue = models.DecimalField(_("revenue"), max_digits=20, decimal_places=4)
    centre = models.JSONField(default=dict)

    objects = VisibleManager()
    access_shared = True

    class Meta:
        verbose_name = _("cluster")
        verbose_name_plural = _("clusters")
        ordering = ("run", "number")
        constraints = (
            models.UniqueConstraint(fields=["run", "number"], name="cluster_number"),
        )

    def __str__(self) -> str:
        return f"{self.run_id}/{self.number}"


class ClusterPart(models.Model):
    """How many customers of a cluster one person has; the lines are added up.

    Written when a segmentation ends; from then on a trigger adds a line for each change
    of owner and each deletion, so that the sums stay true and nobody waits for a lock.
    """

    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, related_name="parts", db_index=False
    )
    owner_id = models.BigIntegerField()
    cluster = models.PositiveIntegerField()
    size = models.BigIntegerField()

    objects = VisibleManager()

    class Meta:
        verbose_name = _("part of a cluster")
        verbose_name_plural = _("parts of clusters")
        indexes = (models.Index(fields=["run", "owner_id"], name="cluster_part"),)

    def __str__(self) -> str:
        return f"{self.run_id}/{self.cluster}/{self.owner_id}"


class CustomerSegment(models.Model):
    """Where the segmentation puts one customer."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="segments")
    customer_id = models.BigIntegerField()
    purchasing_power = models.CharField(max_length=1, blank=True)
    age_band = models.CharField(max_length=10, blank=True)
    region = models.CharField(max_length=120, blank=True)
    recency_days = models.FloatField(null=True)
    frequency = models.PositiveIntegerField(default=0)
    monetary = models.FloatField(default=0)
    r = models.PositiveSmallIntegerField(null=True)
    f = models.PositiveSmallIntegerField(null=True)
    m = models.PositiveSmallIntegerField(null=True)
    rfm_label = models.CharField(max_length=30, blank=True)
    cluster = models.PositiveIntegerField(null=True)
    x = models.FloatField(null=True)
    y = models.FloatField(null=True)

    objects = VisibleManager()

    class Meta:
        verbose_name = _("customer's segment")
        verbose_name_plural = _("customers' segments")
        constraints = (
            models.UniqueConstraint(
                fields=["run", "customer_id"], name="segment_once_per_customer"
            ),
        )
        indexes = (
            models.Index(fields=["run", "cluster"], name="segment_by_cluster"),
            models.Index(fields=["run", "rfm_label"], name="segment_by_rfm"),
            models.Index(fields=["run", "purchasing_power"], name="segment_by_power"),
        )

    def __str__(self) -> str:
        return f"{self.run_id}/{self.customer_id}"
