"""The guardian of keys: what a key may do is looked at anew, and a harmful or refused one is used no more."""

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import AuditEntry
from apps.core import clock
from apps.exchanges.actions.guarding import look_at_keys, tidy_uses
from apps.exchanges.actions.scheduling import request_sync
from apps.exchanges.actions.secrets import note_use
from apps.exchanges.domain.guarding import Caution, cautions_of, rights_of
from apps.exchanges.domain.reading import KeyRights
from apps.exchanges.models import Connection, KeyUse, SyncRun, UsePurpose
from apps.exchanges.tests.factories import READ_ONLY, make_connection
from apps.exchanges.tests.simulated import Simulated

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]
WEEK = timedelta(days=8)


def key_of(simulated: Simulated, rights: str) -> Any:
    """Return the parts of a key of the simulator that may do this."""
    return simulated.secrets(
        "binance", next(one["label"] for one in simulated.ask("binance", "accounts") if one["rights"] == rights)
    )


def test_rights_are_told_anew_after_a_week(simulated: Simulated) -> None:
    now = clock.now()
    connection = make_connection(secrets=key_of(simulated, "trade"), now=now - WEEK)
    fresh = make_connection(secrets=key_of(simulated, "read"), now=now)
    assert look_at_keys(now=now) == 1
    connection.refresh_from_db()
    assert (connection.rights["trade"], connection.state) == (True, "active")
    assert connection.rights_checked_at == now
    assert list(KeyUse.objects.values_list("connection", "purpose")) == [(connection.pk, "rights")]
    assert not fresh.key_uses.exists()
    assert look_at_keys(now=now) == 0


def test_a_key_that_can_withdraw_by_now_is_used_no_more(simulated: Simulated, settings: Any) -> None:
    now = clock.now()
    connection = make_connection(secrets=key_of(simulated, "withdraw"), now=now - WEEK)
    run = request_sync(connection=connection, by=connection.owner, now=now)
    look_at_keys(now=now)
    connection.refresh_from_db()
    assert (connection.state, connection.problem_code, connection.next_run_at) == ("revoked", "key_can_withdraw", None)
    assert SyncRun.objects.get(pk=run.pk).is_over
    assert AuditEntry.objects.filter(action="exchange.key_refused", subject=connection.owner).count() == 1
    settings.ALLOW_KEYS_THAT_WITHDRAW = True
    Connection.objects.update(state="active", rights_checked_at=now - WEEK)
    look_at_keys(now=now)
    connection.refresh_from_db()
    assert connection.state == "active"


def test_a_key_that_was_revoked_at_the_exchange_is_asked_once(simulated: Simulated) -> None:
    now = clock.now()
    secrets = key_of(simulated, "read")
    connection = make_connection(secrets=secrets, now=now - WEEK)
    simulated.fault("binance", "revoke_key")
    look_at_keys(now=now)
    connection.refresh_from_db()
    assert (connection.state, connection.problem_code) == ("revoked", "credentials_rejected")
    assert look_at_keys(now=now + WEEK) == 0


def test_lines_about_syncs_are_forgotten_after_a_month_and_no_others() -> None:
    connection, now = make_connection(), clock.now()
    for purpose in UsePurpose:
        note_use(connection=connection, purpose=purpose, now=now - timedelta(days=31))
        note_use(connection=connection, purpose=purpose, now=now)
    assert tidy_uses(now=now) == 1
    assert KeyUse.objects.count() == 2 * len(UsePurpose) - 1


@pytest.mark.parametrize(
    ("rights", "age", "cautions"),
    [
        (READ_ONLY, 0, []),
        (READ_ONLY, 200, ["old"]),
        (KeyRights(read=True, trade=True, transfer=False, withdraw=False), 0, ["can_trade"]),
        (KeyRights(read=True, trade=False, transfer=True, withdraw=None), 0, ["can_withdraw", "unverified"]),
        (KeyRights(read=True, trade=False, transfer=False, withdraw=False, unknown=("fly",)), 0, ["unverified"]),
        (
            KeyRights(read=True, trade=False, transfer=False, withdraw=False, is_bound_to_addresses=False),
            0,
            ["any_address"],
        ),
        (KeyRights(read=True, trade=False, transfer=False, withdraw=False, expires_at_ms=0), 0, ["ends_soon"]),
    ],
)
def test_what_the_owner_should_know_of_a_key(rights: KeyRights, age: int, cautions: list[str]) -> None:
    now = clock.now()
    found = cautions_of(rights=rights, key_changed_at=now - timedelta(days=age), now=now)
    assert found == tuple(Caution(one) for one in cautions)


def test_rights_come_out_as_they_were_kept() -> None:
    connection = make_connection(
        rights=KeyRights(read=True, trade=None, transfer=False, withdraw=False, unknown=("x",))
    )
    connection.refresh_from_db()
    assert rights_of(connection.rights) == KeyRights(
        read=True, trade=None, transfer=False, withdraw=False, unknown=("x",)
    )
    assert rights_of({}) == KeyRights(read=None, trade=None, transfer=None, withdraw=None)
