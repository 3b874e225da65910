"""Kinds of jobs: what each is called, where it runs, and the function that does it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

Handler = Callable[..., Any]
QUEUES = ("default", "analytics", "mail")


@dataclass(frozen=True)
class JobKind:
    """One kind of job, as its handler declares it."""

    name: str
    handler: Handler
    queue: str
    label: str | Promise
    max_attempts: int


class UnknownKindError(LookupError):
    """No app declares a job of this kind."""


_kinds: dict[str, JobKind] = {}


def job(
    kind: str,
    *,
    queue: str = "default",
    label: str | Promise = "",
    max_attempts: int = 5,
) -> Callable[[Handler], Handler]:
    """Declare a function as the handler of a kind of job.

    The function is called as ``fn(handle, **params)`` in a worker. It stands in
    ``<app>/jobs.py``, which every process loads: imports of pandas and its like belong
    inside the function.
    """
    if queue not in QUEUES:
        msg = f"Job {kind}: no worker serves the queue {queue!r}; use one of {QUEUES}."
        raise ValueError(msg)

    def declare(handler: Handler) -> Handler:
        known = _kinds.get(kind)
        if known is not None and known.handler.__module__ != handler.__module__:
            msg = f"Two handlers for jobs of kind {kind!r}."
            raise ValueError(msg)
        _kinds[kind] = JobKind(kind, handler, queue, label or kind, max_attempts)
        return handler

    return declare


def get_kind(name: str) -> JobKind:
    """Return the declaration of a kind, or raise UnknownKindError."""
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKindError(name) from None


def kind_label(name: str) -> str | Promise:
    """Return what people call this kind; the bare name if no app declares it now."""
    known = _kinds.get(name)
    return known.label if known else name
