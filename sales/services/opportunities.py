"""Writes around opportunities; every move leaves a row of history."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit import record, stored_name
from crm.exceptions import UserVisibleError
from crm.models import User
from sales.choices import STAGE_MOVES, StageKind
from sales.models import Opportunity, Pipeline, Stage, StageChange
from sales.signals import announce, opportunity_moved


def first_stage(pipeline: Pipeline | None = None) -> Stage:
    """Return the stage where an opportunity begins."""
    stages = Stage.objects.filter(kind=StageKind.OPEN)
    if pipeline is not None:
        stages = stages.filter(pipeline=pipeline)
    stage = stages.order_by("-pipeline__is_default", "pipeline", "position").first()
    if stage is None:
        raise UserVisibleError(_("There is no pipeline with an open stage yet."))
    return stage


@transaction.atomic
def save_opportunity(
    *, opportunity: Opportunity, actor: User, changes: dict[str, Any] | None = None
) -> Opportunity:
    """Save a new or edited opportunity; only ``move_stage`` changes its stage."""
    is_new = opportunity.pk is None
    if is_new:
        if opportunity.stage.kind != StageKind.OPEN:
            raise UserVisibleError(_("A new opportunity begins in an open stage."))
        opportunity.closed_at = None
    else:
        stored = Opportunity.objects.select_for_update().get(pk=opportunity.pk)
        opportunity.stage = stored.stage
        opportunity.closed_at = stored.closed_at
    opportunity.full_clean()
    opportunity.save()
    if is_new:
        write_history(opportunity, None, actor)
    record(actor, "added" if is_new else "changed", opportunity, changes)
    announce(opportunity_moved, opportunity)
    return opportunity


@transaction.atomic
def move_stage(
    *, opportunity: Opportunity, stage: Stage, actor: User, lost_reason: str = ""
) -> Opportunity:
    """Move an opportunity to another stage of its pipeline and write the history."""
    # Locked first: of two moves at once the second one starts from the first one's end.
    opportunity = Opportunity.objects.select_for_update().get(pk=opportunity.pk)
    old = opportunity.stage
    require_move(old, stage)
    opportunity.stage = stage
    opportunity.closed_at = None if stage.kind == StageKind.OPEN else timezone.now()
    opportunity.lost_reason = lost_reason if stage.kind == StageKind.LOST else ""
    opportunity.full_clean()
    opportunity.save(update_fields=["stage", "closed_at", "lost_reason", "updated_at"])
    write_history(opportunity, old, actor)
    record(
        actor, "moved", opportunity, {"stage": [stored_name(old), stored_name(stage)]}
    )
    announce(opportunity_moved, opportunity)
    return opportunity


def win_opportunity(*, opportunity: Opportunity, actor: User) -> Opportunity:
    """Win the opportunity; a won one is final."""
    return move_stage(
        opportunity=opportunity,
        stage=end_stage(opportunity, StageKind.WON),
        actor=actor,
    )


def lose_opportunity(
    *, opportunity: Opportunity, actor: User, reason: str
) -> Opportunity:
    """Lose the opportunity and keep why."""
    if not reason.strip():
        raise UserVisibleError(_("Say why the opportunity was lost."))
    return move_stage(
        opportunity=opportunity,
        stage=end_stage(opportunity, StageKind.LOST),
        actor=actor,
        lost_reason=reason.strip(),
    )


def reopen_opportunity(*, opportunity: Opportunity, actor: User) -> Opportunity:
    """Take up a lost opportunity again, at the beginning."""
    stage = first_stage(opportunity.stage.pipeline)
    return move_stage(opportunity=opportunity, stage=stage, actor=actor)


def end_stage(opportunity: Opportunity, kind: StageKind) -> Stage:
    """Return the stage of the opportunity's pipeline that means won or lost."""
    stages = Stage.objects.filter(
        pipeline__stages__opportunities=opportunity, kind=kind
    )
    stage = stages.order_by("position").first()
    if stage is None:
        raise UserVisibleError(
            _("The pipeline has no stage that means “%(kind)s”.") % {"kind": kind.label}
        )
    return stage


def require_move(old: Stage, new: Stage) -> None:
    """Refuse a move that the table of moves does not know."""
    if old.pipeline_id != new.pipeline_id:
        raise UserVisibleError(_("These stages belong to different pipelines."))
    if old.pk == new.pk:
        raise UserVisibleError(
            _("The opportunity is in the stage “%(stage)s” already.") % {"stage": old}
        )
    if StageKind(new.kind) not in STAGE_MOVES[StageKind(old.kind)]:
        raise UserVisibleError(
            _("An opportunity that is “%(old)s” cannot become “%(new)s”.")
            % {"old": old, "new": new}
        )


def write_history(opportunity: Opportunity, old: Stage | None, actor: User) -> None:
    """Add a row to the history, which is never changed afterwards."""
    StageChange.objects.create(
        opportunity=opportunity,
        from_stage=old,
        to_stage=opportunity.stage,
        actor=actor,
        is_demo=opportunity.is_demo,
    )
