"""The REST doors of the exchanges: one test a promise."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import RefreshFamily, User
from apps.accounts.tests.factories import make_tokens, make_user
from apps.core import clock
from apps.exchanges.gateways import SUPPORTED
from apps.exchanges.models import Connection, ConnectionState, SyncRun
from apps.exchanges.tests.factories import make_connection, make_secrets
from apps.exchanges.tests.simulated import Simulated

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]
ROOT = "/api/v1/exchanges"


class Program:
    """Somebody's program, signed in a moment ago."""

    def __init__(self, user: User) -> None:
        self.user, self.token = user, make_tokens(user=user).access

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Send a request and return its answer."""
        return Client().generic(
            method,
            f"{ROOT}/{path}",
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.token}", **headers},
        )


@pytest.fixture
def program() -> Program:
    """Return a person's program."""
    return Program(make_user())


def key(simulated: Simulated, rights: str = "read", exchange: str = "binance") -> dict[str, Any]:
    """Return the body that connects one of the simulator's accounts."""
    found = next(one for one in simulated.ask(exchange, "accounts") if one["rights"] == rights)
    return {"exchange": exchange, **{name: found[name] for name in ("api_key", "api_secret", "passphrase")}}


def test_a_connection_is_made_once_per_key_and_tells_no_secret(program: Program, simulated: Simulated) -> None:
    body = {**key(simulated), "label": "Savings", "portfolio": None}
    first = program.ask("POST", "connect", body, **{"Idempotency-Key": "one"})
    assert first.status_code == 201, first.content
    told = first.json()
    assert (told["exchange"], told["label"], told["state"], told["simulated"]) == (
        "binance",
        "Savings",
        "syncing",
        True,
    )
    assert (told["rights"]["read"], told["rights"]["trade"], told["rights"]["withdraw"]) == (True, False, False)
    assert told["key_hint"] == f"{body['api_key'][:2]}…{body['api_key'][-2:]}"
    assert told["last_run"]["state"] == "queued"
    assert program.ask("POST", "connect", body, **{"Idempotency-Key": "one"}).json() == told
    assert program.ask("POST", "connect", body).json()["code"] == "key_already_connected"
    for path in ("connections", f"connections/{told['id']}", f"connections/{told['id']}/runs"):
        text = program.ask("GET", path).content.decode()
        assert body["api_key"] not in text
        assert body["api_secret"] not in text


@pytest.mark.parametrize("exchange", SUPPORTED)
def test_a_key_that_can_withdraw_is_refused_everywhere(program: Program, simulated: Simulated, exchange: str) -> None:
    body = key(simulated, "withdraw", exchange)
    refused = program.ask("POST", "connect", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "key_can_withdraw")
    tested = program.ask("POST", "test", body)
    assert (tested.status_code, tested.json()["ok"]) == (200, False)
    assert body["api_secret"] not in refused.content.decode() + tested.content.decode()
    assert not Connection.objects.exists()


def test_wrong_credentials_and_a_venue_that_is_away_are_told_apart(
    program: Program, simulated: Simulated, settings: Any
) -> None:
    body = key(simulated)
    wrong = program.ask("POST", "connect", {**body, "api_secret": "A" * 64})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "credentials_rejected")
    settings.EXCHANGE_BASE_URLS = {"binance": "http://127.0.0.1:9"}
    away = program.ask("POST", "connect", body)
    assert (away.status_code, away.json()["code"]) == (503, "venue_unavailable")
    assert program.ask("POST", "connect", {**body, "exchange": "nowhere"}).json()["errors"][0]["field"] == "exchange"


def test_keys_are_given_by_people_who_signed_in_lately(program: Program) -> None:
    connection = make_connection(user=program.user)
    RefreshFamily.objects.update(authenticated_at=clock.now() - timedelta(minutes=11))
    fields = {name: secret.reveal() for name, secret in make_secrets().items()}
    for method, path, body in (
        ("POST", "connect", {"exchange": "binance", **fields}),
        ("PATCH", f"connections/{connection.pk}", fields),
        ("POST", "forget-keys", {}),
    ):
        refused = program.ask(method, path, body)
        assert (refused.status_code, refused.json()["code"]) == (403, "reauthentication_required")
    assert program.ask("PATCH", f"connections/{connection.pk}", {"label": "Other"}).json()["label"] == "Other"


def test_a_pause_and_its_end(program: Program) -> None:
    connection = make_connection(user=program.user)
    path = f"connections/{connection.pk}"
    assert program.ask("PATCH", path, {"paused": True}).json()["state"] == "paused"
    refused = program.ask("POST", f"{path}/sync")
    assert (refused.status_code, refused.json()["code"]) == (409, "connection_not_active")
    assert program.ask("POST", "sync-all").json() == {"runs": []}
    assert program.ask("PATCH", path, {"paused": False}).json()["state"] == "syncing"


def test_a_sync_that_is_open_is_named_again(program: Program) -> None:
    connection = make_connection(user=program.user)
    first = program.ask("POST", f"connections/{connection.pk}/sync")
    assert first.status_code == 202
    assert program.ask("POST", f"connections/{connection.pk}/sync").json() == first.json()
    assert program.ask("POST", "sync-all").json() == {"runs": [first.json()["run"]]}
    runs = program.ask("GET", f"connections/{connection.pk}/runs").json()
    assert [(run["id"], run["state"]) for run in runs["results"]] == [(first.json()["run"], "queued")]


def test_disconnecting_takes_the_key_along(program: Program) -> None:
    connection = make_connection(user=program.user)
    assert program.ask("DELETE", f"connections/{connection.pk}?history=burn").status_code == 422
    assert program.ask("DELETE", f"connections/{connection.pk}?history=remove").status_code == 204
    assert program.ask("GET", f"connections/{connection.pk}").status_code == 404


def test_the_list_asks_the_database_as_often_for_twenty_as_for_two(
    program: Program, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        connection = make_connection(user=program.user, exchange="binance", label=f"Number {number}")
        SyncRun.objects.create(owner=program.user, connection=connection)
    with django_assert_max_num_queries(9):
        assert len(program.ask("GET", "connections").json()["results"]) == 20


def test_what_stands_in_the_way_of_a_connection_is_told(program: Program) -> None:
    connection = make_connection(user=program.user)
    Connection.objects.update(
        state=ConnectionState.REVOKED, problem_code="credentials_rejected", problem_detail="Make a new key."
    )
    told = program.ask("GET", f"connections/{connection.pk}").json()
    assert (told["state"], told["problem"]) == (
        "revoked",
        {"code": "credentials_rejected", "detail": "Make a new key."},
    )
