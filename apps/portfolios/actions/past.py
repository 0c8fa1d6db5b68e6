"""The past for a reader: history and performance as far as prices are known, and what is missing is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from django.core.cache import cache

from apps.core.errors import NotFoundError
from apps.markets.actions import request_history
from apps.markets.domain.instruments import InstrumentName
from apps.markets.domain.timeframes import Timeframe
from apps.markets.queries import current_world, instrument
from apps.portfolios.actions.reading import read_completeness
from apps.portfolios.models import Portfolio
from apps.portfolios.queries.history import HistoryAnswer, Interval, Lived, lived, portfolio_history
from apps.portfolios.queries.performance import (
    USUAL_BENCHMARK,
    PerformanceAnswer,
    benchmark_assets,
    portfolio_performance,
)

#: An answer of the same ledger and the same question is given again for so long.
KEPT_SECONDS: Final = 30
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

    def made() -> HistoryAnswer:
        past = lived(portfolio=portfolio, until=to, now=now)
        _ask_for(past.wanted, now=now)
        return portfolio_history(past=past, from_=from_, to=to, interval=interval)

    return _kept(portfolio, ("history", from_, to, interval), made)


def read_performance(
    *,
    portfolio: Portfolio,
    from_: datetime | None = None,
    to: datetime | None = None,
    benchmark: str = USUAL_BENCHMARK,
    now: datetime,
) -> PerformanceAnswer:
    """Return how a portfolio did in `[from, to)`; ask for the prices of days that lack them."""

    def made() -> PerformanceAnswer:
        whole = read_completeness(portfolio=portfolio, now=now)
        also = benchmark_assets(text=benchmark)
        past: Lived = lived(portfolio=portfolio, until=to, since=from_, also=also, now=now)
        _ask_for(past.wanted, now=now)
        end = min(to or now, now)
        return portfolio_performance(
            portfolio=portfolio, past=past, from_=from_, to=end, benchmark_name=benchmark, completeness=whole
        )

    return _kept(portfolio, ("performance", from_, to, benchmark), made)


def _kept(portfolio: Portfolio, question: tuple[object, ...], make: Callable[[], _T]) -> _T:
    """Return the answer that was made a moment ago, or make it."""
    facts = (portfolio.version, portfolio.currency, current_world(), *question)
    key = f"past:{portfolio.pk}:{hashlib.blake2b(repr(facts).encode(), digest_size=12).hexdigest()}"
    found: _T | None = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, KEPT_SECONDS)
    return found


def _ask_for(wanted: Mapping[InstrumentName, int], *, now: datetime) -> None:
    """Ask the venues for the days that are missing, the same ones not again and again."""
    for name, day in list(wanted.items())[:_MOST_ASKED]:
        if not cache.add(f"past-asked:{current_world()}:{name}:{day}", 1, ASKED_SECONDS):
            continue
        try:
            market = instrument(name=name)
        except NotFoundError:  # it vanished since it was read
            continue
        request_history(instrument=market, timeframe=Timeframe.D1, from_=_EPOCH + timedelta(days=day), now=now)
