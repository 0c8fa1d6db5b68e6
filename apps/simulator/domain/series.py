"""Prices and volumes in whole steps, from the day down: a day is split into minutes that add up to it exactly,
a minute into trades. Open, close, high, low and volume of the whole are kept by construction, never by luck."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from apps.simulator.domain.seeds import Flags, Floats, Ints

_MOST_STRETCH = 2.5
LEAST_VOLUME = 16
"""Steps of amount in every minute, so that each can hold a few trades."""


class Bar(NamedTuple):
    """One candle in whole steps; `quote` is in steps of price times amount."""

    open: int
    high: int
    low: int
    close: int
    volume: int
    quote: int


@dataclass(frozen=True, slots=True)
class Bars:
    """Candles of equal length, one column each of `table`; those that are not `present` do not exist."""

    table: Ints
    """six rows: open, high, low, close, volume, quote"""
    present: Flags

    def __len__(self) -> int:
        return len(self.present)

    @property
    def open(self) -> Ints:
        """Return the first prices."""
        return self._row(0)

    @property
    def high(self) -> Ints:
        """Return the highest prices."""
        return self._row(1)

    @property
    def low(self) -> Ints:
        """Return the lowest prices."""
        return self._row(2)

    @property
    def close(self) -> Ints:
        """Return the last prices."""
        return self._row(3)

    @property
    def volume(self) -> Ints:
        """Return the amounts traded."""
        return self._row(4)

    @property
    def quote(self) -> Ints:
        """Return the money traded."""
        return self._row(5)

    def _row(self, index: int) -> Ints:
        row: Ints = self.table[index]
        return row

    def bar(self, index: int) -> Bar:
        """Return one candle."""
        return Bar(*self.table[:, index].tolist())

    def cut(self, first: int, last: int) -> "Bars":
        """Return candles [first, last)."""
        return Bars(self.table[:, first:last], self.present[first:last])

    def taken(self, rows: Ints) -> "Bars":
        """Return some candles."""
        return Bars(self.table[:, rows], self.present[rows])

    def copied(self) -> "Bars":
        """Return the same candles, free to be written."""
        return Bars(self.table.copy(), self.present.copy())

    def padded(self, before: int, after: int) -> "Bars":
        """Return the candles with absent ones around them."""
        return Bars.joined([Bars.absent(before), self, Bars.absent(after)])

    def put(self, index: int, bar: Bar) -> None:
        """Write one candle."""
        self.table[:, index] = bar

    @staticmethod
    def absent(count: int) -> "Bars":
        """Return candles that do not exist."""
        return Bars(np.zeros((6, count), dtype=np.int64), np.zeros(count, dtype=np.bool_))

    @staticmethod
    def joined(parts: "list[Bars]") -> "Bars":
        """Return the candles of all parts, one after the other."""
        if not parts:
            return Bars.absent(0)
        return Bars(
            np.concatenate([part.table for part in parts], axis=1), np.concatenate([part.present for part in parts])
        )

    def grouped(self, size: int) -> "Bars":
        """Return candles of `size` each, aggregated exactly; absent ones do not count."""
        if size == 1:
            return self
        shape = (len(self) // size, size)
        present = self.present.reshape(shape)
        if present.all():
            return Bars(self._grouped_full(shape), np.ones(shape[0], dtype=np.bool_))
        first, last = present.argmax(1), size - 1 - present[:, ::-1].argmax(1)
        each, huge = np.arange(shape[0]), np.iinfo(np.int64).max
        table = np.empty((6, shape[0]), dtype=np.int64)
        table[0] = self.open.reshape(shape)[each, first]
        table[1] = np.where(present, self.high.reshape(shape), 0).max(1)
        table[2] = np.where(present, self.low.reshape(shape), huge).min(1)
        table[3] = self.close.reshape(shape)[each, last]
        table[4] = np.where(present, self.volume.reshape(shape), 0).sum(1)
        table[5] = np.where(present, self.quote.reshape(shape), 0).sum(1)
        return Bars(table, np.asarray(present.any(1)))

    def _grouped_full(self, shape: tuple[int, int]) -> Ints:
        table = np.empty((6, shape[0]), dtype=np.int64)
        table[0] = self.open[:: shape[1]]
        table[1] = self.high.reshape(shape).max(1)
        table[2] = self.low.reshape(shape).min(1)
        table[3] = self.close[shape[1] - 1 :: shape[1]]
        table[4:] = self.table[4:].reshape(2, *shape).sum(2)
        return table

    def whole(self) -> Bar | None:
        """Return all rows as one, or nothing where none is present."""
        one = self.grouped(len(self)) if len(self) else self
        return one.bar(0) if len(one) and one.present[0] else None


def extremes(source: np.random.Generator, start: Floats, end: Floats, spread: Floats | float) -> tuple[Floats, Floats]:
    """Return the highest and the lowest point that a walk between two known ends reaches, drawn by its exact law."""
    gap = (end - start) ** 2
    above, below = np.log(1.0 - source.random((len(start), 2))).T
    reach = 2.0 * np.square(spread)
    high = (start + end + np.sqrt(gap - reach * above)) / 2.0
    low = (start + end - np.sqrt(gap - reach * below)) / 2.0
    return high, low


def shares(total: int, weights: Floats, least: int) -> Ints:
    """Return whole parts in proportion to weights that add up to the total, each at least `least` where it suffices."""
    least = min(least, total // len(weights))
    rest = total - least * len(weights)
    if not weights.any():
        weights = np.ones(len(weights))
    ends = np.minimum(np.floor(np.cumsum(weights) / weights.sum() * rest).astype(np.int64), rest)
    ends[-1] = rest
    parts: Ints = np.diff(ends, prepend=0) + least
    return parts


def split(source: np.random.Generator, whole: Bar, path: Floats, *, wander: float) -> Bars:
    """Return the bars between the points of a path, bent so that together they are exactly the whole bar.

    `path` has one point more than there are bars, in steps of price; only what leaves the range between the open and
    the close of the whole is stretched. `wander` is how far a price strays inside one bar, in steps.
    """
    points = _bend(path, whole)
    start, end = points[:-1], points[1:]
    high, low = extremes(source, start.astype(float), end.astype(float), wander)
    highs = np.minimum(np.maximum(np.rint(high).astype(np.int64), np.maximum(start, end)), whole.high)
    lows = np.maximum(np.minimum(np.rint(low).astype(np.int64), np.minimum(start, end)), whole.low)
    excitement = 1.0 + (highs - lows) / (np.mean(highs - lows) + 1.0)
    volume = shares(whole.volume, excitement * np.exp(source.standard_normal(len(start)) * 0.6), LEAST_VOLUME)
    value = volume * ((start + end + highs + lows) / 4.0)
    quote = shares(whole.quote, value, 1)
    return Bars(np.stack((start, highs, lows, end, volume, quote)), np.ones(len(start), dtype=np.bool_))


def _bend(path: Floats, whole: Bar) -> Ints:
    """Return the path in whole steps, from open to close, touching high and low and never beyond them."""
    top, bottom = max(whole.open, whole.close), min(whole.open, whole.close)
    margin = max(len(path) // 60, 1)  # a peak at the very edge would be a single spike
    inner = path[margin:-margin]
    highest, lowest = int(inner.argmax()) + margin, int(inner.argmin()) + margin
    if highest == lowest:
        highest, lowest = 1, 2
    bent = _reach(path, top, highest, whole.high)
    bent = -_reach(-bent, -bottom, lowest, -whole.low)
    points = np.clip(np.rint(bent), whole.low, whole.high).astype(np.int64)
    points[highest], points[lowest] = whole.high, whole.low
    points[0], points[-1] = whole.open, whole.close
    return points


def _reach(path: Floats, top: int, peak: int, goal: int) -> Floats:
    """Return the path with what lies above `top` stretched, and a hill where that is not enough to meet the goal."""
    excess = path[peak] - top
    if excess > 0:
        path = np.where(path > top, top + (path - top) * min((goal - top) / excess, _MOST_STRETCH), path)
    width = min(peak, len(path) - 1 - peak, 90)
    hill = np.maximum(1.0 - np.abs(np.arange(len(path)) - peak) / width, 0.0)
    return np.asarray(path + (goal - path[peak]) * hill)


@dataclass(frozen=True, slots=True)
class Trades:
    """The trades of one minute: when (milliseconds within it), at what price, how much, and who took."""

    at: list[int]
    price: list[int]
    amount: list[int]
    bought: list[bool]
    highest: list[int]
    """up to and with each trade"""
    lowest: list[int]
    volume: list[int]


def trades(source: np.random.Generator, minute: Bar, count: int) -> Trades:
    """Return trades that make exactly this minute: the first at its open and at once, the last at its close."""
    count = max(min(count, minute.volume), 4)
    at = np.sort(source.integers(0, 60_000, count))
    at[0] = 0
    walk = np.cumsum(source.standard_normal(count))
    path = walk - np.linspace(walk[0], walk[-1], count)
    size = max(float(np.abs(path).max()), 1e-9)
    line = np.linspace(minute.open, minute.close, count)
    price = _bend(line + path / size * (minute.high - minute.low), minute)
    amount = shares(minute.volume, np.exp(source.standard_normal(count)), 1)
    return Trades(
        at.tolist(),
        price.tolist(),
        amount.tolist(),
        (source.random(count) < 0.5).tolist(),
        np.maximum.accumulate(price).tolist(),
        np.minimum.accumulate(price).tolist(),
        np.cumsum(amount).tolist(),
    )
