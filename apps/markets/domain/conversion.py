"""From one asset to another through what is traded: fresh before stale, then the shortest way, then the most liquid.

A stablecoin is an asset like others here: it is worth what it trades for.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise, permutations
from typing import Final

from apps.core.money import divide
from apps.markets.domain.instruments import InstrumentName

#: Assets that a way may lead through.
HUBS: Final = ("USD", "USDT", "USDC", "EUR", "BTC", "ETH", "FDUSD")
MOST_HOPS: Final = 3
FRESH_MS: Final = 120_000


@dataclass(frozen=True, slots=True)
class Edge:
    """An instrument as a connection between two assets; `size` is what it trades in a day, in USD."""

    instrument: InstrumentName
    base: str
    quote: str
    size: Decimal

    def joins(self, one: str, other: str) -> bool:
        """Tell whether it leads from one to the other, in either direction."""
        return {self.base, self.quote} == {one, other}


@dataclass(frozen=True, slots=True)
class Quoted:
    """A connection with its price and the time of the price."""

    edge: Edge
    price: Decimal
    ts: int
    source: str


@dataclass(frozen=True, slots=True)
class Step:
    """One conversion on the way: at the price, or at its inverse."""

    quoted: Quoted
    inverse: bool


@dataclass(frozen=True, slots=True)
class Route:
    """A way from one asset to another; its value is exact but for one rounding to 30 fraction digits."""

    steps: tuple[Step, ...]

    @property
    def value(self) -> Decimal:
        """How much of the target one of the source is worth."""
        upper, lower = 1, 1
        for step in self.steps:
            numerator, denominator = step.quoted.price.as_integer_ratio()
            upper *= denominator if step.inverse else numerator
            lower *= numerator if step.inverse else denominator
        return divide(Decimal(upper), Decimal(lower))

    @property
    def ts(self) -> int | None:
        """The time of its oldest price; a way without steps has none."""
        return min((step.quoted.ts for step in self.steps), default=None)

    @property
    def sources(self) -> tuple[str, ...]:
        """Where its prices come from, each once, in order."""
        return tuple(dict.fromkeys(step.quoted.source for step in self.steps))


def useful_edges(edges: Iterable[Edge], *, sources: Iterable[str], target: str) -> list[Edge]:
    """Return the connections that any way from the sources to the target could use."""
    ends = {*sources, target}
    allowed = {*ends, *HUBS}
    return [edge for edge in edges if edge.base in allowed and edge.quote in allowed and _may_help(edge, ends=ends)]


def _may_help(edge: Edge, *, ends: set[str]) -> bool:
    between_hubs = edge.base in HUBS and edge.quote in HUBS
    return between_hubs or edge.base in ends or edge.quote in ends


class Quotes:
    """What is quoted at a moment, ready to be asked for many ways."""

    def __init__(self, quotes: Iterable[Quoted], *, now_ms: int) -> None:
        self._now_ms = now_ms
        self._best = _best_steps(quotes, now_ms=now_ms)

    def route(self, source: str, target: str) -> Route | None:
        """Return the best way: with fresh prices where there is one, then with the fewest hops, then most liquid."""
        if source == target:
            return Route(())
        found: Sequence[Step] | None = None
        for itineraries in _itineraries(source, target):
            ways = [way for stops in itineraries if (way := _way(stops, self._best)) is not None]
            found = max(ways if found is None else [found, *ways], key=self._way_merit, default=None)
            if found is not None and self._way_merit(found)[0]:
                break  # no longer way beats one with fresh prices
        return None if found is None else Route(tuple(found))

    def _way_merit(self, way: Sequence[Step]) -> tuple[bool, int, Decimal]:
        return _way_merit(way, now_ms=self._now_ms)


def best_route(source: str, target: str, quotes: Iterable[Quoted], *, now_ms: int) -> Route | None:
    """Return the best way for one question; for many, `Quotes` prepares what is quoted once."""
    return Quotes(quotes, now_ms=now_ms).route(source, target)


def _itineraries(source: str, target: str) -> Iterator[list[tuple[str, ...]]]:
    """Yield all ways of one length after the other, the shortest first."""
    hubs = [hub for hub in HUBS if hub not in {source, target}]
    for stops in range(MOST_HOPS):
        yield [(source, *between, target) for between in permutations(hubs, stops)]


def _best_steps(quotes: Iterable[Quoted], *, now_ms: int) -> dict[tuple[str, str], Step]:
    """Return the best step for every ordered pair of assets; names decide between equals, so that it stays put."""
    best: dict[tuple[str, str], Step] = {}
    for quoted in sorted(quotes, key=lambda one: one.edge.instrument):
        edge = quoted.edge
        for ends, inverse in (((edge.base, edge.quote), False), ((edge.quote, edge.base), True)):
            step = Step(quoted, inverse)
            held = best.get(ends)
            if held is None or _merit(step, now_ms=now_ms) > _merit(held, now_ms=now_ms):
                best[ends] = step
    return best


def _way(stops: Sequence[str], best: dict[tuple[str, str], Step]) -> tuple[Step, ...] | None:
    steps = tuple(_steps(stops, best))
    return steps if len(steps) == len(stops) - 1 else None


def _steps(stops: Sequence[str], best: dict[tuple[str, str], Step]) -> Iterator[Step]:
    for ends in pairwise(stops):
        step = best.get(ends)
        if step is None:
            return
        yield step


def _merit(step: Step, *, now_ms: int) -> tuple[bool, Decimal]:
    return now_ms - step.quoted.ts <= FRESH_MS, step.quoted.edge.size


def _way_merit(way: Sequence[Step], *, now_ms: int) -> tuple[bool, int, Decimal]:
    fresh, size = min(_merit(step, now_ms=now_ms) for step in way)
    return fresh, -len(way), size
