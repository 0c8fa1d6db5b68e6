"""A portfolio's days from its first entry on: kept as they were lived through, and today at the prices of now."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from apps.core.api.times import milliseconds
from apps.markets.domain.instruments import InstrumentName
from apps.markets.queries import DailyRates, current_world
from apps.portfolios.domain.history import (
    NOTHING,
    DailyPrices,
    History,
    HistoryDay,
    Outcome,
    Standing,
    before,
    by_day,
)
from apps.portfolios.domain.measures.arithmetic import WIDE
from apps.portfolios.domain.performance import date_of
from apps.portfolios.domain.transactions import Entry
from apps.portfolios.models import Portfolio
from apps.portfolios.queries.courses import (
    Course,
    CourseMovedError,
    assets_of,
    course_of,
    rates_of,
    standing_at,
)
from apps.portfolios.queries.late_entries import entries_since
from apps.portfolios.queries.pricing import prices_of

DAY_MS: Final = 86_400_000
_ONE: Final = Decimal(1)
_SIMULATED: Final = "simulated"
_MOST_TRIES: Final = 3
_WEEK: Final = 7


class Interval(StrEnum):
    """How far apart the points of a history are."""

    DAY = "1d"
    WEEK = "1w"
    MONTH = "1M"


@dataclass(frozen=True, slots=True)
class WithToday:
    """The worth of an asset by day; of today what it is worth now, which stands for no other day."""

    days: DailyRates | None
    today: int
    now: Decimal | None

    def value(self, day: int) -> Decimal | None:
        """Return the worth at the end of a day, or None."""
        if day == self.today:
            return self.now
        return None if self.days is None else self.days.value(day)


@dataclass(frozen=True, slots=True)
class Lived:
    """A ledger lived through to a day; `prices` are those of what is held at its end, and of what was asked for.

    `wanted` names the markets whose days are missing, each with the first day that misses them.
    """

    currency: str
    today: int
    prices: Mapping[str, DailyPrices]
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
    course: Course | None = None,
) -> Lived:
    """Live through the ledger to the end of a day; what assets made is counted `since` a day; `also` are priced too.

    Without `course` the days are taken from what is kept, and what does not hold any more is lived through again.
    """
    for _try in range(_MOST_TRIES):
        past = _Past(course or course_of(portfolio=portfolio, now=now), now)
        last = (milliseconds(min(until or now, now)) - 1) // DAY_MS
        start = None if since is None else milliseconds(since) // DAY_MS
        try:
            return past.lived(last, start, frozenset(also))
        except CourseMovedError:
            course = None
    raise CourseMovedError


class _Past:
    """The kept days of a ledger, with today."""

    def __init__(self, course: Course, now: datetime) -> None:
        self._course, self._now = course, now
        self._money, self._today = course.portfolio.currency, course.last_day + 1

    def lived(self, last: int, since: int | None, also: frozenset[str]) -> Lived:
        """Return the ledger as it was lived through to a day."""
        days = [day for day in self._course.days if day.day <= last]
        standing = standing_at(course=self._course, day=min(last, self._today - 1), now=self._now)
        happened: Mapping[int, list[Entry]] = {}
        if last >= self._today:
            happened = by_day(entries_since(portfolio=self._course.portfolio, day=self._today, now=self._now))
        present = self._present(standing.assets | assets_of(entries=happened.get(self._today, ())) | also)
        begun = bool(days or happened)
        first = days[0].day if days else self._today
        earlier = self._earlier(since, first, last, standing)
        if begun and last >= self._today:
            days += standing.live(
                happened, money=self._money, prices=present, first_day=self._today, last_day=self._today
            )
        made = standing.outcome().since(earlier) if begun and (since is None or since <= last) else NOTHING
        rates = self._rates(days, also, first, last)
        prices = {**self._at_the_end(standing, present, last), **self._with_today(rates, present)}
        return Lived(
            currency=self._money,
            today=self._today,
            prices=prices,
            history=History(
                (before(first), *days) if begun else (), made.by_asset, made.by_account, made.fees, made.income
            ),
            pending=any(one.pending for one in rates.values()),
            wanted=_wanted(days, prices, rates, also),
            simulated=current_world() == _SIMULATED and bool(self._course.assets or present),
        )

    def _earlier(self, since: int | None, first: int, last: int, standing: Standing) -> Outcome:
        """Return what had come of it before a stretch began."""
        if since is None or since <= first or since > last:
            return NOTHING
        if since == self._today:
            return standing.outcome()
        return standing_at(course=self._course, day=since - 1, now=self._now).outcome()

    def _present(self, assets: Collection[str]) -> dict[str, WithToday]:
        """Return what assets are worth now."""
        found = prices_of(assets=assets, currency=self._money, now=self._now)
        worths = {asset: found[asset].value if asset in found else None for asset in assets} | {self._money: _ONE}
        return {asset: WithToday(None, self._today, worths[asset]) for asset in {*assets, self._money}}

    def _rates(self, days: list[HistoryDay], also: frozenset[str], first: int, last: int) -> dict[str, DailyRates]:
        """Return the days' worths of what was asked for, and of what lacks some."""
        lacking = {asset for day in days for asset in day.unpriced}
        return rates_of(course=self._course, assets=lacking | also, first=first - 1, last=min(last, self._today - 1))

    def _with_today(self, rates: Mapping[str, DailyRates], present: Mapping[str, WithToday]) -> dict[str, WithToday]:
        return {
            asset: WithToday(one, self._today, present[asset].now if asset in present else None)
            for asset, one in rates.items()
        }

    def _at_the_end(self, standing: Standing, present: dict[str, WithToday], last: int) -> dict[str, WithToday]:
        """Return the worths at the end of the last day of what is held then."""
        if last >= self._today:
            return present
        rates = rates_of(course=self._course, assets=standing.assets, first=last, last=last)
        return self._with_today(rates, present)


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


def _wanted(
    days: Iterable[HistoryDay],
    prices: Mapping[str, DailyPrices],
    rates: Mapping[str, DailyRates],
    also: Collection[str],
) -> dict[InstrumentName, int]:
    wanted: dict[InstrumentName, int] = {}
    for day in days:
        missing = (asset for asset in also if asset in prices and prices[asset].value(day.day) is None)
        for asset in (*day.unpriced, *missing):
            for name in rates[asset].wanted if asset in rates else ():
                wanted.setdefault(name, day.day)
    return wanted
