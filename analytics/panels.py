"""What the analyses say of an object, on the object's own page."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from analytics import lifetime, words
from analytics.jobs import SCORE_LEAD, SCORE_TICKET
from analytics.models import AnalysisKey, Run, Score
from analytics.presenting import main_figure, refusal
from analytics.selectors import membership, verdict
from crm.access import Verb, can, is_hidden
from crm.generic.panels import Panel
from crm.generic.registry import register_panel
from customers.models import Customer
from sales.choices import LeadState
from sales.models import Lead
from service.forms import CategoryForm
from service.models import Ticket, TicketCategory

MOST_REASONS = 5
# The field that a reason tells of, where it is not called as the field is.
FIELDS = {"month": "first_contact_on"}


def _model_url(key: str) -> str:
    return reverse("analytics:model", args=[key])


class SegmentPanel(Panel):
    """The groups that the customer is in."""

    title = _("Customer group")
    template = "analytics/_segment_panel.html"
    column = "side"
    order = 12
    requires = Run

    def get_context(self, request: HttpRequest, obj: Model) -> dict[str, Any]:
        """Return the classes of the customer in words."""
        found = membership(request.user, obj.pk)
        row, cluster = found.row, found.cluster
        context: dict[str, Any] = {
            "run": found.run,
            "row": row,
            "refused": refusal(found.latest),
            "model_url": _model_url(AnalysisKey.SEGMENTATION),
        }
        if row is not None:
            context |= {
                "cluster": words.cluster_name(cluster.name_key) if cluster else "",
                "power": words.word(words.POWER, row.purchasing_power),
                "age_band": words.age_band(row.age_band),
                "rfm": words.word(words.RFM, row.rfm_label),
                "currency": found.run.summary.get("currency", ""),
                "days": int(row.recency_days or 0),
            }
        return context


class LifetimeValuePanel(Panel):
    """What the customer will bring, with interval and reasons."""

    title = _("Lifetime value")
    template = "analytics/_ltv_panel.html"
    column = "side"
    order = 13
    requires = Run

    def get_context(self, request: HttpRequest, obj: Model) -> dict[str, Any]:
        """Return value, interval, and what it is made of."""
        found = verdict(request.user, AnalysisKey.LTV, obj.pk)
        run, score = found.run, found.score
        currency = run.summary.get("currency", "") if run else ""
        context = {
            "run": run,
            "score": score,
            "refused": refusal(found.latest),
            "currency": currency,
            "years": run.params.get("years") if run else None,
            "figure": main_figure(found.card),
            "model_url": _model_url(AnalysisKey.LTV),
        }
        if score is not None:
            level = found.card.get("interval_level")
            context |= {
                "range": lifetime.range_text(score, currency, level),
                "hint": lifetime.hint(score),
                "reasons": ltv_reasons(score),
            }
        return context


def ltv_reasons(score: Score) -> list[dict[str, Any]]:
    """Return what raises or lowers a value against the typical customer.

    That somebody still buys is no reason where it is not known.
    """
    unknown = "p_alive" if score.details.get("p_alive") is None else ""
    return [
        {
            "name": words.word(words.FEATURES, one["feature"]),
            "value": one["value"],
            "effect": one["effect"],
            "is_share": one["feature"] == "p_alive",
            "is_money": one["feature"] == "expected_value",
        }
        for one in score.reasons
        if one["feature"] != unknown
    ]


class LeadChancePanel(Panel):
    """The chance that the lead becomes a customer."""

    title = _("Chance")
    template = "analytics/_lead_chance.html"
    column = "side"
    order = 30
    requires = Run

    def visible(self, user: Any, obj: Model) -> bool:
        """Show it while the outcome is open."""
        is_open = obj.state in (LeadState.NEW, LeadState.WORKING)
        return is_open and super().visible(user, obj)

    def get_context(self, request: HttpRequest, obj: Model) -> dict[str, Any]:
        """Return the chance, its reasons, and how good such chances have been."""
        found = verdict(
            request.user, AnalysisKey.CONVERSION, obj.pk, f"{SCORE_LEAD}:{obj.pk}"
        )
        reasons = [
            one
            for one in (found.score.reasons if found.score else [])
            if not is_hidden(
                request.user, Lead, FIELDS.get(one["feature"], one["feature"])
            )
        ][:MOST_REASONS]
        return {
            "run": found.run,
            "score": found.score,
            "waiting": found.waiting,
            "refused": refusal(found.latest),
            "base_rate": found.card.get("base_rate"),
            "figure": main_figure(found.card),
            "reasons": [
                {"text": words.reason_text(one), "effect": one["effect"]}
                for one in reasons
            ],
            "poll_url": reverse("analytics:lead_chance", args=[obj.pk]),
            "model_url": _model_url(AnalysisKey.CONVERSION),
        }


class TicketSuggestionPanel(Panel):
    """The category that the ticket's words suggest."""

    title = _("Suggested category")
    template = "analytics/_ticket_suggestion.html"
    column = "side"
    order = 3
    requires = Run

    def get_context(self, request: HttpRequest, obj: Model) -> dict[str, Any]:
        """Return the suggestion with its chance and reasons, or the best three."""
        found = verdict(
            request.user, AnalysisKey.TICKET_CLASS, obj.pk, f"{SCORE_TICKET}:{obj.pk}"
        )
        score = found.score
        may_change = can(request.user, Verb.CHANGE, obj)
        context = {
            "run": found.run,
            "score": score,
            "waiting": found.waiting,
            "refused": refusal(found.latest),
            "figure": main_figure(found.card),
            "may_change": may_change,
            "poll_url": reverse("analytics:ticket_suggestion", args=[obj.pk]),
            "model_url": _model_url(AnalysisKey.TICKET_CLASS),
        }
        if score is None:
            return context
        best = self.best(request.user, score)
        return context | {
            "best": best,
            "first": best[0] if best else None,
            "reasons": [one["feature"] for one in score.reasons[:MOST_REASONS]],
            "form": CategoryForm(user=request.user) if may_change else None,
        }

    def best(self, user: Any, score: Score) -> list[dict[str, Any]]:
        """Return the likeliest categories that are in use, with their chances."""
        found = score.details.get("best") or [
            {"label": score.label, "probability": score.value}
        ]
        codes = [one["label"] for one in found]
        known = {
            one.code: one
            for one in TicketCategory.objects.visible_to(user).filter(
                code__in=codes, is_active=True
            )
        }
        return [
            {"category": known[one["label"]], "probability": one["probability"]}
            for one in found
            if one["label"] in known
        ]


register_panel(Customer, SegmentPanel)
register_panel(Customer, LifetimeValuePanel)
register_panel(Lead, LeadChancePanel)
register_panel(Ticket, TicketSuggestionPanel)
