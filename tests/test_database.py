"""A connection that is kept between requests, and a server that ends it."""

import pytest
from django.db import connection

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
