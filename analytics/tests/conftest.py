"""Histories and finished runs for the tests of the analyses."""

import pytest
from django.utils import translation

from analytics.models import Run
from analytics.services import start_analysis
from analytics.tests.history import NOW, add_customers, add_orders
from crm.testing.workers import run_jobs, worker
from crm.testing.world import make_world

__all__ = ["worker"]


@pytest.fixture(autouse=True)
def english():
    """Begin every test in English, whatever language the one before left active."""
    with translation.override("en"):
        yield


@pytest.fixture
def world(db):
    """Return the cast: Ana represents, Ben manages sales, Dev administers."""
    return make_world()


@pytest.fixture
def history(db):
    """Return 120 customers with two years of orders."""
    customers = add_customers(120)
    add_orders(customers)
    return customers


@pytest.fixture
def run(db):
    """Return a function that queues an analysis, works it off and returns its run."""

    def work_off(key, **kwargs):
        job = start_analysis(key=key, as_of=kwargs.pop("as_of", NOW), **kwargs)
        run_jobs()
        job.refresh_from_db()
        return Run.objects.get(job=job)

    return work_off
