"""Worlds, moments and small helpers that the tests of the simulator share."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

from apps.simulator.domain.shapes import Candle, WorldEvent
from apps.simulator.domain.world import World

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOW = int(datetime(2026, 11, 21, 13, 37, 42, 512_000, tzinfo=UTC).timestamp() * 1000)


@lru_cache(maxsize=1)
def the_world() -> World:
    """Return a world that only is read."""
    return World(7)


def make_twin(seed: int = 7, **wishes: object) -> World:
    """Return a world with books of its own on the markets of the one that is only read: those need not be made again.

    Not for tests of the markets themselves.
    """
    twin = World(seed)
    if seed == the_world().seed:
        twin._paths, twin._quotes = the_world()._paths, the_world()._quotes
    return twin


def make_world(*, seed: int = 7, ticks_per_second: float = 4.0, history_days: int = 365, markets: int = 0) -> World:
    """Return a world of one's own."""
    return World(seed, ticks_per_second=ticks_per_second, history_days=history_days, markets=markets)


def last_event(world: World, kind: str, *, before: int = NOW - 3 * DAY) -> WorldEvent:
    """Return the last event of a kind that is well over."""
    return [event for event in world.events(before) if event.kind == kind][-1]


def summed(candles: list[Candle]) -> tuple[Decimal, Decimal, Decimal, Decimal, Decimal, Decimal]:
    """Return some candles as one: open, high, low, close, volume, quote volume."""
    return (
        Decimal(candles[0].open),
        max(Decimal(candle.high) for candle in candles),
        min(Decimal(candle.low) for candle in candles),
        Decimal(candles[-1].close),
        sum((Decimal(candle.volume) for candle in candles), Decimal()),
        sum((Decimal(candle.quote_volume) for candle in candles), Decimal()),
    )
