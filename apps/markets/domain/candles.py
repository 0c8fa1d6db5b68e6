"""Candles as six numpy columns: cut, joined, put together to longer ones, and compared exactly."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from apps.markets.domain.timeframes import Timeframe

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
#: One candle as plain numbers: open time in milliseconds, open, high, low, close, volume.
Row: TypeAlias = tuple[int, float, float, float, float, float]

MOST_DIGITS: Final = 15
_EXACT: Final = 2.0**53
_SAMPLE_STEP: Final = 61


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Candles by open time, ascending and unique; volume in the base asset."""

    ts: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def values(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Everything but the time."""
        return self.open, self.high, self.low, self.close, self.volume

    @property
    def first_ts(self) -> int:
        """The open time of the oldest."""
        return int(self.ts[0])

    @property
    def last_ts(self) -> int:
        """The open time of the newest."""
        return int(self.ts[-1])

    def pick(self, which: "Integers | Flags | slice") -> "Candles":
        """Return those at the places named."""
        return Candles(self.ts[which], *(column[which] for column in self.values))

    def between(self, from_ms: int | None, to_ms: int | None) -> "Candles":
        """Return those that open in `[from, to)`; None leaves that side open."""
        first = 0 if from_ms is None else int(np.searchsorted(self.ts, from_ms))
        last = len(self) if to_ms is None else int(np.searchsorted(self.ts, to_ms))
        return self if (first, last) == (0, len(self)) else self.pick(slice(first, max(first, last)))

    def latest(self, count: int) -> "Candles":
        """Return the newest, at most so many."""
        return self if len(self) <= count else self.pick(slice(len(self) - count, None))

    def earliest(self, count: int) -> "Candles":
        """Return the oldest, at most so many."""
        return self if len(self) <= count else self.pick(slice(0, count))

    def rows(self) -> list[Row]:
        """Return them as plain numbers, oldest first."""
        return list(zip(self.ts.tolist(), *(column.tolist() for column in self.values), strict=True))

    def equals(self, other: "Candles") -> bool:
        """Tell whether both hold the same candles to the last bit."""
        return np.array_equal(self.ts, other.ts) and all(
            np.array_equal(mine, theirs) for mine, theirs in zip(self.values, other.values, strict=True)
        )

    def same_as(self, other: "Candles") -> Flags:
        """Tell for each place whether the candle there is the other's; both have the same times."""
        same = np.ones(len(self), dtype=np.bool_)
        for mine, theirs in zip(self.values, other.values, strict=True):
            same &= mine == theirs
        return same


def empty() -> Candles:
    """Return no candles."""
    nothing = np.empty(0, dtype=np.float64)
    return Candles(np.empty(0, dtype=np.int64), nothing, nothing, nothing, nothing, nothing)


def from_rows(rows: Iterable[Sequence[float]]) -> Candles:
    """Build candles from rows of six numbers that are in order already."""
    table = np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 6)
    return from_table(table)


def from_table(table: Floats) -> Candles:
    """Build candles from a table of six columns, the first of them the time."""
    columns = [np.ascontiguousarray(table[:, place]) for place in range(1, 6)]
    return Candles(table[:, 0].astype(np.int64), *columns)


def concat(parts: Sequence[Candles]) -> Candles:
    """Join candles that follow each other."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return empty()
    if len(parts) == 1:
        return parts[0]
    columns = zip(*(part.values for part in parts), strict=True)
    return Candles(np.concatenate([part.ts for part in parts]), *(np.concatenate(column) for column in columns))


def merge(*, base: Candles, over: Candles) -> Candles:
    """Return both by time; where both have a candle, the one of `over` counts."""
    if not len(base) or not len(over):
        return base if len(base) else over
    if base.last_ts < over.first_ts:
        return concat([base, over])
    if over.last_ts < base.first_ts:
        return concat([over, base])
    kept = base.pick(~np.isin(base.ts, over.ts, assume_unique=True))
    both = concat([kept, over])
    return both.pick(np.argsort(both.ts, kind="stable"))


def aggregate(candles: Candles, timeframe: Timeframe) -> Candles:
    """Put candles together to longer ones; what is missing between them counts as no trade."""
    return aggregated(candles, timeframe)[0]


def aggregated(candles: Candles, timeframe: Timeframe) -> tuple[Candles, Integers]:
    """Put candles together to longer ones and tell from how many each was made."""
    if not len(candles):
        return empty(), np.empty(0, dtype=np.int64)
    opens = candles.ts - candles.ts % timeframe.milliseconds
    starts = np.flatnonzero(np.r_[True, opens[1:] != opens[:-1]])
    ends = np.r_[starts[1:], len(candles)] - 1
    longer = Candles(
        ts=opens[starts],
        open=candles.open[starts],
        high=np.maximum.reduceat(candles.high, starts),
        low=np.minimum.reduceat(candles.low, starts),
        close=candles.close[ends],
        volume=_sums(candles.volume, starts),
    )
    return longer, (ends - starts + 1).astype(np.int64)


def _sums(volume: Floats, starts: NDArray[np.int64]) -> Floats:
    """Add volumes up as the decimals that they are, so that 24 hours give exactly the day."""
    scaled = scale_exactly(volume, MOST_DIGITS)
    if scaled is not None:
        whole, digits = scaled
        sums = np.add.reduceat(whole, starts)
        if float(np.abs(sums).max()) < _EXACT:
            return sums / 10.0**digits
    return np.add.reduceat(volume, starts)


def scale_exactly(column: Floats, most_digits: int) -> tuple[Integers, int] | None:
    """Return the column as whole numbers times 10^-digits if that loses no bit, with the fewest digits."""
    if np.any(np.signbit(column) & (column == 0.0)):
        return None  # a negative zero is another bit pattern
    for digits in range(_digits_of(column[::_SAMPLE_STEP], most_digits), most_digits + 1):
        scaled = _scaled(column, digits)
        if scaled is not None:
            return scaled.astype(np.int64), digits
    return None


def _digits_of(sample: Floats, most_digits: int) -> int:
    """Return with how many digits the sample is exact: the whole column needs no fewer."""
    found = (digits for digits in range(most_digits + 1) if _scaled(sample, digits) is not None)
    return next(found, most_digits + 1)


def _scaled(column: Floats, digits: int) -> Floats | None:
    scale = 10.0**digits
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.rint(column * scale)
        if not np.abs(scaled).max(initial=0.0) < _EXACT:
            return None
        return scaled if np.array_equal(scaled / scale, column) else None


def expected(timeframe: Timeframe, from_ms: int, to_ms: int) -> int:
    """Return how many candles a range without gaps holds."""
    length = timeframe.milliseconds
    return max(0, -(-to_ms // length) - -(-from_ms // length))


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Open times `[from_ms, to_ms)` at which there is no candle."""

    from_ms: int
    to_ms: int

    def count(self, timeframe: Timeframe) -> int:
        """Return how many candles are missing."""
        return expected(timeframe, self.from_ms, self.to_ms)


def gaps(ts: Integers, timeframe: Timeframe, from_ms: int, to_ms: int) -> list[Gap]:
    """Return where candles are missing among these open times in `[from, to)`."""
    length = timeframe.milliseconds
    edges = np.r_[timeframe.ceil(from_ms) - length, ts, timeframe.ceil(to_ms)]
    holes = np.flatnonzero(np.diff(edges) > length)
    return [Gap(int(edges[place]) + length, int(edges[place + 1])) for place in holes]
