"""Move rows between Postgres and pandas by COPY."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from django.db import connection, models


def read_frame(
    sql: str, params: Mapping[str, Any], dtypes: Mapping[str, str], *, index: str
) -> pd.DataFrame:
    """Return the rows of a query; text columns hold "" where the database holds NULL.

    COPY as CSV moves a row about ten times as fast as a cursor does.
    """
    buffer = io.BytesIO()
    with connection.cursor() as cursor:
        copy_out = f"COPY ({sql}) TO STDOUT (FORMAT csv, HEADER true)"
        with cursor.copy(copy_out, params) as copy:
            for block in copy:
                buffer.write(block)
    buffer.seek(0)
    frame = pd.read_csv(
        buffer, dtype=dict(dtypes), keep_default_na=False, na_values=[""]
    )
    texts = [name for name, dtype in dtypes.items() if dtype == "str"]
    frame[texts] = frame[texts].fillna("")
    return frame.set_index(index)


def fetch_frame(sql: str, params: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows of a query by a plain cursor: for texts with any character."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column.name for column in cursor.description]
        return pd.DataFrame(cursor.fetchall(), columns=names)


def copy_rows(
    model: type[models.Model], fields: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Append rows to a model's table and return how many they were."""
    meta = model._meta
    quote = connection.ops.quote_name
    columns = ", ".join(quote(meta.get_field(name).column) for name in fields)
    json_places = {
        place
        for place, name in enumerate(fields)
        if isinstance(meta.get_field(name), models.JSONField)
    }
    count = 0
    with connection.cursor() as cursor:
        copy_in = f"COPY {quote(meta.db_table)} ({columns}) FROM STDIN"
        with cursor.copy(copy_in) as copy:
            for row in rows:
                copy.write_row(
                    [
                        json.dumps(value) if place in json_places else value
                        for place, value in enumerate(row)
                    ]
                )
                count += 1
    return count
