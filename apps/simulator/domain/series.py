"""Prices and volumes in whole steps, from the day down: a day is split into minutes that add up to it exactly,
a minute into trades. Open, close, high, low and volume of the whole are kept by construction, never by luck."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from apps.simulator.domain.seeds import Floats, Ints

Flags = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
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
    """Candles of equal length in whole steps, one row each; rows that are not `present` do not exist."""

    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    quote: Ints
    present: Flags

    def __len__(self) -> int:
        return len(self.open)

    def bar(self, index: int) -> Bar:
        """Return one row."""
        columns = (self.open, self.high, self.low, self.close, self.volume, self.quote)
        return Bar(*(int(column[index]) for column in columns))

    def columns(self) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints, Flags]:
        """Return every column."""
        return self.open, self.high, self.low, self.close, self.volume, self.quote, self.present

    def cut(self, first: int, last: int) -> "Bars":
        """Return rows [first, last)."""
        return Bars(*(column[first:last] for column in self.columns()))

    def taken(self, rows: Ints) -> "Bars":
        """Return some rows."""
        return Bars(*(column[rows] for column in self.columns()))

    def copied(self) -> "Bars":
        """Return the same rows, free to be written."""
        return Bars(*(column.copy() for column in self.columns()))

    def padded(self, before: int, after: int) -> "Bars":
        """Return the rows with absent ones around them."""
        return Bars(*(np.pad(column, (before, after)) for column in self.columns()))

    def put(self, index: int, bar: Bar) -> None:
        """Write one row."""
        for column, value in zip(self.columns()[:6], bar, strict=True):
            column[index] = value

    @staticmethod
    def joined(parts: "list[Bars]") -> "Bars":
        """Return the rows of all parts, one after the other."""
        if not parts:
            return Bars(*(np.zeros(0, dtype=np.int64) for _ in range(6)), np.zeros(0, dtype=bool))
        return Bars(*(np.concatenate(columns) for columns in zip(*(part.columns() for part in parts), strict=True)))

    def grouped(self, size: int) -> "Bars":
        """Return bars of `size` rows each, aggregated exactly; absent rows do not count."""
        if size == 1:
            return self
        rows = len(self) // size
        shape = (rows, size)
        present = self.present.reshape(shape)
        first, last = present.argmax(1), size - 1 - present[:, ::-1].argmax(1)
        each = np.arange(rows)
        huge = np.iinfo(np.int64).max
        return Bars(
            self.open.reshape(shape)[each, first],
            np.where(present, self.high.reshape(shape), 0).max(1),
            np.where(present, self.low.reshape(shape), huge).min(1),
            self.close.reshape(shape)[each, last],
            np.where(present, self.volume.reshape(shape), 0).sum(1),
            np.where(present, self.quote.reshape(shape), 0).sum(1),
            present.any(1),
        )

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
    return np.diff(ends, prepend=0) + least


def split(source: np.random.Generator, whole: Bar, path: Floats, *, wander: float) -> Bars:
    """Return the bars between the points of a path, bent so that together they are exactly the whole bar.

    `path` has one point more than there are bars, in steps of price; only what leaves the range between the whole's open
    and close is stretched. `wander` is how far a price strays inside one bar, in steps.
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
    return Bars(start, highs, lows, end, volume, quote, np.ones(len(start), dtype=bool))


def _bend(path: Floats, whole: Bar) -> Ints:
    """Return the path in whole steps, from open to close, touching high and low and never beyond them."""
    top, bottom = max(whole.open, whole.close), min(whole.open, whole.close)
    inner = path[1:-1]
    highest, lowest = int(inner.argmax()) + 1, int(inner.argmin()) + 1
    if highest == lowest:
        highest, lowest = 1, 2
    bent = path.copy()
    bent = _reach(path, top, highest, whole.high)
    bent = -_reach(-bent, -bottom, lowest, -whole.low)
    points = np.clip(np.rint(bent), whole.low, whole.high).astype(np.int64)
    points[highest], points[lowest] = whole.high, whole.low
    points[0], points[-1] = whole.open, whole.close
    return points


def _reach(path: Floats, top: int, peak: int, goal: int) -> Floats:
    """Return the path with what lies above `top` stretched so that its peak meets the goal."""
    if path[peak] > top:
        bent: Floats = np.where(path > top, top + (path - top) * ((goal - top) / (path[peak] - top)), path)
        return bent
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
