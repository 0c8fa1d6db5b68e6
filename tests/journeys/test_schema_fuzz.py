"""Every operation of the OpenAPI document under schemathesis: as a stranger, a member and the owner.

COINSPHERE_FUZZ_CASES (6) sets how many generated requests each operation gets from each caller, besides the
edges of every field; 100 for the night.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.http import HttpResponse
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework.response import Response
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.core import cache
from apps.core.testing import SentTask, run_on_commit
from apps.exchanges.gateways.adapter import Adapter
from apps.exchanges.gateways.errors import CredentialsRejectedError
from apps.operations.api import LiveView
from tests.cast import bearer, fresh_access, ids_of, make_cast

pytestmark = [pytest.mark.journey, pytest.mark.django_db, pytest.mark.timeout(300)]

CASES = int(os.environ.get("COINSPHERE_FUZZ_CASES", "6"))
HELD = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]

DOCUMENT: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
schema = schemathesis.openapi.from_dict(
    DOCUMENT,
    config=SchemathesisConfig.from_dict(
        {
            "base-url": "http://localhost",
            "generation": {"mode": "all", "deterministic": True, "max-examples": CASES, "no-shrink": CASES < 50},
            "phases": {"stateful": {"enabled": False}},
            "suppress-health-check": ["all"],
        }
    ),
)
schema.app = WSGIHandler()


@dataclass(frozen=True)
class Caller:
    """Who sends the requests, and ids of things that exist for them."""

    name: str
    headers: Mapping[str, str]
    ids: Mapping[str, str] = field(default_factory=dict)


@pytest.fixture(autouse=True)
def _in_one_transaction() -> Iterator[None]:
    """Keep the test's connection open between requests, as Django's own test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def _without_limits(monkeypatch: pytest.MonkeyPatch, sent_tasks: list[SentTask]) -> None:
    """Let this many requests through the general limits; those of sign-in stay, and start anew with each request."""
    rates: dict[str, str] = dict.fromkeys(settings.API_RATES, "1000000/s")
    monkeypatch.setattr(settings, "API_RATES", rates)


@pytest.fixture(autouse=True)
def _venues_that_know_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer a key as a venue does that does not know it: from here none can be reached, and that is a 503."""

    def refuse(*_words: object, **_named: object) -> None:
        raise CredentialsRejectedError

    monkeypatch.setattr(Adapter, "lend", refuse)


@pytest.fixture
def callers(db: None) -> tuple[Caller, ...]:
    """Three callers in an instance full of people; each sends every request that is thought up."""
    cast = make_cast()
    people = {"member": cast.member, "owner": cast.owner}
    return (
        Caller("stranger", headers={}, ids=ids_of(cast=cast, user=cast.member)),
        *(
            Caller(name, headers=bearer(fresh_access(user)), ids=ids_of(cast=cast, user=user))
            for name, user in people.items()
        ),
    )


def send(case: schemathesis.Case[Any], caller: Caller) -> None:
    """Send one request as the product would get it, check the answer, and undo what it did."""
    cache.redis_client().flushdb()
    cache.health.forget()
    with transaction.atomic():
        with run_on_commit():
            # answers are looked into as they are: this way of calling does not unpack
            response = case.call(headers={**caller.headers, "Accept-Encoding": "identity"})
        transaction.set_rollback(True)
    try:
        case.validate_response(response, checks=HELD)
    except FailureGroup as failures:
        failures.add_note(f"It was sent by the {caller.name}.")
        raise


@pytest.fixture
def sent() -> set[str]:
    """What was sent and answered as documented: all is undone after each, so that it would be answered so again."""
    return set()


def send_once(case: schemathesis.Case[Any], caller: Caller, sent: set[str]) -> None:
    """Send a request unless this caller has sent one like it before."""
    # whoever must sign in first is told so whatever they ask for and say
    asked = case.headers if caller.name == "stranger" and is_closed(case) else case
    request = f"{caller.name} {case.method} {case.media_type} {asked!r}"
    if request not in sent:
        send(case, caller)
        sent.add(request)


def is_closed(case: schemathesis.Case[Any]) -> bool:
    """Tell whether the document says that one must be signed in for this."""
    ways_in = case.operation.definition.raw.get("security") or [{}]
    return all(ways_in)


@schema.parametrize()
def test_every_operation_survives_what_is_generated(
    case: schemathesis.Case[Any], callers: tuple[Caller, ...], sent: set[str]
) -> None:
    """Ask as a stranger, for what nobody has as the owner, who may do most, and for their own as member and owner."""
    stranger, member, owner = callers
    for caller in (stranger, owner):
        send_once(case, caller, sent)
    for caller in (member, owner):
        case.path_parameters.update({name: caller.ids[name] for name in case.path_parameters if name in caller.ids})
        send_once(case, caller, sent)


def test_the_document_is_the_one_that_is_served(client: Client) -> None:
    assert client.get("/api/schema/").json() == DOCUMENT


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (RuntimeError("planted"), "Server error"),
        (Response({"status": "ok"}, status=418), "Undocumented status code"),
        (Response({"status": 7}), "Response violates schema"),
        (HttpResponse("fine", content_type="text/plain"), "Undocumented Content-Type"),
    ],
)
def test_a_planted_fault_is_caught(
    monkeypatch: pytest.MonkeyPatch, answer: Exception | HttpResponse, words: str
) -> None:
    def planted(_view: object, _request: object) -> HttpResponse:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(LiveView, "get", planted)
    with pytest.raises(FailureGroup, match=words):
        send(schema["/health/live"]["GET"].Case(), Caller("stranger", headers={}))
