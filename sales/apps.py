"""The sales app."""

from typing import Any

from django.apps import AppConfig
from django.db import transaction
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

# (code, name, meaning, expected chance in %); the names are translated when shown.
DEFAULT_PIPELINE = gettext_noop("Sales pipeline")
DEFAULT_STAGES = (
    ("new", gettext_noop("New"), "open", 10),
    ("qualified", gettext_noop("Qualified"), "open", 25),
    ("proposal", gettext_noop("Proposal"), "open", 50),
    ("negotiation", gettext_noop("Negotiation"), "open", 75),
    ("won", gettext_noop("Won"), "won", 100),
    ("lost", gettext_noop("Lost"), "lost", 0),
)


@transaction.atomic
def add_default_pipeline(sender: AppConfig, **kwargs: Any) -> None:
    """Give a fresh database a pipeline; one that has any is left alone."""
    from sales.models import Pipeline, Stage

    if Pipeline.objects.exists():
        return
    pipeline = Pipeline.objects.create(name=DEFAULT_PIPELINE, is_default=True)
    Stage.objects.bulk_create(
        Stage(
            pipeline=pipeline,
            code=code,
            name=name,
            position=position,
            kind=kind,
            probability=probability,
        )
        for position, (code, name, kind, probability) in enumerate(DEFAULT_STAGES, 1)
    )


class SalesConfig(AppConfig):
    """Name the app, and give it a pipeline to begin with."""

    name = "sales"
    verbose_name = _("Sales")

    def ready(self) -> None:
        post_migrate.connect(add_default_pipeline, sender=self)
