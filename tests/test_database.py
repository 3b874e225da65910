"""A connection that is kept between requests, and a server that ends it."""

import datetime

import pytest
from django.db import connection

from crm.models import Tag

pytestmark = pytest.mark.django_db(transaction=True)


def server_process():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def begin_request():
    """Do what Django does before each."""
    connection.close_if_unusable_or_obsolete()


def test_a_connection_that_works_is_kept():
    first = server_process()
    begin_request()
    assert connection.is_usable()
    assert server_process() == first


def test_a_connection_that_the_server_ended_is_opened_anew():
    first = server_process()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    other.close()
    begin_request()
    assert server_process() != first


def test_a_connection_that_was_closed_here_is_opened_anew():
    server_process()
    connection.connection.close()
    assert not connection.is_usable()
    begin_request()
    assert server_process()


def test_moments_are_read_in_utc_by_every_cursor():
    moment = datetime.datetime(2026, 3, 29, 1, 30, 15, 250_000, tzinfo=datetime.UTC)
    tag = Tag.objects.create(name="Early")
    Tag.objects.update(created_at=moment)
    for found in (Tag.objects.get(), next(Tag.objects.iterator())):
        assert found.pk == tag.pk
        assert found.created_at == moment
        assert found.created_at.tzinfo is datetime.UTC
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'Asia/Shanghai'")
        cursor.execute("SELECT created_at FROM crm_tag")
        assert cursor.fetchone() == (moment,)
    connection.close()
