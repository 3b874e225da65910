"""Pages travel compressed, and of a length that tells nothing."""

import gzip

import pytest

from crm.compression import compressed
from customers.models import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(world):
    Customer.objects.bulk_create(
        Customer(name=f"Oak {number}", owner=world.ana) for number in range(60)
    )
    return world.client("ana")


def get(client, accepted):
    return client.get("/customers/", headers={"accept-encoding": accepted})


def test_a_page_is_compressed_for_who_reads_it(client):
    response = get(client, "br, gzip")
    page = gzip.decompress(response.content).decode()
    assert response["Content-Encoding"] == "gzip"
    assert response["Content-Length"] == str(len(response.content))
    assert "Accept-Encoding" in response["Vary"]
    assert "Oak 49" in page
    assert len(response.content) < len(page) / 4


def test_others_get_it_as_it_is(client):
    for accepted in ("", "identity", "br"):
        response = get(client, accepted)
        assert not response.has_header("Content-Encoding")
        assert "Accept-Encoding" in response["Vary"]
        assert "Oak 49" in response.text


def test_the_length_tells_nothing():
    page = b"<p>the same page</p>" * 200
    answers = [compressed(page, 100) for _ in range(40)]
    assert {gzip.decompress(one) for one in answers} == {page}
    assert len({len(one) for one in answers}) > 5


def test_short_answers_and_files_are_left_to_django(client):
    short = client.get("/search/suggest/", headers={"accept-encoding": "gzip"})
    assert not short.has_header("Content-Encoding")
    streamed = client.get(
        "/customers/export/?format=csv", headers={"accept-encoding": "gzip"}
    )
    assert streamed["Content-Encoding"] == "gzip"
    content = gzip.decompress(b"".join(streamed.streaming_content))
    assert b"Oak 49" in content
