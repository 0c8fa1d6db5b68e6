"""The past for a reader: history and performance as far as prices are known, and what is missing is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from django.core.cache import cache

from apps.markets.actions import request_history
from apps.markets.domain.instruments import InstrumentName
from apps.markets.domain.timeframes import Timeframe
from apps.markets.queries import current_world, instrument
from apps.portfolios.actions.keeping_past import keep_past
from apps.portfolios.actions.reading import read_completeness
from apps.portfolios.models import Portfolio
from apps.portfolios.queries.history import HistoryAnswer, Interval, lived, portfolio_history
from apps.portfolios.queries.performance import (
    USUAL_BENCHMARK,
    PerformanceAnswer,
    benchmark_assets,
    portfolio_performances,
)
from apps.portfolios.queries.stretch_gains import stretch_gains

#: An answer of the same ledger and the same question is given again for so long.
KEPT_SECONDS: Final = 30
#: Today's point moves with the prices of now, so history and performance are made anew sooner.
LIVE_SECONDS: Final = 5
#: Days that are missing are asked for again after so long.
ASKED_SECONDS: Final = 600
_MOST_ASKED: Final = 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_T = TypeVar("_T")


def read_history(
    *,
    portfolio: Portfolio,
    from_: datetime | None = None,
    to: datetime | None = None,
    interval: Interval = Interval.DAY,
    now: datetime,
) -> HistoryAnswer:
    """Return a portfolio's value from its first entry on; ask for the prices of days that lack them."""

    def made() -> tuple[HistoryAnswer, int]:
        past = lived(portfolio=portfolio, until=to, now=now, course=keep_past(portfolio=portfolio, now=now))
        ask_for(wanted=past.wanted, now=now)
        return portfolio_history(past=past, from_=from_, to=to, interval=interval), LIVE_SECONDS

    return kept(portfolio=portfolio, question=("history", from_, to, interval), make=made)


def read_performance(
    *,
    portfolio: Portfolio,
    from_: datetime | None = None,
    to: datetime | None = None,
    benchmark: str = USUAL_BENCHMARK,
    now: datetime,
) -> PerformanceAnswer:
    """Return how a portfolio did in `[from, to)`; ask for the prices of days that lack them."""
    return read_performances(portfolio=portfolio, from_=from_, to=to, benchmarks=(benchmark,), now=now)[0]


def read_performances(
    *,
    portfolio: Portfolio,
    from_: datetime | None = None,
    to: datetime | None = None,
    benchmarks: tuple[str, ...],
    now: datetime,
) -> tuple[PerformanceAnswer, ...]:
    """Return how a portfolio did in `[from, to)` beside each of some benchmarks, in their order."""

    def made() -> tuple[tuple[PerformanceAnswer, ...], int]:
        also = {asset for name in benchmarks for asset in benchmark_assets(text=name)}
        whole = read_completeness(portfolio=portfolio, now=now)
        course = keep_past(portfolio=portfolio, now=now)
        past = lived(portfolio=portfolio, until=to, since=from_, also=also, now=now, course=course)
        ask_for(wanted=past.wanted, now=now)
        end = min(to or now, now)
        gains = stretch_gains(portfolio=portfolio, past=past, from_=from_, to=end)
        answers = portfolio_performances(
            portfolio=portfolio,
            past=past,
            from_=from_,
            to=end,
            benchmark_names=benchmarks,
            gains=gains,
            completeness=whole,
        )
        return answers, LIVE_SECONDS

    return kept(portfolio=portfolio, question=("performance", from_, to, benchmarks), make=made)


def kept(*, portfolio: Portfolio, question: tuple[object, ...], make: Callable[[], tuple[_T, int]]) -> _T:
    """Return the answer that was made for this state of the ledger a while ago, or make it."""
    facts = (portfolio.version, portfolio.currency, current_world(), *question)
    key = f"past:{portfolio.pk}:{hashlib.blake2b(repr(facts).encode(), digest_size=12).hexdigest()}"
    found: _T | None = cache.get(key)
    if found is None:
        found, seconds = make()
        cache.set(key, found, seconds)
    return found


def ask_for(*, wanted: Mapping[InstrumentName, int], now: datetime) -> None:
    """Ask the venues for the days that are missing, the same ones not again and again."""
    for name, day in list(wanted.items())[:_MOST_ASKED]:
        if not cache.add(f"past-asked:{current_world()}:{name}:{day}", 1, ASKED_SECONDS):
            continue
        market = instrument(name=name)
        request_history(instrument=market, timeframe=Timeframe.D1, from_=_EPOCH + timedelta(days=day), now=now)
