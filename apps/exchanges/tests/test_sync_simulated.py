"""Syncs against simulated exchanges on real sockets: holdings to the last digit, new trades, coming back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.core import clock
from apps.exchanges.actions import observing, parting, scheduling, syncing
from apps.exchanges.models import Connection, SyncRun, SyncTrigger
from apps.exchanges.tests.factories import make_connection
from apps.exchanges.tests.simulated import Simulated
from apps.exchanges.tests.state import ledger_of
from apps.portfolios.actions import ensure_booked
from apps.portfolios.models import Holding
from apps.portfolios.queries.reconciliation import reconciliation

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sent_tasks")]


@pytest.fixture(autouse=True)
def _without_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observing, "SWEPT_AT_ONCE", 0)


def connected(simulated: Simulated, exchange: str, label: str = "main") -> Connection:
    return make_connection(exchange=exchange, secrets=simulated.secrets(exchange, label), venue_account=label)


def sync(connection: Connection, *, trigger: SyncTrigger = SyncTrigger.PERSON) -> SyncRun:
    """Carry one sync through all its turns, or until it waits or has ended."""
    connection.refresh_from_db()
    return work_off(scheduling.request_sync(connection=connection, by=None, now=clock.now(), trigger=trigger))


def work_off(run: SyncRun, *, later: timedelta = timedelta(0)) -> SyncRun:
    read_clock: Callable[[], datetime] = lambda: clock.now() + later  # noqa: E731 - as the door reads it
    for _turn in range(50):
        syncing.run_sync(run_id=run.pk, worker="test", read_clock=read_clock)
        run = SyncRun.objects.get(pk=run.pk)
        if run.state != "queued":
            break
    return run


def holdings(connection: Connection) -> dict[str, Decimal]:
    ensure_booked(portfolio=connection.portfolio, now=clock.now())
    rows = Holding.objects.filter(portfolio=connection.portfolio).values_list("asset", "accounts")
    name = connection.account.name
    held = {asset: Decimal(accounts[name]) for asset, accounts in rows if name in accounts}
    return {asset: amount for asset, amount in held.items() if amount}


def differing(connection: Connection) -> list[Any]:
    return [one for one in reconciliation(portfolio=connection.portfolio, now=clock.now()) if one.difference]


def trade(simulated: Simulated, exchange: str) -> None:
    """Let the account trade at the exchange."""
    symbol = "BTC/EUR" if exchange in {"coinbase", "kraken"} else "BTC/USDT"
    order = {"label": "main", "symbol": symbol, "side": "sell", "amount": "0.001"}
    simulated.ask(exchange, "trade", "POST", order)


@pytest.mark.parametrize("exchange", ["binance", "coinbase", "kraken", "kucoin"])
def test_everything_comes_in_to_the_last_digit_and_again_after_parting(simulated: Simulated, exchange: str) -> None:
    connection = connected(simulated, exchange)
    run = sync(connection)
    assert (run.state, run.problems) == ("succeeded", [])
    assert holdings(connection) == simulated.truth(exchange, "main")["balances"]
    assert differing(connection) == []
    told = ledger_of(connection)

    trade(simulated, exchange)
    run = sync(connection, trigger=SyncTrigger.SCHEDULE)
    assert (run.state, run.problems) == ("succeeded", [])
    assert run.posted >= 1
    assert holdings(connection) == simulated.truth(exchange, "main")["balances"]
    assert differing(connection) == []
    assert len(ledger_of(connection)) > len(told)

    parting.disconnect(
        user=connection.owner, connection_id=connection.pk, history=parting.History.KEEP, now=clock.now()
    )
    before = ledger_of(connection)
    again = make_connection(
        portfolio=connection.portfolio,
        exchange=exchange,
        secrets=simulated.secrets(exchange, "main"),
        venue_account="main",
    )
    assert again.account_id == connection.account_id
    run = sync(again)
    assert (run.state, run.problems) == ("succeeded", [])
    assert len(ledger_of(again)) - len(before) == run.posted <= 2  # a reward may have come meanwhile
    assert holdings(again) == simulated.truth(exchange, "main")["balances"]
