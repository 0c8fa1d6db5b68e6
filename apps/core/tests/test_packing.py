"""Long texts go out packed for those who read it, and nothing else does."""

import gzip
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory

from apps.core.middleware.packing import MOST_CHANCE, SHORTEST, SHORTEST_FOR_PROGRAMS, PackingMiddleware

PAGE = "<tr><td>coin</td></tr>" * 1_000
SHORT = "x" * (SHORTEST - 1)
JSON = "application/json"


def asked(
    response: HttpResponseBase, accepts: str = "gzip, deflate, br", headers: Mapping[str, str] = MappingProxyType({})
) -> HttpResponseBase:
    request = RequestFactory().get("/", headers={"Accept-Encoding": accepts, **headers})
    answer: Callable[[HttpRequest], HttpResponseBase] = lambda _request: response  # noqa: E731
    return PackingMiddleware(answer)(request)


def is_packed(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Encoding") == "gzip"


@pytest.mark.parametrize("accepts", ["gzip", "br;q=1.0, gzip;q=0.8", "deflate, GZIP", "*"])
def test_a_long_page_is_packed_and_says_its_new_length(accepts: str) -> None:
    response = asked(HttpResponse(PAGE, headers={"ETag": '"one"'}), accepts)
    assert isinstance(response, HttpResponse)
    assert gzip.decompress(response.content).decode() == PAGE
    assert response.headers["Content-Length"] == str(len(response.content))
    assert len(response.content) * 10 < len(PAGE)
    assert (response.headers["Vary"], response.headers["ETag"]) == ("Accept-Encoding", 'W/"one"')


@pytest.mark.parametrize("accepts", ["", "br", "gzip;q=0", "gzip;q=0.0, br", "notgzip"])
def test_who_does_not_read_it_gets_the_text_and_caches_are_told(accepts: str) -> None:
    response = asked(HttpResponse(PAGE), accepts)
    assert not is_packed(response)
    assert response.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(SHORT),
        HttpResponse(b"\x89" * SHORTEST, content_type="image/png"),
        HttpResponse(PAGE, headers={"Content-Encoding": "br"}),
        StreamingHttpResponse(iter([PAGE])),
    ],
    ids=["short", "a picture", "packed otherwise", "a stream"],
)
def test_what_gains_nothing_is_left_alone(response: HttpResponseBase) -> None:
    answered = asked(response)
    assert not is_packed(answered)
    assert "Vary" not in answered.headers


def test_programs_get_small_answers_as_they_are() -> None:
    token = {"Authorization": "Bearer some"}
    assert not is_packed(asked(HttpResponse("1," * 8_000, content_type=JSON), headers=token))
    assert is_packed(asked(HttpResponse("1," * SHORTEST_FOR_PROGRAMS, content_type=JSON), headers=token))


def test_the_length_of_the_same_page_is_left_to_chance() -> None:
    lengths = {int(asked(HttpResponse(PAGE)).headers["Content-Length"]) for _ in range(60)}
    assert len(lengths) > 10
    assert max(lengths) - min(lengths) < MOST_CHANCE


@pytest.mark.django_db
def test_the_product_packs_the_document_of_its_api_and_knows_its_tag_again(client: Client) -> None:
    first = client.get("/api/schema/", headers={"Accept-Encoding": "gzip"})
    assert is_packed(first)
    assert gzip.decompress(first.content).startswith(b"{")
    again = client.get("/api/schema/", headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]})
    assert again.status_code == HTTPStatus.NOT_MODIFIED
