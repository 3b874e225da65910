"""Pages of the analyses: how they stand, what they found, how good they are."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from analytics import charts, presenting, services, words
from analytics.forms import LifetimeValueForm, RunForm
from analytics.models import AnalysisKey, Run
from analytics.panels import LeadChancePanel, TicketSuggestionPanel
from analytics.selectors import (
    analysis_state,
    analysis_states,
    card_of,
    runs_with_models,
    segments_page,
)
from crm.access import Verb, can, get_visible_or_404, require
from crm.audit import record
from crm.charts import Money, Number
from crm.models import Job
from sales.models import Lead
from service.models import Ticket

PAGE_SIZE = 50


def _crumbs(*more: tuple[str, str]) -> list[dict[str, str]]:
    found = [{"label": _("Analyses"), "url": reverse("analytics:overview")}]
    return found + [{"label": label, "url": url} for label, url in more]


@require_GET
@never_cache
def overview(request: HttpRequest) -> HttpResponse:
    """Show every analysis: its age, its main figure, and whether it beats its rule."""
    require(request.user, Verb.VIEW, Run)
    cards = [presenting.overview_card(one) for one in analysis_states(request.user)]
    context = {
        "title": _("Analyses"),
        "cards": cards,
        "may_run": can(request.user, Verb.RUN, Run),
    }
    return render(request, "analytics/overview.html", context)


@require_GET
@never_cache
def run_list(request: HttpRequest) -> HttpResponse:
    """List the runs that are kept, newest first."""
    require(request.user, Verb.VIEW, Run)
    runs = Run.objects.visible_to(request.user).defer("summary")
    key = request.GET.get("key", "")
    if key in AnalysisKey.values:
        runs = runs.filter(key=key)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        runs = runs.filter(pk__lt=before)
    page = list(runs.order_by("-pk")[: PAGE_SIZE + 1])
    older = {"key": key, "before": page[PAGE_SIZE - 1].pk if page[PAGE_SIZE:] else ""}
    context = {
        "title": _("Runs"),
        "breadcrumbs": _crumbs(),
        "runs": page[:PAGE_SIZE],
        "key": key,
        "keys": AnalysisKey.choices,
        "first_url": f"?{urlencode({'key': key})}" if before else "",
        "next_url": f"?{urlencode(older)}" if older["before"] else "",
    }
    return render(request, "analytics/run_list.html", context)


@require_GET
@never_cache
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one run: how it went, its log, and what came of it."""
    run = get_visible_or_404(runs_with_models(), request.user, pk)
    job = Job.objects.visible_to(request.user).filter(pk=run.job_id).first()
    context = {
        "title": _("%(analysis)s, run %(number)s")
        % {"analysis": run.get_key_display(), "number": run.pk},
        "breadcrumbs": _crumbs((_("Runs"), reverse("analytics:run_list"))),
        "run": run,
        "job": job,
        "with_log": True,
        "log_lines": list(job.log_lines.order_by("pk")[:500]) if job else [],
        "params": presenting.params(run),
        "result_url": presenting.result_url(run),
        **presenting.model_context(run),
    }
    return render(request, "analytics/run_detail.html", context)


def _form(key: str, last: Run | None, data: Any = None) -> RunForm:
    if key == AnalysisKey.LTV:
        return LifetimeValueForm(data, last=last.params if last else None)
    return RunForm(data)


def _model_response(
    request: HttpRequest, key: AnalysisKey, form: RunForm | None = None
) -> HttpResponse:
    state = analysis_state(request.user, key)
    shown = state.current or state.latest
    visible = Job.objects.visible_to(request.user)
    job = visible.filter(pk=state.job.pk).first() if state.job else None
    context = {
        "title": key.label,
        "breadcrumbs": _crumbs(),
        "key": key,
        "state": state,
        "run": shown,
        "job": job,
        "form": (form or _form(key, state.current)) if state.may_run else None,
        "refused": presenting.refusal(state.refused),
        "params": presenting.params(shown) if shown else [],
        "result_url": presenting.result_url(state.current),
        "about": presenting.ABOUT[key],
        **presenting.model_context(shown),
    }
    status = 400 if form is not None and form.errors else 200
    return render(request, "analytics/model.html", context, status=status)


@require_GET
@never_cache
def model_page(request: HttpRequest, key: AnalysisKey) -> HttpResponse:
    """Show how good the model of an analysis is, beside its rivals."""
    require(request.user, Verb.VIEW, Run)
    return _model_response(request, key)


@require_POST
def start(request: HttpRequest, key: AnalysisKey) -> HttpResponse:
    """Queue a run and show its progress."""
    require(request.user, Verb.RUN, Run)
    state = analysis_state(request.user, key)
    # The overview's button sends no parameters: the last ones are used again.
    if "as_of" not in request.POST and "discount_rate" not in request.POST:
        params = state.current.params if state.current else {}
        as_of = None
    else:
        form = _form(key, state.current, request.POST)
        if not form.is_valid():
            return _model_response(request, key, form)
        params, as_of = form.params(), form.cleaned_data["as_of"]
    moment = as_of and timezone.make_aware(datetime.combine(as_of, time.max))
    job = services.start_analysis(
        key=key, owner=request.user, as_of=moment, params=params
    )
    record(request.user, "started", job)
    if can(request.user, Verb.VIEW, job):
        return redirect(job)
    messages.info(
        request, _("Such a run waits already; its result will serve you too.")
    )
    return redirect("analytics:model", key)


@require_GET
@never_cache
def segments(request: HttpRequest) -> HttpResponse:
    """Show the groups of customers: where they lie, their size and worth."""
    require(request.user, Verb.VIEW, Run)
    page = segments_page(request.user)
    context: dict[str, Any] = {
        "title": _("Customer groups"),
        "breadcrumbs": _crumbs(),
        "page": page,
        "state": analysis_state(request.user, AnalysisKey.SEGMENTATION),
    }
    if page is None:
        context["refused"] = presenting.refusal(context["state"].refused)
        return render(request, "analytics/segments.html", context)
    currency = page.run.summary.get("currency", "")
    names = {one.number: words.cluster_name(one.name_key) for one in page.clusters}
    never = words.word(words.RFM, "never_bought")
    context |= {
        "currency": currency,
        "clusters": [presenting.cluster_row(one) for one in page.clusters],
        "scatter": charts.scatter(page.card, page.clusters),
        "sizes": charts.cluster_sizes(page.clusters),
        "values": charts.cluster_values(page.clusters, currency),
        "groups": presenting.group_charts(page.groups),
        "moves": [
            {
                "from": names.get(row["from"], never),
                "to": names.get(row["to"], never),
                "count": row["count"],
            }
            for row in page.migration
        ],
    }
    return render(request, "analytics/segments.html", context)


def _current(request: HttpRequest, key: str) -> dict[str, Any]:
    require(request.user, Verb.VIEW, Run)
    state = analysis_state(request.user, key)
    return {
        "breadcrumbs": _crumbs(),
        "state": state,
        "run": state.current,
        "card": card_of(state.current),
        "refused": presenting.refusal(state.refused),
    }


@require_GET
@never_cache
def lifetime_value(request: HttpRequest) -> HttpResponse:
    """Show what the customers are worth together and how that is spread."""
    context = _current(request, AnalysisKey.LTV)
    context["title"] = _("Lifetime value")
    if run := context["run"]:
        context |= {
            "summary": run.summary,
            "params": presenting.params(run),
            "distribution": charts.lifetime_values(run.summary),
        }
    return render(request, "analytics/lifetime_value.html", context)


@require_GET
@never_cache
def statistics(request: HttpRequest) -> HttpResponse:
    """Show age, income and gender by region."""
    context = _current(request, AnalysisKey.STATISTICS)
    context["title"] = _("Statistics by region")
    if run := context["run"]:
        tables = run.summary["tables"]
        context |= {
            "rows": presenting.region_rows(tables),
            "genders": words.GENDERS.values(),
            "charts": [
                charts.region_numbers(tables, "age", _("Age"), Number(1)),
                charts.region_numbers(tables, "income", _("Annual income"), Money()),
                charts.region_genders(tables),
            ],
        }
    return render(request, "analytics/statistics.html", context)


@require_GET
@never_cache
def ticket_suggestion(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the poll of a ticket's page."""
    ticket = get_visible_or_404(Ticket, request.user, pk)
    require(request.user, Verb.VIEW, Run)
    context = TicketSuggestionPanel().get_context(request, ticket)
    return render(
        request, TicketSuggestionPanel.template, {"object": ticket, **context}
    )


@require_GET
@never_cache
def lead_chance(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the poll of a lead's page."""
    lead = get_visible_or_404(Lead, request.user, pk)
    require(request.user, Verb.VIEW, Run)
    context = LeadChancePanel().get_context(request, lead)
    return render(request, LeadChancePanel.template, {"object": lead, **context})
