"""Errors as programs read them: whatever goes wrong is a problem document, and nothing sent to us is a 500."""

import logging
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError
from django.test import Client
from pytest_django import Settings
from rest_framework import exceptions

from apps.core.errors import FieldProblem, InvalidError, NotFoundError, TooManyError, UnavailableError
from apps.core.tests import api_doors
from apps.core.tests.api_doors import User, make_user

pytestmark = pytest.mark.urls("apps.core.tests.api_doors")
JSON = "application/json"


@pytest.fixture
def api() -> Client:
    return Client(raise_request_exception=False)


def answer_to(error: BaseException, api: Client) -> Any:
    api_doors.raised.append(error)
    return api.get("/api/raise", headers={"X-Request-ID": "the-id-i-sent"})


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.AuthenticationFailed(), 401, "authentication_failed"),
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (PermissionDenied(), 403, "permission_denied"),
        (exceptions.NotFound(), 404, "not_found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/csv"), 415, "unsupported_media_type"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (exceptions.ValidationError({"a": ["no"]}), 422, "invalid"),
        (DjangoValidationError({"a": ["no"]}), 422, "invalid"),
        (SuspiciousOperation(), 400, "bad_request"),
        (exceptions.Throttled(7), 429, "throttled"),
        (TooManyError(retry_after=7), 429, "throttled"),
        (UnavailableError(retry_after=7), 503, "unavailable"),
        (api_doors.ERRORS["data"], 422, "invalid"),
    ],
)
def test_every_known_error_is_a_problem(error: Exception, status: int, code: str, api: Client) -> None:
    answer = answer_to(error, api)
    body = answer.json()
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert list(body) == ["type", "title", "status", "code", "detail", "errors", "request_id"]
    assert (body["status"], body["code"], body["type"]) == (status, code, f"/api/docs/problems#{code}")
    assert body["request_id"] == answer["X-Request-ID"] == "the-id-i-sent"
    assert body["title"]
    assert body["detail"]
    assert answer.get("Retry-After") == ("7" if status in {429, 503} else None)
    assert ("WWW-Authenticate" in answer) == (status == 401)


def test_errors_name_the_field_down_to_the_place_in_a_list(api: Client) -> None:
    sent = {"name": "a" * 30, "items": [{"amount": "1"}, {"amount": "many"}]}
    answer = api.post("/api/notes", sent, content_type=JSON)
    assert answer.status_code == 422
    fields = {one["field"]: one["code"] for one in answer.json()["errors"]}
    assert set(fields) == {"name", "items.1.amount"}
    assert fields["name"] == "max_length"


def test_problems_of_an_action_keep_their_fields(api: Client) -> None:
    error = InvalidError("Look here.", problems=[FieldProblem(field="x", code="odd", message="Odd.")])
    assert answer_to(error, api).json()["errors"] == [{"field": "x", "code": "odd", "message": "Odd."}]


@pytest.mark.parametrize("error", ["not_found", "http404"])
def test_another_persons_object_looks_like_a_missing_one(error: str, api: Client) -> None:
    missing = answer_to(NotFoundError(), api).content
    theirs = answer_to(exceptions.NotFound("There is, but it is not yours"), api).content
    address = api.get("/api/nowhere", headers={"X-Request-ID": "the-id-i-sent"}).content
    assert missing == theirs == address
    if error == "http404":
        assert answer_to(api_doors.ERRORS[error], api).content == missing


def test_an_unforeseen_error_is_logged_once_and_says_nothing(api: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = answer_to(RuntimeError("the inner secret"), api)
    assert answer.status_code == 500
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "server_error"
    assert b"inner secret" not in answer.content
    assert len([one for one in caplog.records if one.exc_info]) == 1


def test_pages_get_pages(api: Client) -> None:
    assert api.get("/nowhere")["Content-Type"].startswith("text/html")
    assert api.get("/api/nowhere")["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
def test_a_twin_that_only_the_database_sees_is_a_conflict(api: Client) -> None:
    make_user(email="one@example.com")
    with pytest.raises(IntegrityError) as met:
        User.objects.bulk_create([User(email="one@example.com")])
    assert answer_to(met.value, api).status_code == 409


def test_other_broken_rules_are_our_mistake(api: Client) -> None:
    assert answer_to(IntegrityError("a foreign key"), api).status_code == 500


HOSTILE_BODIES = [
    (b"", 422),
    (b"{", 400),
    (b"nonsense", 400),
    (b"\xff\xfe\x00", 400),
    (b'{"name": NaN}', 400),
    (b'{"name": Infinity}', 400),
    (b'{"name": 1e999}', 400),
    (b'{"name": ' + b"9" * 5_000 + b"}", 400),
    (b"[" * 100_000, 400),
    (b"[" * 500 + b"]" * 500, 400),
    (b'{"extra":' * 40 + b"1" + b"}" * 40, 400),
    (b'{"name": "a\\u0000b"}', 422),
    (b'{"name": "a\x00b"}', 400),
    (b'{"name": "\\ud800"}', 422),
    (b'{"name": "a", "extra": {"\\u0000": 1}}', 422),
    (b'{"name": "a", "extra": ["\\udfff"]}', 422),
    (b"null", 422),
    (b"[]", 422),
    (b'"text"', 422),
    (b"17", 422),
    (b'{"name": {"a": 1}}', 422),
    (b'{"name": "a", "at": 99999999999999999999}', 422),
    (b'{"name": "a", "at": -1}', 422),
    (b'{"name": "a", "at": true}', 422),
    (b'{"name": "a", "at": "0001-01-01T00:00:00+14:00"}', 422),
    (b'{"name": "a", "items": [{"amount": 0.1}]}', 422),
    (b'{"name": "' + b"a" * 3_000_000 + b'"}', 413),
]


@pytest.mark.parametrize(("body", "status"), HOSTILE_BODIES)
def test_no_body_is_a_server_error(body: bytes, status: int, api: Client) -> None:
    answer = api.post("/api/notes", body, content_type=JSON)
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"


def test_an_escaped_backslash_is_no_broken_character(api: Client) -> None:
    answer = api.post("/api/notes", b'{"name": "\\\\u0000 \\ud83d\\ude00"}', content_type=JSON)
    assert (answer.status_code, answer.json()["name"]) == (201, "\\u0000 \U0001f600")


def test_the_body_has_to_be_json(api: Client) -> None:
    assert api.post("/api/notes", "name=a", content_type="application/x-www-form-urlencoded").status_code == 415
    assert api.post("/api/notes", b"\x00", content_type="text/x-unknown").status_code == 415


@pytest.mark.parametrize(
    "query", ["names=%00", "%00=1", "from=soon", "from=1e9", "to=9" + "9" * 60, "from=2026-01-02&to=2026-01-01"]
)
def test_no_query_is_a_server_error(query: str, api: Client) -> None:
    assert api.get(f"/api/notes?{query}").status_code == 422


def test_a_query_is_read(api: Client) -> None:
    answer = api.get("/api/notes?names=a,b&names=c&from=1767225600000&to=2026-01-02T00:00:00Z&unknown=%FF")
    assert answer.json() == {
        "names": ["a", "b", "c"],
        "closed": True,
        "from": "2026-01-01 00:00:00+00:00",
        "to": "2026-01-02 00:00:00+00:00",
    }


def test_methods_that_are_not_offered_are_405_for_everybody(api: Client) -> None:
    for method in ("PUT", "DELETE", "TRACE", "OPTIONS", "QUERY"):
        answer = api.generic(method, "/api/private")
        assert answer.status_code == 405, method
        assert answer["Allow"] == "GET, HEAD"
        assert answer["Content-Type"] == "application/problem+json"


def test_any_accept_header_gets_json(api: Client) -> None:
    for accept in ("text/html", "application/xml", "nonsense", "*/*"):
        assert api.get("/api/notes", headers={"Accept": accept})["Content-Type"] == JSON


def test_a_wrong_host_is_refused_with_a_problem(api: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    answer = api.get("/api/people", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_nobody_is_sent_away_with_401(api: Client) -> None:
    assert api.get("/api/private").json()["code"] == "not_authenticated"
    refused = api.get("/api/private", headers={"Authorization": "Bearer eyJ.not.one"})
    assert refused.status_code == 401
