"""Around every request: its id in and out, and 503 instead of 500 while something is away."""

import io
import json
import logging
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from kombu.exceptions import OperationalError as BrokerError
from pytest_django import Settings
from redis.exceptions import ConnectionError as RedisConnectionError

from apps.core.logs import current_request_id, make_handler
from apps.core.middleware import OutageMiddleware, RequestIdMiddleware

ERRORS = {
    "database": OperationalError("connection refused"),
    "interface": InterfaceError("connection already closed"),
    "redis": RedisConnectionError("refused"),
    "broker": BrokerError("refused"),
    "bug": ZeroDivisionError("a bug"),
}


def fail(_request: HttpRequest, what: str) -> HttpResponse:
    raise ERRORS[what]


def fine(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(current_request_id())


urlpatterns = [path("fine/", fine), path("fail/<str:what>/", fail), path("api/v1/fail/<str:what>/", fail)]


class FailingMiddleware:
    """Stands for a session that cannot be saved."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.get_response(request)
        raise OperationalError("the database system is shutting down")


@pytest.fixture
def client(settings: Settings) -> Client:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["apps.core.middleware.RequestIdMiddleware", "apps.core.middleware.OutageMiddleware"]
    return Client(raise_request_exception=False)


def test_the_senders_id_comes_back_and_is_bound(client: Client) -> None:
    response = client.get("/fine/", headers={"X-Request-ID": "mine-1"})
    assert (response["X-Request-ID"], response.content) == ("mine-1", b"mine-1")
    assert current_request_id() == ""


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "<script>"])
def test_an_id_that_is_not_sane_is_replaced(client: Client, sent: str) -> None:
    response = client.get("/fine/", headers={"X-Request-ID": sent})
    assert response["X-Request-ID"] not in {"", sent}
    assert len(response["X-Request-ID"]) == 32


@pytest.mark.parametrize(("address", "status"), [("/absent/", 404), ("/fail/bug/", 500), ("/fail/database/", 503)])
def test_errors_carry_the_id_too(client: Client, address: str, status: int) -> None:
    response = client.get(address, headers={"X-Request-ID": "mine-1"})
    assert (response.status_code, response["X-Request-ID"]) == (status, "mine-1")


@pytest.mark.parametrize("what", ["database", "interface", "redis", "broker"])
def test_an_outage_is_a_page_for_people(client: Client, what: str) -> None:
    response = client.get(f"/fail/{what}/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (response.status_code, response["Retry-After"], response["Cache-Control"]) == (503, "5", "no-store")
    assert response["Content-Type"].startswith("text/html")
    assert b"refused" not in response.content


@pytest.mark.parametrize(
    ("address", "accept"), [("/api/v1/fail/database/", "text/html"), ("/fail/database/", "application/json")]
)
def test_an_outage_is_problem_details_for_programs(client: Client, address: str, accept: str) -> None:
    response = client.get(address, headers={"Accept": accept, "X-Request-ID": "mine-1"})
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert response["Content-Type"] == "application/problem+json"
    body = json.loads(response.content)
    assert (body["status"], body["code"], body["request_id"], body["errors"]) == (503, "unavailable", "mine-1", [])


def test_a_bug_stays_a_500(client: Client) -> None:
    assert client.get("/fail/bug/").status_code == 500


def test_an_outage_met_outside_the_view(client: Client, settings: Settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.FailingMiddleware"]
    response = Client(raise_request_exception=False).get("/fine/")
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_a_page_that_cannot_be_drawn_is_still_an_answer(client: Client, settings: Settings) -> None:
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [], "APP_DIRS": False}]
    response = client.get("/fail/database/", headers={"X-Request-ID": "mine-1"})
    assert response.status_code == 503
    assert b"mine-1" in response.content


def test_pages_answer_while_redis_is_away(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    def cached(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(cache.get_or_set("x", 5)))

    stack = RequestIdMiddleware(OutageMiddleware(cached))
    assert stack(RequestFactory().get("/")).status_code == 200


def test_lines_that_django_logs_after_the_middleware_carry_the_id(client: Client) -> None:
    stream = io.StringIO()
    handler = make_handler(as_json=True, stream=stream)
    logging.getLogger("django.request").addHandler(handler)
    try:
        client.get("/absent/", headers={"X-Request-ID": "mine-1"})
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line.get("request_id")) for line in lines] == [("Not Found: /absent/", "mine-1")]
