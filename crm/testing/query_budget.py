"""How many queries a page may send, frozen beside the app's tests."""

from __future__ import annotations

import json
import os
from pathlib import Path

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

# Nothing may be frozen above these.
CEILING = {"list": 12, "board": 12, "detail": 20, "add": 20}
UPDATE = "UPDATE_QUERY_BUDGET"


def queries_of(client: Client, url: str) -> list[str]:
    """Return the queries of a page, after one visit that fills the caches."""
    assert client.get(url).status_code == 200, url
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(url)
        if response.streaming:
            b"".join(response.streaming_content)
    return [query["sql"] for query in captured.captured_queries]


class QueryBudget:
    """The frozen numbers of one app: {model: {page: queries}}."""

    def __init__(self, tests_folder: Path) -> None:
        self.file = tests_folder / "query_budget.json"

    def read(self) -> dict[str, dict[str, int]]:
        """Return the frozen numbers."""
        return json.loads(self.file.read_text("utf-8")) if self.file.exists() else {}

    def check(self, model: str, page: str, queries: list[str]) -> None:
        """Fail if a page sends more queries than frozen, or freeze the number."""
        listing = "\n".join(f"{place}. {sql}" for place, sql in enumerate(queries, 1))
        ceiling = CEILING.get(page, 20)
        count = len(queries)
        assert count <= ceiling, f"{count} queries; {ceiling} are allowed.\n{listing}"
        frozen = self.read()
        known = frozen.get(model, {}).get(page)
        if os.environ.get(UPDATE):
            frozen.setdefault(model, {})[page] = count
            text = json.dumps(frozen, indent=2, sort_keys=True)
            self.file.write_text(f"{text}\n", "utf-8")
            return
        assert known is not None, f"Run once with {UPDATE}=1 to freeze {count} queries."
        assert count <= known, f"{count} queries, {known} are frozen.\n{listing}"
