"""A portfolio's days from its first entry on: rebuilt from the ledger and the prices of each day, not recorded."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from apps.core.api.times import milliseconds
from apps.markets.domain.instruments import InstrumentName
from apps.markets.queries import DailyRates, daily_rates
from apps.portfolios.domain.history import History, HistoryDay, day_of, history
from apps.portfolios.domain.measures.arithmetic import WIDE
from apps.portfolios.domain.performance import date_of
from apps.portfolios.domain.transactions import Entry
from apps.portfolios.models import Portfolio
from apps.portfolios.queries.ledger import ledger_entries
from apps.portfolios.queries.pricing import prices_of

DAY_MS: Final = 86_400_000
_ONE: Final = Decimal(1)
_WEEK: Final = 7


class Interval(StrEnum):
    """How far apart the points of a history are."""

    DAY = "1d"
    WEEK = "1w"
    MONTH = "1M"


@dataclass(frozen=True, slots=True)
class WithToday:
    """The worth of an asset by day; of today what it is worth now, which stands for no other day."""

    days: DailyRates
    today: int
    now: Decimal | None

    def value(self, day: int) -> Decimal | None:
        """Return the worth at the end of a day, or None."""
        return self.now if day == self.today else self.days.value(day)


@dataclass(frozen=True, slots=True)
class Lived:
    """A ledger lived through to a day, with the prices it was valued at.

    `wanted` names the markets whose days are missing, each with the first day that misses them.
    """

    currency: str
    today: int
    entries: tuple[Entry, ...]
    prices: dict[str, WithToday]
    history: History
    pending: bool
    wanted: dict[InstrumentName, int]
    simulated: bool


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """The end of a day: when the day began, in milliseconds; its value; all money put in by then, less taken out."""

    ts: int
    value: Decimal
    net_deposits: Decimal
    unpriced: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HistoryAnswer:
    """The points of a chart, and what they leave out."""

    currency: str
    points: tuple[HistoryPoint, ...]
    unpriced_days: int
    pending: bool
    simulated: bool


def lived(
    *,
    portfolio: Portfolio,
    now: datetime,
    until: datetime | None = None,
    since: datetime | None = None,
    also: Collection[str] = (),
) -> Lived:
    """Live through the ledger to a moment; what assets made is counted `since` a moment; `also` are priced besides."""
    end = min(until or now, now)
    today, last = int(now.timestamp()) // 86_400, (milliseconds(end) - 1) // DAY_MS
    entries = tuple(ledger_entries(portfolio=portfolio, until=end - timedelta(microseconds=1)))
    assets = {asset for entry in entries for asset in _assets(entry)} | set(also)
    first = day_of(entries[0]) if entries else last
    prices = _prices(assets, portfolio.currency, first, today, now)
    past = history(
        entries,
        money=portfolio.currency,
        prices=prices,
        last_day=last,
        since=None if since is None else milliseconds(since) // DAY_MS,
    )
    return Lived(
        currency=portfolio.currency,
        today=today,
        entries=entries,
        prices=prices,
        history=past,
        pending=any(one.days.pending for one in prices.values()),
        wanted=_wanted(past.days[1:], prices, also),
        simulated=any(one.days.simulated for one in prices.values()),
    )


def portfolio_history(
    *,
    past: Lived,
    from_: datetime | None = None,
    to: datetime | None = None,
    interval: Interval = Interval.DAY,
) -> HistoryAnswer:
    """Return the points of a portfolio's value from its first entry on, in `[from, to)`."""
    start = -1 if from_ is None else milliseconds(from_) // DAY_MS
    behind = None if to is None else -(-milliseconds(to) // DAY_MS)
    points, put_in = [], Decimal(0)
    days = past.history.days[1:]
    for place, day in enumerate(days):
        put_in = WIDE.add(put_in, WIDE.subtract(day.deposits, day.withdrawals))
        inside = day.day >= start and (behind is None or day.day < behind)
        if inside and (place == len(days) - 1 or _closes(day.day, interval)):
            points.append(HistoryPoint(day.day * DAY_MS, day.value, put_in, day.unpriced))
    return HistoryAnswer(
        currency=past.currency,
        points=tuple(points),
        unpriced_days=sum(bool(point.unpriced) for point in points),
        pending=past.pending,
        simulated=past.simulated,
    )


def _closes(day: int, interval: Interval) -> bool:
    """Tell whether a week (on Sunday) or a month ends with a day."""
    if interval is Interval.WEEK:
        return date_of(day).isoweekday() == _WEEK
    return interval is Interval.DAY or date_of(day + 1).day == 1


def _assets(entry: Entry) -> Iterable[str]:
    return (one for one in (entry.asset, entry.in_asset, entry.out_asset, entry.fee_asset) if one)


def _prices(assets: Collection[str], currency: str, first: int, today: int, now: datetime) -> dict[str, WithToday]:
    """Return the days' worths since the day before the first, and today's as it is now."""
    if not assets:
        return {}
    start, midnight = (datetime.fromtimestamp(day * 86_400, UTC) for day in (first - 1, today))
    past = daily_rates(assets=assets, target=currency, from_=start, to=midnight)
    present = prices_of(assets=assets, currency=currency, now=now)
    found = {asset: present[asset].value if asset in present else None for asset in assets}
    found[currency] = _ONE
    return {asset: WithToday(past[asset], today, found[asset]) for asset in assets}


def _wanted(
    days: Iterable[HistoryDay], prices: dict[str, WithToday], also: Collection[str]
) -> dict[InstrumentName, int]:
    wanted: dict[InstrumentName, int] = {}
    for day in days:
        missing = (asset for asset in also if prices[asset].value(day.day) is None)
        for asset in (*day.unpriced, *missing):
            for name in prices[asset].days.wanted:
                wanted.setdefault(name, day.day)
    return wanted
