"""What is out of the ordinary: in every 120 days one crash, one lost peg, one listing and one delisting.

They come by the calendar, not by the start of the program, so that the same seed tells the same story on every day.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from apps.simulator.domain import coins, seeds
from apps.simulator.domain.seeds import Floats
from apps.simulator.domain.shapes import DAY_MS, WorldEvent

BEGIN_MS = int(datetime(2019, 1, 1, tzinfo=UTC).timestamp() * 1000)
CYCLE_DAYS = 120
CYCLES = 84
_HOUR_MS = 3_600_000
_FRAGILE = ("USDC", "DAI", "TUSD", "FDUSD", "PYUSD")
_CRASH_HOURS = 5
_CRASH_RECOVERY_DAYS = 22


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A coin that comes and goes: everywhere at the same moments."""

    coin: coins.Coin
    listed_at: int
    delisted_at: int


@dataclass(frozen=True, slots=True)
class Cycle:
    """What happens within one run of 120 days."""

    crash_at: int
    crash_depth: float
    peg: str
    peg_lost_at: int
    peg_depth: float
    newcomer: Newcomer


@lru_cache(maxsize=8)
def cycles(seed: int) -> tuple[Cycle, ...]:
    """Return the whole calendar."""
    return tuple(_cycle(seed, index) for index in range(CYCLES))


def _cycle(seed: int, index: int) -> Cycle:
    source = seeds.generator(seed, "cycle", index)
    listing, crash, peg, ending = (int(source.integers(*span)) for span in ((12, 28), (34, 52), (60, 88), (94, 112)))
    begin = BEGIN_MS + index * CYCLE_DAYS * DAY_MS
    hours = [int(hour) for hour in source.integers(0, 20, 2)]
    newcomer = Newcomer(
        coins.invented(seed, "newcomer", index),
        begin + listing * DAY_MS + 10 * _HOUR_MS,
        begin + (2 * CYCLE_DAYS + ending) * DAY_MS + 8 * _HOUR_MS,
    )
    return Cycle(
        begin + crash * DAY_MS + hours[0] * _HOUR_MS,
        float(source.uniform(0.34, 0.5)),
        _FRAGILE[int(source.integers(len(_FRAGILE)))],
        begin + peg * DAY_MS + hours[1] * _HOUR_MS,
        float(source.uniform(0.05, 0.14)),
        newcomer,
    )


def _near(seed: int, from_ms: float, to_ms: float) -> tuple[Cycle, ...]:
    """Return the cycles whose traces can be seen between two moments."""
    first = int((from_ms - BEGIN_MS) // (CYCLE_DAYS * DAY_MS)) - 2
    last = int((to_ms - BEGIN_MS) // (CYCLE_DAYS * DAY_MS)) + 1
    return cycles(seed)[max(first, 0) : max(last, 0)]


def market_shift(seed: int, times: Floats) -> Floats:
    """Return what the crashes do to the logarithm of the whole market's price."""
    shift = np.zeros_like(times)
    for cycle in _near(seed, times[0], times[-1]):
        since = times - cycle.crash_at
        fall = np.clip(since / (_CRASH_HOURS * _HOUR_MS), 0.0, 1.0)
        shift -= cycle.crash_depth * fall**1.5 * np.exp(-np.maximum(since, 0.0) / (_CRASH_RECOVERY_DAYS * DAY_MS))
    return shift


def own_shift(seed: int, code: str, times: Floats) -> Floats:
    """Return what lost pegs and first days do to the logarithm of one coin's price."""
    shift = np.zeros_like(times)
    for cycle in _near(seed, times[0], times[-1]):
        if code not in {cycle.peg, cycle.newcomer.coin.code}:
            continue
        if cycle.peg == code:
            hours = (times - cycle.peg_lost_at) / _HOUR_MS
            shift += np.log1p(-cycle.peg_depth * _peg_shape(hours))
        if cycle.newcomer.coin.code == code:
            hours = np.maximum(times - cycle.newcomer.listed_at, 0.0) / _HOUR_MS
            shift += 0.9 * np.exp(-hours / 7.0)
    return shift


def _peg_shape(hours: Floats) -> Floats:
    """Fall within three hours, a rough night, and back after a day."""
    fall = np.clip(hours / 3.0, 0.0, 1.0)
    back = np.clip((24.0 - hours) / 9.0, 0.0, 1.0)
    rough = 1.0 + 0.25 * np.sin(hours * 2.1) * np.sin(hours * 0.37)
    shape: Floats = np.clip(fall * back * rough / 1.25, 0.0, 1.0)
    return shape


@lru_cache(maxsize=8)
def wild_days(seed: int) -> tuple[int, ...]:
    """Return the days, counted from the beginning, on which something happens between two midnights."""
    days = set()
    for cycle in cycles(seed):
        for moment in (cycle.crash_at, cycle.peg_lost_at, cycle.newcomer.listed_at):
            day = (moment - BEGIN_MS) // DAY_MS
            days |= {day, day + 1}
    return tuple(sorted(days))


def told(seed: int, now_ms: int) -> list[WorldEvent]:
    """Return what has begun up to now, oldest first."""
    events = []
    for cycle in cycles(seed):
        events += [
            WorldEvent("crash", "market", cycle.crash_at, cycle.crash_at + _CRASH_HOURS * _HOUR_MS),
            WorldEvent("depeg", cycle.peg, cycle.peg_lost_at, cycle.peg_lost_at + DAY_MS),
            WorldEvent("listing", cycle.newcomer.coin.code, cycle.newcomer.listed_at, cycle.newcomer.listed_at),
            WorldEvent("delisting", cycle.newcomer.coin.code, cycle.newcomer.delisted_at, cycle.newcomer.delisted_at),
        ]
    return sorted((event for event in events if event.from_ts <= now_ms), key=lambda event: event.from_ts)
