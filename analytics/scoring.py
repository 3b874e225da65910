"""Score single new objects with the current model, in a worker, within moments."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from analytics.models import AnalysisKey, Run, Score
from analytics.services import current_run, load_model
from crm.statements import read_one

logger = logging.getLogger(__name__)

# The model of each key that this process used last: loading one costs up to a second.
_loaded: dict[str, tuple[Run, Any]] = {}
PORTION = 2_000
# Asked for each object; to put them together anew would take a tenth of the time.
CURRENT = "SELECT id FROM analytics_run WHERE key = %s AND is_current"
LOCKED = "SELECT id FROM analytics_run WHERE id = %s FOR NO KEY UPDATE"

MISSING = {
    AnalysisKey.TICKET_CLASS: """
        SELECT t.id FROM service_ticket t
        WHERE t.category_id IS NULL AND NOT EXISTS (
            SELECT FROM analytics_score s
            WHERE s.run_id = %(run)s AND s.object_id = t.id)
        ORDER BY t.id LIMIT %(limit)s
    """,
    AnalysisKey.CONVERSION: """
        SELECT l.id FROM sales_lead l
        WHERE l.state IN ('new', 'working') AND NOT EXISTS (
            SELECT FROM analytics_score s
            WHERE s.run_id = %(run)s AND s.object_id = l.id)
        ORDER BY l.id LIMIT %(limit)s
    """,
}


def current_model(key: str) -> tuple[Run, Any] | None:
    """Return the current run and its model, from memory where it is the last one."""
    known = _loaded.get(key)
    # Its key alone: the run with its card costs more than all else but the text.
    if known and read_one(CURRENT, [key]) == (known[0].pk,):
        return known
    run = current_run(key)
    if run is None:
        return None
    # Where there is no model yet, no library is loaded: that takes four seconds.
    from analytics.ml.artefacts import StaleArtefact

    try:
        model = load_model(run)
    except StaleArtefact as error:
        logger.warning("The model of %s cannot be used: %s", key, error)
        return None
    if model is None:
        return None
    _loaded[key] = run, model
    return run, model


def score_objects(key: str, ids: list[int]) -> int:
    """Score some objects by the current model; returns how many got a result."""
    found = current_model(key)
    if found is None:
        return 0
    with _threads().limit(limits=1):
        return _score(key, ids, *found)


@cache
def _threads() -> Any:
    """Return what holds the libraries to one thread; to look for them takes a while.

    Loading the model has loaded all of them by then.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def score_missing(key: str, run: Run, model: Any) -> int:
    """Score what was saved while the run was at work."""
    done = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(MISSING[AnalysisKey(key)], {"run": run.pk, "limit": PORTION})
            ids = [row[0] for row in cursor.fetchall()]
        written = _score(key, ids, run, model) if ids else 0
        done += written
        if not written:
            return done


def _score(key: str, ids: list[int], run: Run, model: Any) -> int:
    rows = _rows(key, ids, model)
    fields = ("value", "low", "high", "label", "abstained", "reasons", "details")
    scores = [
        Score(run=run, object_id=pk, **dict(zip(fields, values, strict=True)))
        for pk, *values in rows
    ]
    with transaction.atomic():
        # The run may be gone by now: a newer one was published and this one pruned.
        if read_one(LOCKED, [run.pk]) is None:
            return 0
        Score.objects.bulk_create(
            scores,
            update_conflicts=True,
            unique_fields=["run", "object_id"],
            update_fields=fields,
        )
    return len(scores)


def _rows(key: str, ids: list[int], model: Any) -> list[Any]:
    from analytics import datasets

    if key == AnalysisKey.TICKET_CLASS:
        from analytics.analyses import ticket_class

        # A ticket may be dated ahead of our clock by another machine's.
        frame = datasets.tickets_by_id(_far_ahead(), ids)
        return ticket_class.rows_of(model, frame) if len(frame) else []
    from analytics.analyses import conversion

    frame = datasets.leads(_far_ahead(), conversion.MATURITY_DAYS, ids)
    columns = [*datasets.LEAD_FEATURES, conversion.TIME]
    return conversion.rows_of(model, frame[columns]) if len(frame) else []


def _far_ahead() -> Any:
    return timezone.now() + timedelta(days=1)


def warm_up(*, libraries: bool) -> None:
    """Load the current models before the first object comes, the libraries anyway."""
    if libraries:
        from analytics.analyses import get_analysis

        for key in MISSING:
            get_analysis(key)
    for key in MISSING:
        current_model(str(key))
