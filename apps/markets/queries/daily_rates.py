"""What many assets were worth in a currency at the end of each day: the closes of days, along the ways of `rates`.

A day without a close is absent; the close of the day before stands in for a single missing one, as in `rates`. It is
never today's price. Where days are not kept, the last hour of a day tells its close.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal, Inexact
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

import numpy as np
from django.db.models import Count, Sum

from apps.core.api.times import milliseconds
from apps.core.models.work import OPEN_STATES
from apps.core.money import divide, multiply
from apps.markets.domain.candles import Candles, Flags, Floats, Integers
from apps.markets.domain.conversion import HUBS, Edge, Quoted, Quotes, Route, useful_edges
from apps.markets.domain.instruments import InstrumentName
from apps.markets.domain.timeframes import DAY_MS, Timeframe
from apps.markets.models import Backfill, CandleSeries, Instrument
from apps.markets.models.catalogue import world_is_simulated
from apps.markets.queries.catalogue import symbols_at
from apps.markets.queries.stored_candles import read_many

_MOST_ROUNDS: Final = 8
_LAST_HOUR: Final = DAY_MS - Timeframe.H1.milliseconds
_NOTHING: Final = -1
_ONE: Final = Decimal(1)
#: Markets from an asset to another, each with whether it is taken the other way round.
DailyWay: TypeAlias = tuple[tuple[InstrumentName, bool], ...]
_NO_WAYS: Final[Mapping[str, Sequence[DailyWay]]] = MappingProxyType({})
#: Closes have at most 17 figures; three of them multiply exactly.
_EXACT: Final = Context(prec=1_000, traps=[Inexact])


@dataclass(frozen=True, slots=True, eq=False)
class DailyStep:
    """One conversion of every day: at the close, or at its inverse; nan where there is none."""

    instrument: InstrumentName
    inverse: bool
    closes: Floats


@dataclass(frozen=True, slots=True, eq=False)
class DailyRates:
    """What one of an asset was worth in the target at the end of each day; days are counted from 1970-01-01.

    `wanted` names the markets of the best way: where days are missing, their history is what to ask for.
    """

    asset: str
    target: str
    first_day: int
    ways: tuple[tuple[DailyStep, ...], ...]
    choice: Integers
    wanted: tuple[InstrumentName, ...]
    pending: bool
    simulated: bool

    def value(self, day: int) -> Decimal | None:
        """Return the worth at the end of a day, exactly as its closes give it; None where that is not known."""
        place = day - self.first_day
        if not 0 <= place < len(self.choice) or self.choice[place] == _NOTHING:
            return None
        upper = lower = _ONE
        for step in self.ways[self.choice[place]]:
            close = Decimal(repr(float(step.closes[place])))
            if step.inverse:
                lower = _EXACT.multiply(lower, close)
            else:
                upper = _EXACT.multiply(upper, close)
        return multiply(upper, _ONE) if lower is _ONE else divide(upper, lower)

    def sources(self, day: int) -> tuple[str, ...]:
        """Return the venues whose closes a day's worth comes from."""
        place = day - self.first_day
        if not 0 <= place < len(self.choice) or self.choice[place] == _NOTHING:
            return ()
        return tuple(dict.fromkeys(step.instrument.venue for step in self.ways[self.choice[place]]))

    def paths(self) -> tuple[DailyWay, ...]:
        """Return the ways that the days take, in the order in which they were tried."""
        return tuple(tuple((step.instrument, step.inverse) for step in way) for way in self.ways)

    def near(self, first: int, last: int) -> Floats:
        """Return the worth of each day of a stretch as close as a float comes; nan where it is not known."""
        start, stop = first - self.first_day, last - self.first_day + 1
        found = np.full(max(0, stop - start), np.nan)
        choice = self.choice[start:stop]
        for place, way in enumerate(self.ways):
            worth = np.ones(len(choice))
            for step in way:
                closes = step.closes[start:stop]
                worth = worth / closes if step.inverse else worth * closes
            chosen = choice == place
            found[: len(choice)][chosen] = worth[chosen]
        return found

    def days(self) -> list[int]:
        """Return the days whose worth is known."""
        found: list[int] = (np.flatnonzero(self.choice != _NOTHING) + self.first_day).tolist()
        return found


def daily_rates(
    *,
    assets: Collection[str],
    target: str,
    from_: datetime,
    to: datetime,
    prefer: Mapping[str, Sequence[DailyWay]] = _NO_WAYS,
) -> dict[str, DailyRates]:
    """Return what one of each asset was worth at the end of each day that begins in `[from, to)`, by name.

    The most liquid way changes from day to day, the past should not: ways that an asset was priced by before are
    preferred, in their order, for every day that they have a close for.
    """
    first, behind = -(-milliseconds(from_) // DAY_MS), -(-milliseconds(to) // DAY_MS)
    called = symbols_at(codes={*assets, target}, moment=to)
    symbols, goal = {called[one] for one in assets}, called[target]
    ids = _connections(symbols, goal)
    known = list(ids)
    searches = {one: _Search(one, goal, known, max(0, behind - first)) for one in symbols}
    closes = _Closes({edge.instrument: pk for edge, pk in ids.items()}, first, max(0, behind - first))
    _go_as_before([(searches[called[one]], prefer[one]) for one in assets if one in prefer], closes)
    _fill(list(searches.values()), closes)
    pending = _loading(closes)
    return {one: _answer(one, target, searches[called[one]], first, pending) for one in assets}


def daily_stamp(*, assets: Collection[str], target: str, now: datetime) -> str:
    """Return what changes whenever a close changes that the days of these assets could be worth by."""
    allowed = {*symbols_at(codes={*assets, target}, moment=now).values(), *HUBS}
    series = CandleSeries.objects.here().filter(
        timeframe__in=[Timeframe.D1, Timeframe.H1],
        instrument__base__symbol__in=allowed,
        instrument__quote__symbol__in=allowed,
    )
    found = series.order_by().aggregate(series=Count("pk"), changes=Sum("version"))
    return f"{found['series']}:{found['changes'] or 0}"


def _answer(asset: str, target: str, found: "_Search", first: int, pending: set[InstrumentName]) -> DailyRates:
    return DailyRates(
        asset=asset,
        target=target,
        first_day=first,
        ways=tuple(found.ways),
        choice=found.choice,
        wanted=found.wanted,
        pending=bool(pending.intersection(found.wanted)),
        simulated=world_is_simulated(),
    )


# --- Ways -------------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class _Search:
    """One asset's ways so far, which of them each day takes, and the connections that are left to try."""

    asset: str
    target: str
    known: list[Edge]
    count: int
    left: list[Edge] | None = None
    ways: list[tuple[DailyStep, ...]] = field(default_factory=list)
    choice: Integers = field(init=False)
    wanted: tuple[InstrumentName, ...] = ()

    def __post_init__(self) -> None:
        self.choice = np.full(self.count, _NOTHING, dtype=np.int64)

    @property
    def is_done(self) -> bool:
        return not bool(np.any(self.choice == _NOTHING))

    def route(self) -> Route | None:
        """Return the best way among the connections that are left."""
        if self.left is None:
            self.left = useful_edges(self.known, sources=[self.asset], target=self.target)
        quotes = [Quoted(edge, Decimal(1), 0, "") for edge in self.left]
        return Quotes(quotes, now_ms=0).route(self.asset, self.target)

    def use(self, steps: tuple[DailyStep, ...]) -> Flags:
        """Use a way for the days that have none yet and all of its closes; return which days were open."""
        self.wanted = self.wanted or tuple(step.instrument for step in steps)
        missing: Flags = self.choice == _NOTHING
        whole = np.logical_and.reduce([missing, *(np.isfinite(step.closes) for step in steps)])
        if whole.any():
            self.choice[whole] = len(self.ways)
            self.ways.append(steps)
        return missing

    def take(self, steps: tuple[DailyStep, ...]) -> None:
        """Use a way, then try without its weakest part."""
        missing = self.use(steps)
        if steps:
            covered = [int(np.count_nonzero(np.isfinite(step.closes) & missing)) for step in steps]
            weakest = steps[covered.index(min(covered))].instrument
            self.left = [edge for edge in self.left or () if edge.instrument != weakest]


def _go_as_before(ways: Sequence[tuple[_Search, Sequence[DailyWay]]], closes: "_Closes") -> None:
    """Go the ways of before, as far as their markets are still known."""
    there = [(search, way) for search, before in ways for way in before if closes.knows(way)]
    closes.load({name for _search, way in there for name, _inverse in way})
    for search, way in there:
        search.use(tuple(DailyStep(name, inverse, closes.held[name]) for name, inverse in way))


def _fill(searches: Sequence[_Search], closes: "_Closes") -> None:
    """Try the best way of each asset, and the next best for the days that it leaves open."""
    open_ = [one for one in searches if not one.is_done]
    for _round in range(_MOST_ROUNDS):
        routes = [(one, route) for one in open_ if (route := one.route()) is not None]
        closes.load({step.quoted.edge.instrument for _one, route in routes for step in route.steps})
        for one, route in routes:
            names = ((step.quoted.edge.instrument, step.inverse) for step in route.steps)
            one.take(tuple(DailyStep(name, inverse, closes.held[name]) for name, inverse in names))
        open_ = [one for one, _route in routes if not one.is_done]
        if not open_:
            return


def _connections(symbols: Collection[str], target: str) -> dict[Edge, UUID]:
    """Return the markets of this world that a way could lead through, vanished ones too."""
    allowed = {*symbols, target, *HUBS}
    rows = Instrument.objects.here().filter(base__symbol__in=allowed, quote__symbol__in=allowed)
    columns = rows.values_list("venue", "symbol", "base__symbol", "quote__symbol", "volume_usd", "pk")
    return {
        Edge(InstrumentName.of(venue, symbol), base, quote, size or Decimal(0)): pk
        for venue, symbol, base, quote, size, pk in columns
    }


# --- Closes -----------------------------------------------------------------------------------------------------------
class _Closes:
    """The closes of markets by day, each read once, many in one question."""

    def __init__(self, ids: dict[InstrumentName, UUID], first: int, count: int) -> None:
        self._ids, self._first, self._count = ids, first, count
        self.held: dict[InstrumentName, Floats] = {}

    @property
    def ids(self) -> list[UUID]:
        """The markets that were asked for."""
        return [self._ids[name] for name in self.held]

    def knows(self, way: DailyWay) -> bool:
        """Tell whether all markets of a way are known."""
        return all(name in self._ids for name, _inverse in way)

    def named(self, pks: Collection[UUID]) -> set[InstrumentName]:
        """Return the names of markets."""
        return {name for name in self.held if self._ids[name] in pks}

    def load(self, names: Collection[InstrumentName]) -> None:
        """Read what is not held yet."""
        new = [name for name in names if name not in self.held]
        wanted = {self._ids[name]: name for name in new}
        rows = CandleSeries.objects.filter(
            instrument__in=wanted, timeframe__in=[Timeframe.D1, Timeframe.H1], count__gt=0
        )
        series = {(pk, Timeframe(frame)): one for one, pk, frame in rows.values_list("pk", "instrument", "timeframe")}
        days = [one for (_pk, frame), one in series.items() if frame is Timeframe.D1]
        read = read_many(
            series_ids=days, from_ms=(self._first - 1) * DAY_MS, to_ms=(self._first + self._count) * DAY_MS
        )
        for pk, name in wanted.items():
            own = read.get(series[pk, Timeframe.D1]) if (pk, Timeframe.D1) in series else None
            self.held[name] = self._column(own, series.get((pk, Timeframe.H1)))

    def _column(self, days: Candles | None, hours: UUID | None) -> Floats:
        """Return a close for each day; it begins a day early, so that the first can stand in for the one after."""
        column = np.full(self._count + 1, np.nan)
        if days is not None:
            self._put(column, days)
        missing = np.flatnonzero(np.isnan(column))
        if hours is not None and len(missing):
            start, end = (self._first - 1 + int(missing[place]) for place in (0, -1))
            read = read_many(series_ids=[hours], from_ms=start * DAY_MS, to_ms=(end + 1) * DAY_MS).get(hours)
            if read is not None:
                last = read.pick(read.ts % DAY_MS == _LAST_HOUR)
                self._put(column, last.pick(np.isnan(column[last.ts // DAY_MS - self._first + 1])))
        return np.where(np.isnan(column[1:]), column[:-1], column[1:])

    def _put(self, column: Floats, candles: Candles) -> None:
        priced = candles.pick(candles.close > 0)
        column[priced.ts // DAY_MS - self._first + 1] = priced.close


def _loading(closes: _Closes) -> set[InstrumentName]:
    """Return the markets whose days are being fetched."""
    rows = Backfill.objects.filter(
        series__instrument__in=closes.ids, series__timeframe=Timeframe.D1, state__in=OPEN_STATES
    )
    return closes.named(set(rows.values_list("series__instrument", flat=True)))
