"""Syncs against the four simulated exchanges on real sockets: holdings to the last digit, and what faults leave."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection as database

from apps.core import breaker, clock
from apps.exchanges.actions import observing, parting, scheduling, syncing
from apps.exchanges.models import Connection, SyncRun, SyncTrigger
from apps.exchanges.tests.factories import make_connection
from apps.exchanges.tests.simulated import Simulated
from apps.exchanges.tests.state import ledger_of
from apps.markets.domain.instruments import VENUES
from apps.portfolios.actions import ensure_booked
from apps.portfolios.models import Holding
from apps.portfolios.models.observed import ObservedBalance
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
    symbol = "BTC/USDT" if exchange in {"binance", "kucoin"} else "BTC/EUR"
    order = {"label": "main", "symbol": symbol, "side": "sell", "amount": "0.001"}
    simulated.ask(exchange, "trade", "POST", order)


@pytest.mark.parametrize("exchange", VENUES)
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


# --- Faults -----------------------------------------------------------------------------------------------------------
ANSWERS = {
    "html200": "venue_bad_answer",
    "cut_json": "venue_bad_answer",
    "empty": "venue_bad_answer",
    "429": "venue_busy",
    "418": "venue_busy",
    "5xx": "venue_unavailable",
    "reset": "venue_unavailable",
}


def test_bad_answers_leave_everything_as_it_is_say_why_and_heal(simulated: Simulated) -> None:
    connection = connected(simulated, "kraken")
    sync(connection)
    held, told = holdings(connection), ledger_of(connection)
    seen = dict(ObservedBalance.objects.values_list("asset", "amount"))
    for number, (fault, code) in enumerate(ANSWERS.items()):
        path = "/0/private/TradesHistory" if number % 2 else "/0/private/Balance"
        simulated.fault("kraken", fault, path=path, count=1)
        run = sync(connection)
        assert (fault, run.state, run.problem_code) == (fault, "waiting", code)
        assert {problem["code"] for problem in run.problems} == {code}
        assert dict(ObservedBalance.objects.values_list("asset", "amount")).keys() == seen.keys()
        assert holdings(connection).keys() == held.keys()
        simulated.clear()
        breaker.Breaker("venue:kraken:private").change(lambda _facts: breaker._Facts(), now=0.0)
        run = work_off(run, later=timedelta(hours=1 + number))
        assert (fault, run.state, run.problem_code) == (fault, "succeeded", "")
        cache.clear()
    assert [row for row in told if row not in ledger_of(connection)] == []
    assert holdings(connection) == simulated.truth("kraken", "main")["balances"]
    assert differing(connection) == []


def test_rows_that_come_twice_or_late_and_a_clock_that_is_off_change_nothing(simulated: Simulated) -> None:
    simulated.fault("kraken", "duplicate_trades")
    simulated.fault("kraken", "clock_skew", ms=300_000, count=20)
    connection = connected(simulated, "kraken")
    run = sync(connection)
    assert (run.state, run.problems) == ("succeeded", [])
    simulated.clear()
    simulated.fault("kraken", "late_trade")
    trade(simulated, "kraken")
    assert sync(connection).state == "succeeded"
    simulated.clear()
    assert sync(connection).state == "succeeded"
    assert holdings(connection) == simulated.truth("kraken", "main")["balances"]
    assert differing(connection) == []


def test_a_key_that_is_revoked_is_asked_no_more(simulated: Simulated) -> None:
    connection = connected(simulated, "binance", "empty")
    simulated.fault("binance", "revoke_key", path="/sapi/v1/asset/dribblet")
    run = sync(connection)
    assert (run.state, run.problem_code) == ("failed", "credentials_rejected")
    connection.refresh_from_db()
    assert (connection.state, connection.next_run_at) == ("revoked", None)
    asked = simulated.ask("binance", "stats")["total"]
    assert scheduling.enqueue_due(now=clock.now() + timedelta(hours=1)) == 0
    assert simulated.ask("binance", "stats")["total"] == asked


def test_two_workers_on_one_kraken_key_never_meet(simulated: Simulated) -> None:
    connections = [connected(simulated, "kraken", "empty") for _person in range(2)]
    runs = [
        scheduling.request_sync(connection=one, by=None, now=clock.now(), trigger=SyncTrigger.SCHEDULE)
        for one in connections
    ]

    def work(run: SyncRun) -> SyncRun:
        began = time.monotonic()
        try:
            while run.state not in {"succeeded", "failed"} and time.monotonic() - began < 120:
                syncing.run_sync(run_id=run.pk, worker="test", read_clock=clock.now)
                run = SyncRun.objects.get(pk=run.pk)
                time.sleep(0.05)
        finally:
            database.close()
        return run

    with ThreadPoolExecutor(max_workers=2) as pool:
        ended = list(pool.map(work, runs))
    assert [(run.state, run.problems) for run in ended] == [("succeeded", []), ("succeeded", [])]
