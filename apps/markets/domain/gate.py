"""The data-quality gate: what comes from outside goes in as a table and comes out as candles and faults.

A fault is a value. The refused rows are kept by the caller for a person to look at; the noted ones were put right
(sorted, dropped as a repetition, brought to milliseconds) and are reported.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from apps.markets.domain import spikes
from apps.markets.domain.candles import Candles, Flags, Floats, Gap, Integers, aggregated, empty, from_table, gaps
from apps.markets.domain.timeframes import Timeframe

#: Bitcoin's first day: no candle is older.
EARLIEST_MS: Final = 1_230_768_000_000
#: More notes of one kind than this are told as one.
MOST_NOTES: Final = 200
_SECONDS_BELOW: Final = 1e11
_MICROSECONDS_FROM: Final = 1e14
_NANOSECONDS_FROM: Final = 1e17
#: Some sources round volumes: only what is short by more than that was taken too early.
_LESS_VOLUME: Final = 0.999


class FaultCode(StrEnum):
    """What can be wrong with a candle from outside."""

    NOT_A_NUMBER = "not_a_number"
    ZERO_PRICE = "zero_price"
    NEGATIVE_PRICE = "negative_price"
    NEGATIVE_VOLUME = "negative_volume"
    HIGH_BELOW_LOW = "high_below_low"
    NOT_ENCLOSED = "high_low_not_enclosing"
    IMPOSSIBLE_TIME = "impossible_time"
    IN_FUTURE = "time_in_future"
    UNFINISHED = "unfinished"
    MISALIGNED = "misaligned"
    CONFLICT = "conflicting_duplicate"
    SPIKE = "spike"
    UNCONFIRMED = "unconfirmed_spike"
    # put right, and told
    DUPLICATE = "exact_duplicate"
    OUT_OF_ORDER = "out_of_order"
    WRONG_UNIT = "wrong_time_unit"


_IMPOSSIBLE_SHAPES: Final = frozenset({FaultCode.HIGH_BELOW_LOW, FaultCode.NOT_ENCLOSED})
NOTES: Final = frozenset({FaultCode.DUPLICATE, FaultCode.OUT_OF_ORDER, FaultCode.WRONG_UNIT})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one row: its place in what came, the time that it claims, its six numbers as they came."""

    code: FaultCode
    place: int
    ts: int
    row: tuple[float, ...]
    count: int = 1

    @property
    def is_refused(self) -> bool:
        """Whether the row was kept out."""
        return self.code not in NOTES


@dataclass(frozen=True, slots=True)
class Passed:
    """What the gate lets through, and what it has to say."""

    candles: Candles
    faults: tuple[Fault, ...]

    @property
    def refused(self) -> list[Fault]:
        """The faults whose rows were kept out."""
        return [fault for fault in self.faults if fault.is_refused]

    def holes(self, timeframe: Timeframe) -> list[Gap]:
        """Return the open times between the first and the last row of which no row, good or bad, says anything."""
        told = [timeframe.floor(fault.ts) for fault in self.faults if fault.ts > 0]
        stood = np.union1d(self.candles.ts, np.array(told, dtype=np.int64))
        if not len(stood):
            return []
        return gaps(stood, timeframe, int(stood[0]), int(stood[-1]) + timeframe.milliseconds)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known already: stored candles around the new ones, and the same time in a finer timeframe."""

    around: Candles
    finer: Candles
    finer_timeframe: Timeframe | None = None


NOTHING_KNOWN: Final = Surroundings(around=empty(), finer=empty())


def inspect(
    *, table: Floats, timeframe: Timeframe, now_ms: int, known: Surroundings = NOTHING_KNOWN, grace_ms: int = 0
) -> Passed:
    """Let the sound rows of a table (time, open, high, low, close, volume) through, as candles by time."""
    given = np.ascontiguousarray(table, dtype=np.float64).reshape(-1, 6)
    faults: list[Fault] = []
    rows, rescaled = _in_milliseconds(given)
    sound = _sound(given, rows, timeframe, now_ms - grace_ms, faults)
    ts = np.where(sound, rows[:, 0], 0).astype(np.int64)
    _note(faults, FaultCode.WRONG_UNIT, np.flatnonzero(sound & rescaled), given, ts)
    places = np.flatnonzero(sound)
    places = places[np.argsort(ts[places], kind="stable")]
    places, single = _unique(rows, places, given, ts, faults)
    as_given = np.sort(single)
    _note(faults, FaultCode.OUT_OF_ORDER, as_given[_displaced(ts[as_given])], given, ts)
    candles = from_table(rows[places])
    for code, bad in _out_of_line(candles, timeframe, known):
        _refuse(faults, code, places[bad], given, ts)
        candles, places = candles.pick(~bad), places[~bad]
    faults = _twins_named(faults, candles)
    faults.sort(key=lambda fault: (fault.place, fault.code))
    return Passed(candles=candles, faults=tuple(faults))


# --- Row by row -----------------------------------------------------------------------------------------------------
def _in_milliseconds(given: Floats) -> tuple[Floats, Flags]:
    """Bring times in seconds, microseconds and nanoseconds to milliseconds; no candle can be meant otherwise."""
    rows = given.copy()
    times = rows[:, 0]
    with np.errstate(invalid="ignore"):
        seconds = (times > 0) & (times < _SECONDS_BELOW)
        nanos = times >= _NANOSECONDS_FROM
        micros = (times >= _MICROSECONDS_FROM) & ~nanos
    for which, factor in ((seconds, 1e3), (micros, 1e-3), (nanos, 1e-6)):
        times[which] = np.rint(times[which] * factor)
    return rows, seconds | micros | nanos


def _checks(rows: Floats, timeframe: Timeframe, now_ms: int) -> Iterator[tuple[FaultCode, Flags]]:
    """Yield what each row may be refused for, the plainest reason first."""
    times, opened, high, low, close, volume = rows.T
    prices = rows[:, 1:5]
    yield FaultCode.NOT_A_NUMBER, np.any(~np.isfinite(rows), axis=1)
    yield FaultCode.NEGATIVE_PRICE, np.any(prices < 0, axis=1)
    yield FaultCode.ZERO_PRICE, np.any(prices == 0, axis=1)
    yield FaultCode.NEGATIVE_VOLUME, volume < 0
    yield FaultCode.HIGH_BELOW_LOW, high < low
    yield FaultCode.NOT_ENCLOSED, (high < np.maximum(opened, close)) | (low > np.minimum(opened, close))
    yield FaultCode.IMPOSSIBLE_TIME, (times < EARLIEST_MS) | (times != np.floor(times))
    yield FaultCode.IN_FUTURE, times > now_ms
    yield FaultCode.MISALIGNED, np.mod(times, timeframe.milliseconds) != 0
    yield FaultCode.UNFINISHED, times + timeframe.milliseconds > now_ms


def _sound(given: Floats, rows: Floats, timeframe: Timeframe, now_ms: int, faults: list[Fault]) -> Flags:
    sound = np.ones(len(rows), dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        for code, unsound in _checks(rows, timeframe, now_ms):
            bad = unsound & sound
            if bad.any():
                _refuse(faults, code, np.flatnonzero(bad), given, _times(rows))
                sound &= ~bad
    return sound


def _times(rows: Floats) -> Integers:
    usable = np.isfinite(rows[:, 0]) & (np.abs(rows[:, 0]) < 2.0**53)
    return np.where(usable, rows[:, 0], 0).astype(np.int64)


# --- Row against row ------------------------------------------------------------------------------------------------
def _displaced(ts: Integers) -> Integers:
    """Return the places of the fewest rows that would have to move for the times to rise.

    Walks from the end and keeps the longest series that rises, so of two swapped rows the later one is named.
    """
    if not len(ts) or np.all(ts[1:] >= ts[:-1]):
        return np.empty(0, dtype=np.int64)
    ends: list[int] = []
    lengths = np.empty(len(ts), dtype=np.int64)
    for place, value in enumerate((-ts[::-1]).tolist()):
        length = bisect_right(ends, value)
        ends[length : length + 1] = [value]
        lengths[place] = length
    moved, wanted = [], len(ends) - 1
    for place in range(len(ts) - 1, -1, -1):
        if lengths[place] == wanted:
            wanted -= 1
        else:
            moved.append(len(ts) - 1 - place)
    return np.array(moved, dtype=np.int64)


def _unique(
    rows: Floats, places: Integers, given: Floats, ts: Integers, faults: list[Fault]
) -> tuple[Integers, Integers]:
    """Keep one row a time: a repetition is dropped; of rows that contradict each other none can be trusted.

    Returns the rows kept, and those of them that had no twin.
    """
    times = ts[places]
    again = np.r_[False, times[1:] == times[:-1]] if len(times) else np.empty(0, dtype=np.bool_)
    if not again.any():
        return places, places
    differs = again & (rows[places] != rows[np.r_[places[:1], places[:-1]]]).any(axis=1)
    contradicted = np.isin(times, times[differs])
    _refuse(faults, FaultCode.CONFLICT, places[contradicted], given, ts)
    _note(faults, FaultCode.DUPLICATE, places[again & ~contradicted], given, ts)
    return places[~again & ~contradicted], places[~np.isin(times, times[again])]


def _twins_named(faults: list[Fault], candles: Candles) -> list[Fault]:
    """Call an impossible row whose time another, possible row has what it is: the wrong one of two."""
    kept = set(candles.ts.tolist()) if faults else set()
    return [
        replace(fault, code=FaultCode.CONFLICT) if fault.code in _IMPOSSIBLE_SHAPES and fault.ts in kept else fault
        for fault in faults
    ]


def _out_of_line(candles: Candles, timeframe: Timeframe, known: Surroundings) -> Iterator[tuple[FaultCode, Flags]]:
    """Yield what does not fit the rest: frozen before its end, or out of all proportion.

    The caller takes out what was found before it asks on, so each question sees what is left.
    """
    frozen = _frozen(candles, timeframe, known)
    yield FaultCode.UNFINISHED, frozen
    left = candles.pick(~frozen)
    found = spikes.find(candles=left, around=known.around)
    yield FaultCode.SPIKE, found.isolated
    yield FaultCode.UNCONFIRMED, found.unconfirmed[~found.isolated]


def _frozen(candles: Candles, timeframe: Timeframe, known: Surroundings) -> Flags:
    """Tell which candles a source took before their end: the same time in finer ones holds more trade."""
    nothing = np.zeros(len(candles), dtype=np.bool_)
    if known.finer_timeframe is None or not len(known.finer) or not len(candles):
        return nothing
    whole, parts = aggregated(known.finer, timeframe)
    whole = whole.pick(parts == timeframe.milliseconds // known.finer_timeframe.milliseconds)
    _common, mine, theirs = np.intersect1d(candles.ts, whole.ts, assume_unique=True, return_indices=True)
    ours, full = candles.pick(mine), whole.pick(theirs)
    inside = (ours.high <= full.high) & (ours.low >= full.low) & (ours.open == full.open)
    differs = (ours.high != full.high) | (ours.low != full.low) | (ours.close != full.close)
    nothing[mine] = inside & differs & (ours.volume < full.volume * _LESS_VOLUME)
    return nothing


# --- Telling --------------------------------------------------------------------------------------------------------
def _refuse(faults: list[Fault], code: FaultCode, places: Integers, given: Floats, ts: Integers) -> None:
    faults.extend(_fault(code, int(place), given, ts) for place in places)


def _note(faults: list[Fault], code: FaultCode, places: Integers, given: Floats, ts: Integers) -> None:
    if len(places) <= MOST_NOTES:
        _refuse(faults, code, places, given, ts)
        return
    first = _fault(code, int(places.min()), given, ts)
    faults.append(Fault(code, first.place, first.ts, first.row, count=len(places)))


def _fault(code: FaultCode, place: int, given: Floats, ts: Integers) -> Fault:
    return Fault(code, place, int(ts[place]), tuple(given[place].tolist()))


# --- Forgiving what is stored ---------------------------------------------------------------------------------------
def storable(row: Sequence[float], timeframe: Timeframe, now_ms: int) -> bool:
    """Tell whether a person may let this row through: a candle that is possible, though it looked wrong."""
    table = np.array([row], dtype=np.float64)
    with np.errstate(invalid="ignore"):
        checks: Iterator[tuple[FaultCode, Flags]] = _checks(table, timeframe, now_ms)
        return len(row) == 6 and not any(bool(bad[0]) for _code, bad in checks)
