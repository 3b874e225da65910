"""How quick the machine is just now: rented ones change from minute to minute."""

from __future__ import annotations

import time

ROUNDS = 150_000


def pace() -> float:
    """Return the ms of CPU that a fixed piece of Python takes, best of three.

    Figures of two runs are compared by their ratio to it.
    """
    return min(_piece() for _ in range(3)) * 1000


def _piece() -> float:
    started = time.thread_time()
    found: dict[int, str] = {}
    for number in range(ROUNDS):
        found[number & 1023] = f"{number}"
    return time.thread_time() - started
