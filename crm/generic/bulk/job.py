"""The job that changes more rows than a page can wait for."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.exceptions import UserVisibleError
from crm.generic.bulk.batch import Outcome
from crm.generic.bulk.run import KIND, BulkRun
from crm.jobs import JobHandle, job


@job(KIND, label=_("Change of many rows"))
def change_rows(handle: JobHandle, **params: Any) -> None:
    """Change the rows batch by batch; each batch notes where the next one begins.

    The rights of the owner are asked for again with each batch.
    """
    if handle.owner is None:
        raise UserVisibleError(_("The person who started this is gone."))
    run = BulkRun.from_params(handle.owner, params)
    after = handle.result.get("after", 0)
    outcome = Outcome.from_result(handle.result)
    total = run.expected or run.rows().count()
    while after is not None:
        run = run.as_today()
        with handle.publish(finish=False):
            after = run.step(after, outcome)
            handle.progress(min(outcome.seen, total), total, _("Changing the rows"))
            handle.result = {**run.result_of(outcome), "kind": KIND, "after": after}
    url = run.selection.list_url(run.pages)
    run.finish(outcome)
    handle.result = {**run.result_of(outcome), "kind": KIND, "url": url}
