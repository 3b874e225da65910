"""Columns and filters that the analyses add to the lists of lower apps."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import django_filters
from django.db.models import CharField, F, FloatField, IntegerField, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from analytics import words
from analytics.models import AnalysisKey, Cluster, CustomerSegment, Run, Score
from analytics.selectors import cluster_choices, currency_of_run, current_runs
from crm.generic.lookups import LookedUp, Named, looked_up
from crm.generic.registry import register_column, register_filter
from crm.generic.tables import Column, MoneyColumn, PercentColumn
from customers.models import Customer
from sales.models import Lead
from service.models import Ticket, TicketCategory

Annotate = Callable[[QuerySet, HttpRequest], QuerySet]


def segment_value(name: str, field: str, output: Any) -> Annotate:
    """Return what adds a field of the current segmentation to customers."""

    def annotate(queryset: QuerySet, request: HttpRequest) -> QuerySet:
        run = current_runs(request).get(AnalysisKey.SEGMENTATION)
        if run is None:
            return queryset.annotate(**{name: Value(None, output_field=output)})
        value = looked_up(CustomerSegment, "customer_id", field, run=run)
        return queryset.annotate(**{name: value})

    return annotate


def score_value(name: str, key: str, field: str = "value") -> Annotate:
    """Return what adds a figure of the current run to the rows of a list."""

    def annotate(queryset: QuerySet, request: HttpRequest) -> QuerySet:
        run = current_runs(request).get(key)
        if run is None:
            none = Value(None, output_field=FloatField())
            return queryset.annotate(**{name: none})
        return queryset.annotate(**{name: score_of(name, run, field)})

    return annotate


class ScoreValue(LookedUp):
    """A figure that a run gives to a row; joined, to list in its order."""

    def __init__(self, name: str, run_id: int, field: str) -> None:
        super().__init__(Score, "object_id", field, run=run_id)
        self.output_field = FloatField()
        self.name, self.run_id = name, run_id

    def join_in_order(self, queryset: QuerySet) -> QuerySet:
        """Read the rows by way of the index over (run, figure, object)."""
        score, table = Score._meta.db_table, queryset.model._meta.db_table
        condition = (
            f'"{score}"."run_id" = %s AND "{score}"."object_id" = "{table}"."id"'
        )
        column = f'"{score}"."{self.wanted}"'
        value = RawSQL(column, (), output_field=FloatField())  # noqa: S611
        joined = queryset.extra(  # noqa: S610
            tables=[score], where=[condition], params=[self.run_id]
        )
        return joined.annotate(**{self.name: value})


@lru_cache(maxsize=100)
def score_of(name: str, run_id: int, field: str) -> ScoreValue:
    """Return the figure of a run, put together once; see ``looked_up``."""
    return ScoreValue(name, run_id, field)


def cluster_annotation(queryset: QuerySet, request: HttpRequest) -> QuerySet:
    """Add the name of the customer's cluster."""
    number = segment_value("cluster_number", "cluster", IntegerField())
    run = current_runs(request).get(AnalysisKey.SEGMENTATION)
    clusters = Cluster.objects.filter(run=run or 0).values_list("number", "name_key")
    names = {number: words.cluster_name(key) for number, key in clusters if key}
    return number(queryset, request).annotate(cluster=Named(names, F("cluster_number")))


def lifetime_value(queryset: QuerySet, request: HttpRequest) -> QuerySet:
    """Add the lifetime value and its currency."""
    code = Value(currency_of_run(request, AnalysisKey.LTV), output_field=CharField())
    return score_value("lifetime_value", AnalysisKey.LTV)(queryset, request).annotate(
        lifetime_value_currency=code
    )


register_column(
    Customer,
    Column(
        "purchasing_power",
        _("Purchasing power"),
        annotate=segment_value("purchasing_power", "purchasing_power", CharField()),
        words=words.POWER,
        requires=Run,
        default=False,
    ),
)
register_column(
    Customer,
    Column(
        "rfm",
        _("Buying behaviour"),
        annotate=segment_value("rfm", "rfm_label", CharField()),
        words=words.RFM,
        requires=Run,
    ),
)
register_column(
    Customer,
    Column(
        "cluster",
        _("Customer group"),
        annotate=cluster_annotation,
        requires=Run,
        default=False,
    ),
)
register_column(
    Customer,
    MoneyColumn(
        "lifetime_value",
        _("Lifetime value"),
        currency="lifetime_value_currency",
        decimals=0,
        sort="lifetime_value",
        annotate=lifetime_value,
        requires=Run,
    ),
)
register_column(
    Customer,
    PercentColumn(
        "still_buying",
        _("Still buying"),
        sort="still_buying",
        annotate=score_value("still_buying", AnalysisKey.LTV, "p_alive"),
        requires=Run,
        default=False,
    ),
)
register_column(
    Lead,
    PercentColumn(
        "chance",
        _("Chance"),
        sort="chance",
        annotate=score_value("chance", AnalysisKey.CONVERSION),
        requires=Run,
    ),
)


def suggestion(queryset: QuerySet, request: HttpRequest) -> QuerySet:
    """Add the name of the category that the words of a ticket suggest."""
    run = current_runs(request).get(AnalysisKey.TICKET_CLASS)
    if run is None:
        none = Value(None, output_field=CharField())
        return queryset.annotate(suggested=none)
    categories = TicketCategory.objects.values_list("code", "name")
    names = {code: gettext(name) for code, name in categories if name}
    code = looked_up(Score, "object_id", "label", run=run, abstained=False)
    return queryset.annotate(suggested=Named(names, code))


register_column(
    Ticket,
    Column(
        "suggested",
        _("Suggested category"),
        annotate=suggestion,
        requires=Run,
        default=False,
    ),
)


def run_for(one: django_filters.Filter, key: str) -> int:
    """Return the id of the current run for a filter; 0, which no run has, without one.

    As a number and not by a join: only so the database knows how many rows to expect,
    and walks the list in its order instead of collecting all that fit.
    """
    request = one.parent.request
    if request is not None:
        return current_runs(request).get(key, 0)
    runs = Run.objects.filter(key=key, is_current=True)
    return runs.values_list("pk", flat=True).first() or 0


class SuggestionFilter(django_filters.ModelChoiceFilter):
    """Keep the tickets whose words suggest a category."""

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        """Narrow to the category."""
        if value is None:
            return qs
        run = run_for(self, AnalysisKey.TICKET_CLASS)
        rows = Score.objects.filter(run=run, label=value.code)
        return qs.filter(pk__in=rows.values("object_id"))


class SegmentFilter(django_filters.ChoiceFilter):
    """Keep the customers whom the current segmentation puts into a class."""

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        """Narrow to the class."""
        if value in (None, ""):
            return qs
        run = run_for(self, AnalysisKey.SEGMENTATION)
        rows = CustomerSegment.objects.filter(run=run, **{self.field_name: value})
        return qs.filter(pk__in=rows.values("customer_id"))


class ScoreRangeFilter(django_filters.RangeFilter):
    """Keep the rows for which a figure of the current run lies between two values.

    ``figure`` is a field of the scores; ``scale`` says how much is typed for 1.
    """

    def __init__(
        self,
        *args: Any,
        key: str,
        figure: str = "value",
        scale: float = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.key = key
        self.figure = figure
        self.scale = scale

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        """Narrow to the range; either end may be open."""
        if not value or (value.start is None and value.stop is None):
            return qs
        rows = Score.objects.filter(run=run_for(self, self.key))
        if value.start is not None:
            low = float(value.start) / self.scale
            rows = rows.filter(**{f"{self.figure}__gte": low})
        if value.stop is not None:
            high = float(value.stop) / self.scale
            rows = rows.filter(**{f"{self.figure}__lte": high})
        return qs.filter(pk__in=rows.values("object_id"))


register_filter(
    Customer,
    "purchasing_power",
    SegmentFilter(
        field_name="purchasing_power",
        label=_("Purchasing power"),
        choices=list(words.POWER.items()),
    ),
    requires=Run,
)
register_filter(
    Customer,
    "rfm",
    SegmentFilter(
        field_name="rfm_label",
        label=_("Buying behaviour"),
        choices=list(words.RFM.items()),
    ),
    requires=Run,
)
register_filter(
    Customer,
    "cluster",
    SegmentFilter(
        field_name="cluster", label=_("Customer group"), choices=cluster_choices
    ),
    requires=Run,
)
register_filter(
    Customer,
    "lifetime_value",
    ScoreRangeFilter(label=_("Lifetime value"), key=AnalysisKey.LTV),
    requires=Run,
)
register_filter(
    Customer,
    "still_buying",
    ScoreRangeFilter(
        label=_("Still buying in %"), key=AnalysisKey.LTV, figure="p_alive", scale=100
    ),
    requires=Run,
)
register_filter(
    Lead,
    "chance",
    ScoreRangeFilter(label=_("Chance in %"), key=AnalysisKey.CONVERSION, scale=100),
    requires=Run,
)
register_filter(
    Ticket,
    "suggested",
    SuggestionFilter(
        label=_("Suggested category"), queryset=TicketCategory.objects.all()
    ),
    requires=Run,
)
