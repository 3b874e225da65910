"""Tell the bench what an answer cost; only there while it measures."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse


class Counter:
    """Count statements and the time spent on them."""

    def __init__(self) -> None:
        self.queries = 0
        self.seconds = 0.0

    def __call__(
        self, execute: Callable, sql: str, params: Any, many: bool, context: dict
    ) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.queries += 1
            self.seconds += time.perf_counter() - started


class CostMiddleware:
    """Put queries, their time and the whole time into a header of the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        counter, started = Counter(), time.perf_counter()
        busy = time.thread_time()
        with connection.execute_wrapper(counter):
            response = self.get_response(request)
        whole = time.perf_counter() - started
        # Processor time alone: other work of the machine does not count.
        busy = time.thread_time() - busy
        response["Server-Timing"] = (
            f"sql;dur={counter.seconds * 1000:.2f};desc={counter.queries}, "
            f"app;dur={whole * 1000:.2f}, cpu;dur={busy * 1000:.2f}"
        )
        return response
