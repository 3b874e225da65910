"""Addresses of pages: a list asks for one per row, the menu alone for twenty."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.urls import get_script_prefix, reverse


def address_of(name: str, pk: Any = None) -> str:
    """Return the address of a page by its name; of a row's page with its number."""
    if pk is None:
        return _plain(name, get_script_prefix())
    start, end = _around_number(name, get_script_prefix())
    return f"{start}{pk}{end}"


def row_addresses(name: str) -> Callable[[Any], str]:
    """Return what gives the address of a row's page by its number, for many rows."""
    start, end = _around_number(name, get_script_prefix())
    return lambda pk: f"{start}{pk}{end}"


@cache
def _around_number(name: str, script_prefix: str) -> tuple[str, str]:
    """Return what stands before and after the number; no address changes while it runs.

    Raises NoReverseMatch for a name without a page.
    """
    url = reverse(name, args=[0])
    start, _number, end = url.rpartition("0")
    return start, end


@cache
def _plain(name: str, script_prefix: str) -> str:
    return reverse(name)
