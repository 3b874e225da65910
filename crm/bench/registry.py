"""Find what the apps fill in and measure."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

from django.apps import apps

if TYPE_CHECKING:
    from crm.bench.fill import Step
    from crm.bench.measures import Measure


def parts() -> Iterator[ModuleType]:
    """Yield the modules that declare something, those of the lowest app first."""
    yield import_module("crm.bench.staff")
    yield import_module("crm.notifications.bench")
    for config in apps.get_app_configs():
        name = f"{config.name}.bench"
        if config.name != "crm" and find_spec(name) is not None:
            yield import_module(name)
    yield import_module("crm.search.bench")


def steps() -> list[Step]:
    """Return the steps of the fill in their order."""
    return [step for part in parts() for step in getattr(part, "STEPS", ())]


def measures() -> list[Measure]:
    """Return everything that is measured, in the order of the table."""
    return [one for part in parts() for one in getattr(part, "MEASURES", ())]
