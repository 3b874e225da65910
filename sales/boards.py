"""How what is sold lies on a board."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Model, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from crm.generic.board import Board, since_last_move
from crm.generic.tables import DateColumn, MoneyColumn
from crm.models import User
from sales import services
from sales.choices import (
    LEAD_MOVES,
    ORDER_MOVES,
    STAGE_MOVES,
    LeadState,
    OrderState,
    StageKind,
)
from sales.models import Lead, Opportunity, Order, Stage, StageChange
from sales.tables import LEAD_COLOURS, ORDER_COLOURS, STAGE_COLOURS


def stages_for(opportunity: Opportunity) -> list[Stage]:
    """Return the stages that the opportunity may go to."""
    allowed = STAGE_MOVES[StageKind(opportunity.stage.kind)]
    stages = Stage.objects.filter(
        pipeline=opportunity.stage.pipeline_id, kind__in=allowed
    )
    return [stage for stage in stages if stage.pk != opportunity.stage_id]


def since_stage_change(model: type[Model]) -> Any:
    """Return since when an opportunity is in its stage, by its history."""
    changes = StageChange.objects.filter(opportunity=OuterRef("pk"))
    newest = changes.order_by("-at").values("at")[:1]
    return Coalesce(Subquery(newest), F("created_at"))


def move_opportunity(
    opportunity: Opportunity, stage: Stage, actor: User, reason: str
) -> None:
    """Move the opportunity to the stage."""
    services.move_stage(
        opportunity=opportunity, stage=stage, actor=actor, lost_reason=reason
    )


def move_lead(lead: Lead, state: str, actor: User, reason: str) -> None:
    """Take up, lose or reopen the lead."""
    services.move_lead(lead=lead, actor=actor, state=state, reason=reason)


def move_order(order: Order, state: str, actor: User, reason: str) -> None:
    """Move the order on."""
    services.move_order(order=order, actor=actor, state=state)


OPPORTUNITIES = Board(
    field="stage",
    group="pipeline",
    column_order=("-pipeline__is_default", "pipeline__name", "position"),
    moves=stages_for,
    move=move_opportunity,
    order=("-created_at", "-pk"),
    facts=("customer", MoneyColumn("amount"), DateColumn("expected_close"), "owner"),
    amount="amount",
    weight="probability",
    closed=lambda stage: stage.kind != StageKind.OPEN,
    closed_at="closed_at",
    asks=lambda stage: stage.kind == StageKind.LOST,
    reason_label=_("Why was it lost?"),
    colour=lambda stage: STAGE_COLOURS[StageKind(stage.kind)],
    since=since_stage_change,
    quick=("name", "customer", "amount"),
)

LEADS = Board(
    field="state",
    moves=lambda lead: LEAD_MOVES[LeadState(lead.state)],
    move=move_lead,
    order=("-first_contact_on", "-pk"),
    facts=("company", "source", "owner"),
    closed=lambda state: state in (LeadState.CONVERTED, LeadState.LOST),
    closed_at="closed_at",
    asks=lambda state: state == LeadState.LOST,
    reason_label=_("Why was it lost?"),
    elsewhere={LeadState.CONVERTED: "sales:lead_convert"},
    colour=LEAD_COLOURS.get,
    since=since_last_move("created_at"),
    quick=("name", "company", "phone"),
)

ORDERS = Board(
    field="state",
    moves=lambda order: ORDER_MOVES[OrderState(order.state)],
    move=move_order,
    order=("-placed_at", "-pk"),
    facts=("customer", MoneyColumn("total"), DateColumn("placed_at")),
    amount="total",
    closed=lambda state: state in (OrderState.COMPLETED, OrderState.CANCELLED),
    closed_at="placed_at",
    colour=ORDER_COLOURS.get,
    since=since_last_move("placed_at"),
)
