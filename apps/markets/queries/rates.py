"""What one asset is worth in another, now or then: from what was traded, with its way, its sources and its age.

A rate of the past is the last close before that moment, of an hour where hours are known, else of a day; it is never
today's price. Without a price there is no value, and the reason is said.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from apps.core.api.times import milliseconds
from apps.core.errors import FieldProblem, InvalidError
from apps.markets.domain.conversion import HUBS, Edge, Quoted, Quotes, Route, best_route, useful_edges
from apps.markets.domain.instruments import InstrumentName
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models import Instrument
from apps.markets.models.catalogue import world_is_simulated
from apps.markets.queries.candles import candles
from apps.markets.queries.catalogue import symbols_at
from apps.markets.queries.prices import latest_prices

#: A moment that lies less than this back is now.
PRESENT: Final = timedelta(minutes=1)
#: A close may be so many candles older than the moment it stands for.
OLDEST_CLOSE: Final = 2

_MOST_TRIES: Final = 24


class RateState(StrEnum):
    """Whether there is a value, may soon be one, or is none."""

    PRICED = "priced"
    PENDING = "pending"
    UNPRICED = "unpriced"


class NoRate(StrEnum):
    """Why there is no value."""

    NONE = ""
    NO_MARKET = "no_market"
    NO_PRICE_YET = "no_price_yet"
    HISTORY_LOADING = "history_loading"
    NO_HISTORY = "no_history"


@dataclass(frozen=True, slots=True)
class RateStep:
    """One conversion on the way."""

    instrument: str
    inverse: bool
    price: Decimal
    source: str
    ts: int
    age_ms: int


@dataclass(frozen=True, slots=True)
class Rate:
    """What one of the source is worth in the target; `ts` and age are those of the oldest price on the way."""

    source: str
    target: str
    at: datetime
    value: Decimal | None
    state: RateState
    reason: NoRate
    path: tuple[RateStep, ...]
    sources: tuple[str, ...]
    ts: int | None
    age_ms: int | None
    simulated: bool


def rate(*, source: str, target: str, at: datetime | None = None, now: datetime) -> Rate:
    """Return what one of an asset is worth in another, now or at a moment of the past."""
    return rates(sources=[source], target=target, at=at, now=now)[source]


def rates(*, sources: Collection[str], target: str, at: datetime | None = None, now: datetime) -> dict[str, Rate]:
    """Return what one of each asset is worth in another, by the names given."""
    moment = at or now
    if moment > now + PRESENT:
        raise InvalidError(problems=[FieldProblem("at", "in_the_future", "Choose a moment that has passed.")])
    called = symbols_at(codes={*sources, target}, moment=moment)
    symbols, goal = {called[one] for one in sources}, called[target]
    if moment >= now - PRESENT:
        found = _present(symbols, goal, now=now)
    else:
        edges = _edges(symbols, goal, active_only=False)
        closes = _closes(moment=moment, now=now)
        found = {symbol: _past(symbol, goal, edges, closes, moment=moment) for symbol in symbols}
    return {one: _as_asked(found[called[one]], one, target) for one in sources}


def _as_asked(found: "_Found", source: str, target: str) -> Rate:
    route, moment = found.route, found.moment
    present = milliseconds(moment)
    steps = () if route is None else route.steps
    path = tuple(
        RateStep(
            instrument=str(step.quoted.edge.instrument),
            inverse=step.inverse,
            price=step.quoted.price,
            source=step.quoted.source,
            ts=step.quoted.ts,
            age_ms=max(0, present - step.quoted.ts),
        )
        for step in steps
    )
    return Rate(
        source=source,
        target=target,
        at=moment,
        value=None if route is None else route.value,
        state=found.state,
        reason=found.reason,
        path=path,
        sources=() if route is None else route.sources,
        ts=None if route is None else route.ts,
        age_ms=max((step.age_ms for step in path), default=None),
        simulated=world_is_simulated(),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """A way with its prices, or why there is none."""

    moment: datetime
    route: Route | None
    reason: NoRate = NoRate.NONE

    @property
    def state(self) -> RateState:
        if self.route is not None:
            return RateState.PRICED
        return RateState.PENDING if self.reason in {NoRate.NO_PRICE_YET, NoRate.HISTORY_LOADING} else RateState.UNPRICED


# --- Now --------------------------------------------------------------------------------------------------------------
def _present(symbols: Collection[str], target: str, *, now: datetime) -> dict[str, _Found]:
    edges = _edges(symbols, target, active_only=True)
    prices = latest_prices(instruments=[str(edge.instrument) for edge in edges])
    quotes = [
        Quoted(edge, Decimal(price.price), price.ts, price.source)
        for edge in edges
        if (price := prices.get(str(edge.instrument))) is not None
    ]
    quoted = Quotes(quotes, now_ms=milliseconds(now))
    found = {symbol: _Found(now, quoted.route(symbol, target)) for symbol in symbols}
    lacking = [symbol for symbol, one in found.items() if one.route is None]
    blank = _blank(edges if lacking else ())
    for symbol in lacking:
        reason = NoRate.NO_MARKET if blank.route(symbol, target) is None else NoRate.NO_PRICE_YET
        found[symbol] = _Found(now, None, reason)
    return found


def _blank(edges: Iterable[Edge]) -> Quotes:
    """Return what would be quoted if every connection had a price."""
    return Quotes([Quoted(edge, Decimal(1), 0, "") for edge in edges], now_ms=0)


_Closes = Callable[[Edge], Quoted | NoRate]


# --- Then -------------------------------------------------------------------------------------------------------------
def _past(symbol: str, target: str, edges: Sequence[Edge], closes: _Closes, *, moment: datetime) -> _Found:
    """Take the best way, read its closes, and leave out connections without one until a way is whole."""
    left, reason = list(edges), NoRate.NO_MARKET
    for _try in range(_MOST_TRIES):
        blank = _blank(left).route(symbol, target)
        if blank is None:
            break
        way = [step.quoted.edge for step in blank.steps]
        priced = {edge: closes(edge) for edge in way}
        quotes = [one for one in priced.values() if isinstance(one, Quoted)]
        if len(quotes) == len(way):
            return _Found(moment, best_route(symbol, target, quotes, now_ms=milliseconds(moment)))
        missing = {edge: why for edge, why in priced.items() if isinstance(why, NoRate)}
        reason = NoRate.HISTORY_LOADING if NoRate.HISTORY_LOADING in {reason, *missing.values()} else NoRate.NO_HISTORY
        left = [edge for edge in left if edge not in missing]
    return _Found(moment, None, reason)


def _closes(*, moment: datetime, now: datetime) -> _Closes:
    """Return the reader of closes before a moment; it reads each connection once."""
    held: dict[InstrumentName, Quoted | NoRate] = {}

    def read(edge: Edge) -> Quoted | NoRate:
        if edge.instrument not in held:
            held[edge.instrument] = _last_close(edge, at_ms=milliseconds(moment), now_ms=milliseconds(now))
        return held[edge.instrument]

    return read


def _last_close(edge: Edge, *, at_ms: int, now_ms: int) -> Quoted | NoRate:
    row = Instrument.objects.here().named(edge.instrument).get()
    pending = False
    for frame in (Timeframe.H1, Timeframe.D1):
        page = candles(instrument=row, timeframe=frame, now_ms=now_ms, to_ms=frame.floor(at_ms), limit=1)
        pending |= page.pending
        if not len(page.candles):
            continue
        closed_at = page.candles.last_ts + frame.milliseconds
        if at_ms - closed_at < OLDEST_CLOSE * frame.milliseconds:
            return Quoted(edge, Decimal(repr(float(page.candles.close[-1]))), closed_at, edge.instrument.venue)
    return NoRate.HISTORY_LOADING if pending else NoRate.NO_HISTORY


# --- Connections ------------------------------------------------------------------------------------------------------
def _edges(symbols: Collection[str], target: str, *, active_only: bool) -> list[Edge]:
    allowed = {*symbols, target, *HUBS}
    rows = Instrument.objects.here().filter(base__symbol__in=allowed, quote__symbol__in=allowed)
    if active_only:
        rows = rows.active()
    columns = rows.values_list("venue", "symbol", "base__symbol", "quote__symbol", "volume_usd")
    edges = [
        Edge(InstrumentName.of(venue, symbol), base, quote, size or Decimal(0))
        for venue, symbol, base, quote, size in columns
    ]
    return useful_edges(edges, sources=symbols, target=target)
