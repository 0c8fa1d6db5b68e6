"""The short way for programs: nothing that pages need, and everything that was promised."""

import json

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client
from django.urls import path
from prometheus_client import REGISTRY
from pytest_django import Settings

from apps.core.logs import current_request_id

BEARER = {"Authorization": "Bearer some-token"}
PROTECTING = (
    "Content-Security-Policy",
    "X-Frame-Options",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
)
OWN = {
    "Content-Security-Policy": "sandbox",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "unsafe-none",
}


def tell(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"has_session": hasattr(request, "session"), "request_id": current_request_id()})


def frame(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers=OWN)


def fail(_request: HttpRequest, what: str) -> HttpResponse:
    raise OperationalError("refused") if what == "database" else ZeroDivisionError("a bug")


urlpatterns = [
    path("api/v1/things", tell, name="things"),
    path("api/v1/auth/things", tell),
    path("things", tell),
    path("api/v1/frame", frame),
    path("api/v1/fail/<str:what>", fail, name="failing"),
]
handler404 = "apps.core.api.problems.page_not_found"
handler400 = "apps.core.api.problems.bad_request"


@pytest.fixture
def client(settings: Settings) -> Client:
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("address", "headers", "goes_straight"),
    [
        ("/api/v1/things", BEARER, True),
        ("/api/v1/things", {"Authorization": "bEaReR x"}, True),
        ("/api/v1/things", {}, False),
        ("/api/v1/things", {"Authorization": "Basic abc"}, False),
        ("/api/v1/auth/things", BEARER, False),
        ("/things", BEARER, False),
    ],
)
def test_who_goes_straight(client: Client, address: str, headers: dict[str, str], *, goes_straight: bool) -> None:
    assert client.get(address, headers=headers).json()["has_session"] is not goes_straight


def test_the_short_way_protects_its_answers_as_the_long_one_does(client: Client) -> None:
    short, long = client.get("/api/v1/things", headers=BEARER), client.get("/api/v1/things")
    assert {name: short[name] for name in PROTECTING} == {name: long[name] for name in PROTECTING}
    assert int(short["Content-Length"]) == len(short.content)


@pytest.mark.parametrize("headers", [BEARER, {}], ids=["short", "long"])
def test_what_a_view_has_set_itself_stands(client: Client, headers: dict[str, str]) -> None:
    answer = client.get("/api/v1/frame", headers=headers)
    assert {name: answer[name] for name in OWN} == OWN
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_headers_of_https(client: Client, settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_SSL_REDIRECT = 3600, True
    plain = client.get("/api/v1/things", headers=BEARER)
    assert (plain.status_code, plain["Location"]) == (301, "https://testserver/api/v1/things")
    assert client.get("/api/v1/things", headers=BEARER, secure=True)["Strict-Transport-Security"] == "max-age=3600"


def test_a_request_keeps_its_id(client: Client) -> None:
    response = client.get("/api/v1/things", headers={**BEARER, "X-Request-ID": "mine-1"})
    assert (response["X-Request-ID"], response.json()["request_id"]) == ("mine-1", "mine-1")


def test_a_name_that_is_not_ours_is_refused(client: Client) -> None:
    response = client.get("/api/v1/things", headers={**BEARER, "Host": "evil.example"})
    assert response.status_code == 400


@pytest.mark.parametrize(("what", "status"), [("database", 503), ("bug", 500)])
def test_errors_are_problems(client: Client, what: str, status: int) -> None:
    response = client.get(f"/api/v1/fail/{what}", headers={**BEARER, "X-Request-ID": "mine-1"})
    assert (response.status_code, response["X-Request-ID"]) == (status, "mine-1")
    assert "default-src 'self'" in response["Content-Security-Policy"]
    if status == 503:
        assert (response["Retry-After"], json.loads(response.content)["code"]) == ("5", "unavailable")


def test_an_address_that_does_not_exist(client: Client) -> None:
    response = client.get("/api/v1/absent", headers=BEARER)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def _counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize("headers", [BEARER, {}])
def test_both_ways_are_counted_under_the_names_of_django_prometheus(client: Client, headers: dict[str, str]) -> None:
    kind = {"view": "things", "method": "GET"}
    total = "django_http_responses_total_by_status_view_method_total"
    seconds = "django_http_requests_latency_seconds_by_view_method_count"
    before = _counted(total, status="200", **kind), _counted(seconds, **kind)
    for _ in range(5):
        client.get("/api/v1/things", headers=headers)
    client.get("/metrics")  # whoever asks gets what was added up since
    assert (_counted(total, status="200", **kind), _counted(seconds, **kind)) == (before[0] + 5, before[1] + 5)


@pytest.mark.parametrize("headers", [BEARER, {}])
def test_what_a_view_raises_is_counted(client: Client, headers: dict[str, str]) -> None:
    name = "django_http_exceptions_total_by_type_total"
    before = _counted(name, type="ZeroDivisionError")
    client.get("/api/v1/fail/bug", headers=headers)
    assert _counted(name, type="ZeroDivisionError") == before + 1
