"""What a browser sends for a form, and what came of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse


def assert_went_through(response: HttpResponse) -> None:
    """Assert that a form was taken; say what was wrong with it otherwise."""
    if response.status_code == 302:
        return
    form = response.context and response.context.get("form")
    formset = response.context and response.context.get("formset")
    errors = [form and form.errors, formset and formset.errors]
    pytest.fail(f"{response.status_code}: {errors}")


def without_none(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data as a browser sends it."""
    sent = {}
    for name, value in data.items():
        if value is None or value is False:
            continue
        if isinstance(value, list | tuple):
            value = [getattr(one, "pk", one) for one in value]
        sent[name] = value
    return sent


def formset_data(
    formset: Any, rows: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Return what a browser sends for a formset: its rows as shown, then new ones."""
    prefix = formset.prefix
    data: dict[str, Any] = {}
    for form in formset.initial_forms:
        for name in form.fields:
            data[form.add_prefix(name)] = form[name].value()
    first = formset.initial_form_count()
    for place, row in enumerate(rows or [], start=first):
        for name, value in row.items():
            data[f"{prefix}-{place}-{name}"] = value
    return without_none(data) | {
        f"{prefix}-TOTAL_FORMS": first + len(rows or []),
        f"{prefix}-INITIAL_FORMS": first,
    }
