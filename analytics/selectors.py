"""What the pages read; nothing here loads pandas."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.db.models import (
    Func,
    JSONField,
    Model,
    Prefetch,
    Q,
    QuerySet,
    Sum,
    prefetch_related_objects,
)
from django.http import HttpRequest

from analytics.models import (
    AnalysisKey,
    Cluster,
    ClusterPart,
    CustomerSegment,
    Run,
    RunState,
    Score,
)
from crm.access import Verb, can, owners_in_reach
from crm.models import Job, JobState, User
from crm.statements import KeptQuery, columns_of, read_one, row_of
from customers.models import Customer

UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
# Results that belong to a run as a whole; a page that does not show them saves them.
HEAVY = ("model_version__artefact",)


# Every list and page with a result asks it.
CURRENT = """
    SELECT json_agg(json_build_array(key, id, summary->>'currency'))::text
    FROM analytics_run WHERE is_current"""


def current_runs(request: HttpRequest) -> dict[str, int]:
    """Return {key: id of the current run}, asked once per request."""
    return {key: pk for key, (pk, _currency) in _current(request).items()}


def currency_of_run(request: HttpRequest, key: str) -> str:
    """Return the currency of the amounts that the current run holds."""
    return _current(request).get(key, (0, ""))[1] or ""


def _current(request: HttpRequest) -> dict[str, tuple[int, str | None]]:
    known = getattr(request, "_current_runs", None)
    if known is None:
        (found,) = read_one(CURRENT, [])
        rows = json.loads(found or "[]")
        known = request._current_runs = {key: (pk, code) for key, pk, code in rows}
    return known


def runs_with_models() -> QuerySet[Run]:
    """Return runs with their model's card, but not its file."""
    return Run.objects.select_related("model_version").defer(*HEAVY)


def current_or_newest(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Keep what is current and the last that ended of each analysis."""
    finished = Run.objects.exclude(state=RunState.RUNNING)
    newest = finished.order_by("key", "-started_at", "-pk").distinct("key")
    return runs.filter(Q(is_current=True) | Q(pk__in=newest.values("pk"))).order_by()


class WithoutDetails(Func):
    """A card without what only charts need: points and curves, up to 70 kB."""

    template = "(%(expressions)s - 'details')"
    output_field = JSONField()


AT_A_GLANCE = KeptQuery(
    lambda _user: current_or_newest(Run.objects.all()).values_list(
        *columns_of(Run), WithoutDetails("model_version__card")
    )
)


def runs_at_a_glance() -> list[Run]:
    """Return the current and newest runs with what their model's card says in short."""
    found = []
    for *values, glance in AT_A_GLANCE.rows(None):
        run = row_of(Run, values)
        run.glance = glance
        found.append(run)
    return found


def card_of(run: Run | None) -> dict[str, Any]:
    """Return the model card of a run; an empty one where there is none."""
    if run is None:
        return {}
    if run.model_version_id is not None:
        return getattr(run, "glance", None) or run.model_version.card
    return run.summary.get("card", {})


@dataclass(frozen=True)
class AnalysisState:
    """How one analysis stands: what is shown, what came last, what is under way."""

    key: AnalysisKey
    current: Run | None
    latest: Run | None
    job: Job | None
    may_run: bool

    @property
    def card(self) -> dict[str, Any]:
        """Return the card that the reader should judge by."""
        return card_of(self.current or self.latest)

    @property
    def refused(self) -> Run | None:
        """Return the last run if it ended without a result of its own."""
        latest = self.latest
        if latest is None or latest.is_current or latest.state == RunState.PUBLISHED:
            return None
        return latest


def analysis_states(
    user: User, *keys: str, with_jobs: bool = True
) -> list[AnalysisState]:
    """Return the state of some analyses, of all without a name; two queries.

    A card is large, and the newest run mostly is the current one: it is read once, and
    for all of them only in short.
    """
    if not can(user, Verb.VIEW, Run):
        return []
    wanted = [AnalysisKey(key) for key in keys] or list(AnalysisKey)
    if keys:
        runs = list(current_or_newest(runs_with_models().filter(key__in=wanted)))
    else:
        runs = runs_at_a_glance()
    current = {run.key: run for run in runs if run.is_current}
    latest = current | {run.key: run for run in runs if not run.is_current}
    jobs = unfinished_jobs(wanted) if with_jobs else {}
    may_run = can(user, Verb.RUN, Run)
    return [
        AnalysisState(key, current.get(key), latest.get(key), jobs.get(key), may_run)
        for key in wanted
    ]


def unfinished_jobs(keys: list[AnalysisKey]) -> dict[str, Job]:
    """Return the oldest job of each analysis that waits or runs."""
    found = Job.objects.filter(kind__in=keys, state__in=UNFINISHED)
    return {job.kind: job for job in found.select_related("owner").order_by("-pk")}


def analysis_state(user: User, key: str) -> AnalysisState:
    """Return the state of one analysis."""
    return analysis_states(user, key)[0]


# --- Segments ----------------------------------------------------------------


@dataclass(frozen=True)
class SegmentsPage:
    """The current segmentation as a whole."""

    run: Run
    clusters: list[Cluster]
    card: dict[str, Any]
    groups: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    migration: list[dict[str, Any]] = field(default_factory=list)


def segments_page(user: User) -> SegmentsPage | None:
    """Return the current segmentation; None without one."""
    run = (
        runs_with_models()
        .visible_to(user)
        .filter(key=AnalysisKey.SEGMENTATION, is_current=True)
        .first()
    )
    if run is None:
        return None
    return SegmentsPage(
        run=run,
        clusters=clusters_of(run),
        card=card_of(run),
        groups=run.summary.get("groups", {}),
        migration=run.summary.get("migration", []),
    )


def clusters_of(run: Run) -> list[Cluster]:
    """Return the groups of a run, which knows them from then on; the dearest first."""
    dearest_first = Cluster.objects.order_by("-revenue", "number")
    prefetch_related_objects([run], Prefetch("clusters", dearest_first))
    return list(run.clusters.all())


def visible_cluster_sizes(
    user: User, run: Run, owners: list[int] | None = None
) -> dict[int, int]:
    """Return how many of the customers that the person may see are in each cluster.

    With ``owners`` only the customers of these people count.
    """
    reach = owners_in_reach(user, Customer)
    if owners is not None:
        reach = owners if reach is None else sorted(set(owners) & set(reach))
    if reach is None:
        return {one.number: one.size for one in run.clusters.all()}
    # Kept by owner: to join a team's customers with their segments took 400 ms.
    parts = ClusterPart.objects.filter(run=run, owner_id__in=reach)
    return dict(parts.values_list("cluster").annotate(Sum("size")))


def cluster_choices() -> list[tuple[int, str]]:
    """Return the clusters of the current run for a filter."""
    from analytics.words import cluster_name

    rows = Cluster.objects.filter(
        run__key=AnalysisKey.SEGMENTATION, run__is_current=True
    )
    return [(one.number, cluster_name(one.name_key)) for one in rows]


# --- One object --------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What the current run says of one object, or why it says nothing."""

    run: Run | None
    latest: Run | None
    score: Score | None
    waiting: bool = False

    @property
    def card(self) -> dict[str, Any]:
        """Return what matters of the card: the main figure and the base rate."""
        run = self.run or self.latest
        if run is None:
            return {}
        return run.summary.get("head") or run.summary.get("card", {})


def _score_and_run(user: User, object_id: int, key: str) -> QuerySet:
    rows = Score.objects.filter(run__key=key, run__is_current=True, object_id=object_id)
    return rows.values_list(*columns_of(Score), *columns_of(Run, "run"))


SCORE_AND_RUN = KeptQuery(_score_and_run)
IS_WAITING = "SELECT id FROM crm_job WHERE dedupe_key = %s AND state = ANY(%s) LIMIT 1"


def verdict(user: User, key: str, object_id: int, job_key: str = "") -> Verdict:
    """Return what is known of one object; the caller has checked that it is visible.

    One query where there is a score, one more for a job that may be under way.
    """
    waiting = bool(job_key and read_one(IS_WAITING, [job_key, list(UNFINISHED)]))
    if not can(user, Verb.VIEW, Run):
        return Verdict(None, None, None)
    # One key has one current run, and a run scores an object once.
    for row in SCORE_AND_RUN.rows(user, object_id, key=str(key)):
        score, run = _with_run(Score, row)
        return Verdict(run, run, score, waiting)
    return Verdict(*current_and_latest(key), None, waiting)


def _with_run(model: type[Model], values: tuple) -> tuple[Any, Run]:
    """Return a row and its run from the values of both."""
    width = len(columns_of(model))
    row, run = row_of(model, values[:width]), row_of(Run, values[width:])
    row.run = run
    return row, run


def _current_and_latest(_user: None, key: str) -> QuerySet:
    finished = Run.objects.filter(key=key).exclude(state=RunState.RUNNING)
    newest = finished.values("pk")[:1]
    rows = finished.filter(Q(is_current=True) | Q(pk__in=newest))
    return rows.values_list(*columns_of(Run))


CURRENT_AND_LATEST = KeptQuery(_current_and_latest)


def current_and_latest(key: str) -> tuple[Run | None, Run | None]:
    """Return the current run and the last finished one of a key."""
    found = CURRENT_AND_LATEST.rows(None, key=str(key))
    rows = [row_of(Run, values) for values in found]
    current = next((row for row in rows if row.is_current), None)
    return current, rows[0] if rows else None


@dataclass(frozen=True)
class Membership:
    """Where the segmentation puts one customer."""

    run: Run | None
    latest: Run | None
    row: CustomerSegment | None
    cluster: Cluster | None


def _segment_and_run(user: User, customer_id: int) -> QuerySet:
    rows = CustomerSegment.objects.filter(
        run__key=AnalysisKey.SEGMENTATION,
        run__is_current=True,
        customer_id=customer_id,
    )
    return rows.values_list(*columns_of(CustomerSegment), *columns_of(Run, "run"))


SEGMENT_AND_RUN = KeptQuery(_segment_and_run)
CLUSTER = KeptQuery(
    lambda user, run, number: Cluster.objects.filter(
        run=run, number=number
    ).values_list(*columns_of(Cluster))
)


def membership(user: User, customer_id: int) -> Membership:
    """Return the groups of one customer that the caller may see; two queries."""
    key = AnalysisKey.SEGMENTATION
    if not can(user, Verb.VIEW, Run):
        return Membership(None, None, None, None)
    for values in SEGMENT_AND_RUN.rows(user, customer_id):
        row, run = _with_run(CustomerSegment, values)
        clusters = []
        if row.cluster is not None:
            clusters = CLUSTER.rows(user, run.pk, number=row.cluster)
        cluster = row_of(Cluster, clusters[0]) if clusters else None
        return Membership(run, run, row, cluster)
    return Membership(*current_and_latest(key), None, None)
