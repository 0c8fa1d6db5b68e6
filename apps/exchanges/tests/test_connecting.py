"""Connecting at the simulated exchanges: what is tried, what is refused, what is kept."""

from typing import Any

import pytest

from apps.accounts.models import AuditEntry
from apps.accounts.tests.factories import make_user
from apps.core import clock
from apps.core.errors import InvalidError, NotFoundError
from apps.exchanges.actions import connecting
from apps.exchanges.actions.connecting import OtherAccountError, OtherWorldError, Wish
from apps.exchanges.actions.keeping import KeyConnectedError
from apps.exchanges.actions.parting import History, disconnect, forget_keys
from apps.exchanges.actions.secrets import NoKeyError, secrets_of
from apps.exchanges.domain.guarding import StepCode
from apps.exchanges.gateways.errors import CredentialsRejectedError, KeyCanWithdrawError, VenueUnavailableError
from apps.exchanges.models import Connection, ConnectionState, KeyUse, SealedSecret, SyncRun, UsePurpose
from apps.exchanges.tests.factories import make_connection
from apps.exchanges.tests.simulated import Simulated
from apps.portfolios.models import Account

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]


def wish(simulated: Simulated, whose: str, exchange: str = "binance", **more: object) -> Wish:
    """Ask for a connection with one of the simulator's keys."""
    fields = {name: secret.reveal() for name, secret in simulated.secrets(exchange, whose).items()}
    return Wish(exchange=exchange, fields=fields, **more)  # type: ignore[arg-type]


def labels(simulated: Simulated, rights: str, exchange: str = "binance") -> list[str]:
    """Return the accounts of the simulator whose key may do this."""
    return [one["label"] for one in simulated.ask(exchange, "accounts") if one["rights"] == rights]


def test_a_read_only_key_passes_every_step_and_nothing_is_kept(simulated: Simulated) -> None:
    tested = connecting.test_key(user=make_user(), wish=wish(simulated, labels(simulated, "read")[0]), now=clock.now())
    assert tested.ok
    assert [(step.code, step.ok) for step in tested.steps] == [(code, True) for code in StepCode]
    assert (tested.rights.read, tested.rights.trade, tested.rights.withdraw) == (True, False, False)
    assert not Connection.objects.exists()


def test_connecting_keeps_the_sealed_key_and_asks_for_the_first_sync(simulated: Simulated) -> None:
    user = make_user()
    asked = wish(simulated, labels(simulated, "read")[0], label="Savings")
    connection = connecting.connect(user=user, wish=asked, now=clock.now())
    assert (connection.state, connection.label, connection.account.exchange) == ("active", "Savings", "binance")
    assert connection.is_simulated
    assert SyncRun.objects.filter(connection=connection, state="queued").count() == 1
    opened = secrets_of(connection=connection, purpose=UsePurpose.SYNC, now=clock.now())
    assert {name: secret.reveal() for name, secret in opened.items()} == dict(asked.fields)
    assert set(KeyUse.objects.values_list("purpose", flat=True)) == {"connect", "sync"}
    assert AuditEntry.objects.filter(action="exchange.connected", target=str(connection.pk)).count() == 1
    with pytest.raises(KeyConnectedError, match="Savings"):
        connecting.connect(user=user, wish=asked, now=clock.now())


def test_a_key_that_can_withdraw_is_refused_unless_the_operator_allows_it(simulated: Simulated, settings: Any) -> None:
    user, asked = make_user(), wish(simulated, labels(simulated, "withdraw")[0])
    tested = connecting.test_key(user=user, wish=asked, now=clock.now())
    assert [(step.code, step.ok) for step in tested.steps][-1] == (StepCode.RIGHTS, False)
    with pytest.raises(KeyCanWithdrawError):
        connecting.connect(user=user, wish=asked, now=clock.now())
    assert not SealedSecret.objects.exists()
    settings.ALLOW_KEYS_THAT_WITHDRAW = True
    assert connecting.connect(user=user, wish=asked, now=clock.now()).rights["withdraw"] is True


def test_a_wrong_secret_is_rejected_by_name(simulated: Simulated) -> None:
    asked = wish(simulated, labels(simulated, "read")[0])
    wrong = Wish(exchange="binance", fields={**asked.fields, "api_secret": "A" * 64})
    with pytest.raises(CredentialsRejectedError):
        connecting.connect(user=make_user(), wish=wrong, now=clock.now())


def test_an_exchange_that_does_not_answer_is_said_so(simulated: Simulated, settings: Any) -> None:
    asked = wish(simulated, labels(simulated, "read")[0])
    settings.EXCHANGE_BASE_URLS = {"binance": "http://127.0.0.1:9"}
    with pytest.raises(VenueUnavailableError):
        connecting.connect(user=make_user(), wish=asked, now=clock.now())
    tested = connecting.test_key(user=make_user(), wish=asked, now=clock.now())
    assert [(step.code, step.ok) for step in tested.steps] == [(StepCode.REACH, False)]


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"api_key": "a", "api_secret": ""}, "api_secret", "required"),
        ({"api_key": "ключ", "api_secret": "b"}, "api_key", "invalid"),
        ({"api_key": "a" * 9_000, "api_secret": "b"}, "api_key", "max_length"),
    ],
)
def test_what_no_key_can_be_asks_nobody(fields: dict[str, str | None], field: str, code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        connecting.test_key(user=make_user(), wish=Wish(exchange="binance", fields=fields), now=clock.now())
    assert [(one.field, one.code) for one in refused.value.problems] == [(field, code)]


def test_a_new_key_takes_the_place_of_the_old_one(simulated: Simulated) -> None:
    user, asked = make_user(), wish(simulated, labels(simulated, "trade")[0])
    connection = make_connection(user=user)
    changed = connecting.replace_key(user=user, connection_id=connection.pk, fields=asked.fields, now=clock.now())
    assert (changed.rights["trade"], changed.venue_account != "") == (True, True)
    opened = secrets_of(connection=changed, purpose=UsePurpose.SYNC, now=clock.now())
    assert {name: secret.reveal() for name, secret in opened.items()} == dict(asked.fields)
    with pytest.raises(NotFoundError):
        connecting.replace_key(user=make_user(), connection_id=connection.pk, fields=asked.fields, now=clock.now())


def test_a_key_of_another_account_does_not_take_its_place(simulated: Simulated) -> None:
    user, now = make_user(), clock.now()
    first, second = (wish(simulated, whose) for whose in labels(simulated, "read")[:2])
    connection = connecting.connect(user=user, wish=first, now=now)
    with pytest.raises(OtherAccountError):
        connecting.replace_key(user=user, connection_id=connection.pk, fields=second.fields, now=now)
    opened = secrets_of(connection=connection, purpose=UsePurpose.SYNC, now=now)
    assert {name: secret.reveal() for name, secret in opened.items()} == dict(first.fields)
    assert connecting.connect(user=user, wish=second, now=now).account_id != connection.account_id


def test_simulated_and_real_accounts_never_share_a_portfolio(simulated: Simulated) -> None:
    user = make_user()
    make_connection(user=user, exchange="kraken", is_simulated=False)
    with pytest.raises(OtherWorldError):
        connecting.connect(user=user, wish=wish(simulated, labels(simulated, "read")[0]), now=clock.now())


# --- Pausing and parting ----------------------------------------------------------------------------------------------
def test_a_pause_lasts_until_it_is_ended_and_both_are_written_down() -> None:
    connection = make_connection()
    user = connection.owner
    connecting.pause(user=user, connection_id=connection.pk, now=clock.now())
    assert not Connection.objects.due(now=clock.now()).exists()
    assert connecting.resume(user=user, connection_id=connection.pk, now=clock.now()).state == ConnectionState.ACTIVE
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "exchange.paused",
        "exchange.resumed",
    ]


@pytest.mark.parametrize("history", list(History))
def test_who_parts_leaves_no_key_behind(history: History) -> None:
    connection = make_connection()
    connecting.resume(user=connection.owner, connection_id=connection.pk, now=clock.now())
    disconnect(user=connection.owner, connection_id=connection.pk, history=history, now=clock.now())
    assert not Connection.objects.exists()
    assert not SealedSecret.objects.exists()
    assert Account.objects.filter(pk=connection.account_id).exists()


def test_all_keys_of_a_person_are_forgotten_at_once() -> None:
    connection = make_connection()
    make_connection(user=connection.owner, exchange="kraken")
    theirs = make_connection()
    forgotten = forget_keys(user=connection.owner, now=clock.now())
    assert (forgotten.connections, forgotten.secrets) == (2, 4)
    connection.refresh_from_db()
    assert (connection.state, connection.problem_code) == ("revoked", "key_forgotten")
    with pytest.raises(NoKeyError):
        secrets_of(connection=connection, purpose=UsePurpose.SYNC, now=clock.now())
    assert secrets_of(connection=theirs, purpose=UsePurpose.SYNC, now=clock.now())
