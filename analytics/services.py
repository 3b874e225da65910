"""Start and run analyses; pandas is loaded only where one runs."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analytics import words
from analytics.models import (
    Cluster,
    CustomerSegment,
    ModelVersion,
    Run,
    RunState,
    Score,
)
from crm.exceptions import UserVisibleError
from crm.jobs import JobCancelled, JobHandle, LeaseLost, enqueue
from crm.jobs.runner import is_interruption
from crm.models import Job, JobState, User

if TYPE_CHECKING:
    from analytics.analyses.base import Analysis, Dataset
    from analytics.ml.base import Card

logger = logging.getLogger(__name__)

KEPT_RUNS = 5
# The parts of a run on its progress bar, in per cent.
READ, LEARNED, SCORED = 15, 60, 95
RESULTS = (Score, CustomerSegment, Cluster)


def start_analysis(
    *,
    key: str,
    owner: User | None = None,
    as_of: datetime | None = None,
    params: dict[str, Any] | None = None,
) -> Job:
    """Queue one analysis; a run of it that waits already is joined."""
    wanted: dict[str, Any] = {"params": params or {}}
    if as_of is not None:
        wanted["as_of"] = as_of.isoformat()
    with transaction.atomic():
        job = enqueue(key, owner=owner, params=wanted, dedupe_key=f"analysis:{key}")
        if job.params != wanted:
            # One waits already; enqueue() holds its row, so it has not begun.
            job.params = wanted
            job.save(update_fields=["params"])
    return job


def signing_key() -> bytes:
    """Return the key that model files are signed with; it follows SECRET_KEY."""
    return salted_hmac("analytics.model", "artefact", algorithm="sha256").digest()


def current_run(key: str) -> Run | None:
    """Return the run whose results are shown."""
    return (
        Run.objects.filter(key=key, is_current=True)
        .select_related("model_version")
        .defer("model_version__artefact")
        .first()
    )


def run_analysis(
    key: str,
    job: JobHandle,
    *,
    as_of: datetime | None = None,
    params: dict[str, Any] | None = None,
) -> Run:
    """Compute one analysis; its results become the current ones all at once.

    Safe to be called again for the same job: what an earlier attempt left half done is
    thrown away, and the old results stay until the new ones are complete.
    """
    from threadpoolctl import threadpool_limits

    from analytics.analyses import get_analysis

    analysis = get_analysis(key)
    discard_unfinished(key, job.id)
    run = Run.objects.create(
        key=key,
        job_id=job.id,
        as_of=as_of or timezone.now(),
        params=params or {},
    )
    try:
        # Workers share the cores; threads that wait for each other cost up to tenfold.
        with threadpool_limits(1):
            return Runner(analysis, run, job).compute(as_of, params or {})
    except LeaseLost:
        raise
    except JobCancelled:
        close_run(run, RunState.CANCELLED, "")
        raise
    except Exception as error:
        # After an interruption the job runs again and throws this run away.
        if not job.published and not is_interruption(error):
            visible = isinstance(error, UserVisibleError)
            close_run(run, RunState.FAILED, str(error) if visible else "")
        raise


def discard_unfinished(key: str, job_id: int) -> None:
    """Remove what dead attempts left: this job's, and those of jobs given up."""
    unfinished = Run.objects.filter(key=key, state=RunState.RUNNING)
    unfinished.filter(job_id=job_id).delete()
    alive = [JobState.QUEUED, JobState.RUNNING]
    for run in unfinished.exclude(job__state__in=alive):
        close_run(run, RunState.FAILED, "")


def close_run(run: Run, state: str, reason: str) -> None:
    """Note that a run ended without results, and drop the rows it had written."""
    for model in RESULTS:
        model.objects.filter(run=run).delete()
    Run.objects.filter(pk=run.pk, state=RunState.RUNNING).update(
        state=state, reason=reason, finished_at=timezone.now()
    )


class Runner:
    """One run of one analysis, step by step."""

    def __init__(self, analysis: Analysis, run: Run, job: JobHandle) -> None:
        self.analysis = analysis
        self.run = run
        self.job = job
        self.started = time.monotonic()

    def compute(self, as_of: datetime | None, params: dict[str, Any]) -> Run:
        """Go through all steps and return the finished run."""
        analysis, run, job = self.analysis, self.run, self.job
        run.params = analysis.clean_params(params)
        run.as_of = as_of or analysis.default_as_of()
        run.save(update_fields=["params", "as_of"])
        job.progress(0, 100, _("Reading the data"))
        data = analysis.extract(run.as_of, run.params)
        run.rows = data.rows
        day = date_format(timezone.localtime(run.as_of), "DATETIME_FORMAT")
        job.log(_("%(rows)s rows as of %(date)s") % {"rows": data.rows, "date": day})
        job.progress(READ, 100, _("Learning"))
        previous = self.previous_model()
        trained = analysis.train(
            data, run.params, previous=previous, on_progress=self.learning
        )
        card = analysis.evaluate(trained, data)
        self.log_card(card)
        if not card.enough_history:
            return self.finish(RunState.NOT_ENOUGH, card, data)
        if not analysis.is_better(card):
            return self.finish(RunState.NOT_BETTER, card, data)
        job.progress(LEARNED, 100, _("Scoring"))
        self.score(trained.model, data)
        run.summary = analysis.summarise(run, trained.model, data, run.params)
        job.progress(SCORED, 100, _("Publishing"))
        self.finish(RunState.PUBLISHED, card, data, trained.model)
        analysis.after_publish(run, trained.model)
        return run

    def learning(self, done: int, total: int) -> None:
        """Move the progress bar while the model learns."""
        share = done / max(total, 1)
        self.job.progress(int(READ + (LEARNED - READ) * share), 100)

    def previous_model(self) -> Any:
        """Return the current run's model; None without one that can be read."""
        from analytics.ml.artefacts import StaleArtefact

        if not self.analysis.learns:
            return None
        try:
            return load_model(current_run(self.run.key))
        except StaleArtefact as error:
            self.job.log(_("The last model cannot be used: %s") % error, "warning")
            return None

    def score(self, model: Any, data: Dataset) -> None:
        """Write the results under the run's id, portion by portion."""
        total, done = self.analysis.scored_rows(data), 0
        for rows in self.analysis.score(model, data, self.run.params):
            done += self.analysis.write(self.run, rows)
            share = done / max(total, 1)
            place = int(LEARNED + (SCORED - LEARNED) * share)
            self.job.progress(place, 100, _("Scoring"))

    def log_card(self, card: Card) -> None:
        """Write the figures into the job's log."""
        for name, figure in card.figures.items():
            text = words.figure_text(name, figure.value)
            self.job.log(f"{words.figure_name(name)}: {text}")
        if card.reason:
            self.job.log(words.note(card.reason.to_json()), "warning")

    def finish(self, state: str, card: Card, data: Dataset, model: Any = None) -> Run:
        """Close the run; only a published one takes the place of the current one."""
        run = self.run
        blob, data_hash = self.pack(model, data) if model is not None else (None, "")
        found = card_json(card, data, better=state == RunState.PUBLISHED)
        with self.job.publish():
            run.model_version = self.keep_version(card, data, found, blob, data_hash)
            if state == RunState.PUBLISHED:
                Run.objects.filter(key=run.key, is_current=True).update(
                    is_current=False
                )
            else:
                run.summary = {"card": found}
                run.reason = card.reason.text if card.reason else ""
            run.summary["head"] = head_of(found)
            run.state = state
            run.data_hash = data_hash
            run.is_current = state == RunState.PUBLISHED
            run.finished_at = timezone.now()
            run.save()
            self.job.result = self.outcome(found)
        prune(run.key)
        return run

    def pack(self, model: Any, data: Dataset) -> tuple[bytes | None, str]:
        """Return the signed model file and the hash of what it learned from."""
        from analytics.analyses.base import data_hash
        from analytics.ml import artefacts

        digest = data_hash(data)
        if not self.analysis.learns:
            return None, digest
        meta = {"key": self.run.key, "as_of": self.run.as_of.isoformat()}
        blob = artefacts.dumps(model, key=signing_key(), data_hash=digest, meta=meta)
        return blob, digest

    def keep_version(
        self,
        card: Card,
        data: Dataset,
        found: dict[str, Any],
        blob: bytes | None,
        data_hash: str,
    ) -> ModelVersion | None:
        """Write the trained model with its card; nothing where nothing was trained."""
        if not card.enough_history:
            return None
        run = self.run
        numbers = ModelVersion.objects.filter(key=run.key).aggregate(top=Max("number"))
        start, end = data.window or (card.window_start, card.window_end)
        return ModelVersion.objects.create(
            key=run.key,
            number=(numbers["top"] or 0) + 1,
            algorithm=card.algorithm[:200],
            as_of=run.as_of,
            window_start=moment(start),
            window_end=moment(end),
            rows=card.rows,
            data_hash=data_hash,
            card=found,
            artefact=blob,
        )

    def outcome(self, card: dict[str, Any]) -> dict[str, Any]:
        """Return what the job's row and the command say about the run."""
        run = self.run
        rule, reason = card["simple_rule"] or {}, card["reason"] or {}
        return {
            "key": run.key,
            "state": str(run.state),
            "run": run.pk,
            "rows": run.rows,
            "seconds": round(time.monotonic() - self.started, 2),
            "published": run.is_current,
            "main_figure": card["main_figure"],
            "figures": card["figures"],
            "simple_rule": rule.get("figures", {}),
            "reason": reason.get("text", ""),
            "url": run.get_absolute_url(),
        }


def card_json(card: Card, data: Dataset, *, better: bool) -> dict[str, Any]:
    """Return the card with the remarks of the extraction and our verdict."""
    found = card.to_json()
    found["warnings"] += [note.to_json() for note in data.notes]
    found["beats_rule"] = better
    return found


def head_of(found: dict[str, Any]) -> dict[str, Any]:
    """Return what every page with a score says of its model: a card cut short."""
    main = found["main_figure"]
    rule = (found["simple_rule"] or {}).get("figures", {})
    return {
        "main_figure": main,
        "figures": {main: found["figures"].get(main)},
        "simple_rule": {"figures": {main: rule.get(main)}},
        "beats_rule": found["beats_rule"],
        "enough_history": found["enough_history"],
        "reason": found["reason"],
        "base_rate": found["base_rate"],
        "interval_level": found["details"].get("interval_level"),
    }


def moment(value: Any) -> datetime | None:
    """Return a day or a time as an aware time; None for nothing."""
    if value is None or value != value:
        return None
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001
    return timezone.make_aware(value) if timezone.is_naive(value) else value


def load_model(run: Run | None) -> Any:
    """Return the model of a run; None without one, StaleArtefact if it is no use."""
    from analytics.ml import artefacts

    if run is None or run.model_version_id is None:
        return None
    version = ModelVersion.objects.only("artefact").get(pk=run.model_version_id)
    if version.artefact is None:
        return None
    return artefacts.loads(version.artefact, key=signing_key()).model


def prune(key: str) -> None:
    """Delete all but the newest runs with their results; their cards stay."""
    finished = Run.objects.filter(key=key).exclude(state=RunState.RUNNING)
    kept = list(finished.values_list("pk", flat=True)[:KEPT_RUNS])
    finished.exclude(pk__in=kept).exclude(is_current=True).delete()
    ModelVersion.objects.filter(key=key, runs=None, artefact__isnull=False).update(
        artefact=None
    )
