"""Booking from the database: a whole ledger of one asset, and one new trade on it with all that is kept of it."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.core.management import call_command
from django.db import connection

from apps.core import clock
from apps.portfolios.domain.drafts import draft_of
from apps.portfolios.domain.policy import Method, Policy, policy_as_portable
from bench.ledger_booking import Event, events
from bench.table import Row

if TYPE_CHECKING:
    from apps.portfolios.models import Portfolio

ENTRIES, QUICK_ENTRIES = 100_000, 2_000
NEW_MS = 100.0
_ROUNDS = 9
_AT_ONCE = 50_000
_METHODS = (Method.FIFO, Method.HIFO, Method.ACB)
#: Sells less than it holds, or nothing at all: the second is the worst case, every entry leaves a lot.
_MIXED, _PURCHASES = "buys and sales", "purchases only"


class _Spent(NamedTuple):
    """Seconds at the clock, and of this process's processor time."""

    wall: float
    cpu: float


def rows(*, quick: bool = False) -> list[Row]:
    """Book ledgers of one asset by each kind of method, and post one trade after the other by each."""
    call_command("migrate", verbosity=0)
    count = QUICK_ENTRIES if quick else ENTRIES
    mixed, purchases = _ledger(count, _MIXED), _ledger(count, _PURCHASES)
    found = [row for method in _METHODS for row in _ledger_rows(mixed, count, method, _MIXED)]
    return [*found, *_ledger_rows(purchases, count, Method.FIFO, _PURCHASES)]


def _ledger_rows(portfolio: "Portfolio", count: int, method: Method, kind: str) -> Iterator[Row]:
    from apps.portfolios import actions
    from apps.portfolios.models import BookedLots, BookedPart, Checkpoint, PolicyPeriod

    PolicyPeriod.objects.filter(portfolio=portfolio).update(policy=policy_as_portable(Policy(method=method)))
    whole = _spent(lambda: actions.recompute(portfolio_id=portfolio.pk, now=clock.now()))
    what = f"{count:,} events of one asset, {kind}, {method.value}"
    yield Row(f"from the database, {what}", f"{whole.cpu:.1f} s CPU", peer=f"{whole.wall:.1f} s at the clock")
    news = []
    for number in range(_ROUNDS):
        _post(portfolio, [_trade(f"{method.value}{number}", number)])
        news.append(_spent(lambda: actions.recompute(portfolio_id=portfolio.pk, now=clock.now())))
    took, used = (statistics.median(times) * 1_000 for times in zip(*news, strict=True))
    size = sum(_bytes(model._meta.db_table) for model in (BookedLots, BookedPart, Checkpoint))  # noqa: SLF001
    yield Row(
        f"one new trade on {what}",
        f"{took:.0f} ms, {used:.0f} ms CPU",
        peer=f"load {os.getloadavg()[0]:.1f}; {size / 2**20:.0f} MiB kept of all results",
        budget=f"{NEW_MS:.0f} ms",
        met=took <= NEW_MS,
    )


def _ledger(count: int, kind: str) -> "Portfolio":
    from apps.accounts.models import User  # only the benchmark makes people without asking them
    from apps.portfolios.models import PolicyPeriod, Portfolio

    user = User.objects.create_user(email=f"{kind[0]}@bench.example")
    portfolio = Portfolio.objects.create(owner=user, name="Bench")
    PolicyPeriod.objects.create(portfolio=portfolio, policy=policy_as_portable(Policy()))
    told = list(events(count, coins=1))
    if kind == _PURCHASES:
        told = [{**event, "type": "buy"} for event in told]
    for start in range(0, count, _AT_ONCE):
        _post(portfolio, told[start : start + _AT_ONCE])
    return portfolio


def _post(portfolio: "Portfolio", told: list[Event]) -> None:
    from apps.portfolios import actions

    drafts = [draft_of(event, source="bench") for event in told]
    done = actions.post_entries(portfolio=portfolio, drafts=drafts, source="bench", by=None, now=clock.now())
    if done.errors:
        raise RuntimeError(f"The benchmark's own ledger was refused: {done.errors[0].message}")


def _trade(identity: str, number: int) -> Event:
    at = (clock.now() - timedelta(minutes=10 - number)).isoformat()
    kind = "buy" if number % 2 else "sell"
    return {"id": f"new-{identity}", "ts": at, "type": kind, "asset": "C0", "amount": "0.00000001", "price": "9"}


def _spent(work: Callable[[], object]) -> _Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return _Spent(time.perf_counter() - wall, time.process_time() - cpu)


def _bytes(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s)", [table])
        return int(cursor.fetchone()[0])
