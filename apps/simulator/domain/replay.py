"""Candles that were recorded, played as one market's history and present.

The recorded days are moved by whole days, so that the last of them is the day on which the simulator starts. When they
are over they are played backwards, then forwards again: prices go on without a jump for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from apps.simulator.domain import seeds
from apps.simulator.domain.happenings import BEGIN_MS
from apps.simulator.domain.seeds import Flags, Floats, Ints
from apps.simulator.domain.series import Bar, Bars, split
from apps.simulator.domain.shapes import DAY_MS, MINUTE_MS

_MINUTES = 1440
_EXACT = 5


@dataclass(frozen=True, slots=True)
class Record:
    """The candles of one timeframe as they were recorded: open times and whole steps."""

    ts: Ints
    bars: Bars

    def day(self, day_ms: int, timeframe_ms: int) -> Bars | None:
        """Return all candles of a day, or nothing where one is missing."""
        first, last = np.searchsorted(self.ts, (day_ms, day_ms + DAY_MS)).tolist()
        return self.bars.cut(first, last) if last - first == DAY_MS // timeframe_ms else None


class Replayed:
    """One market's recorded candles, moved in time."""

    def __init__(self, name: str, records: Mapping[int, Record], digits: tuple[int, int], shift_days: int) -> None:
        self.name, self.digits = name, digits
        self._records = dict(sorted(records.items()))
        self._shift = shift_days
        self._days = self._recorded_days()
        self._first = self._first_day()
        self._last = self._first + len(self._days) - 1
        self.endless = True

    @property
    def first_ms(self) -> int:
        """Return when the first recorded day is played."""
        return max((self._first + self._shift) * DAY_MS, BEGIN_MS)

    @property
    def last_day(self) -> int:
        """Return the last recorded day, counted from 1970."""
        return self._last

    @property
    def end_ms(self) -> int:
        """Return when the last recorded day is over."""
        return (self._last + 1 + self._shift) * DAY_MS

    def _first_day(self) -> int:
        return min(int(record.ts[0]) for record in self._records.values()) // DAY_MS

    def _recorded_days(self) -> Bars:
        """Return one bar a day: the recorded one, or the sum of what is known of that day."""
        first = self._first_day()
        last = max(int(record.ts[-1]) for record in self._records.values()) // DAY_MS
        days = Bars.absent(last - first + 1)
        for record in self._records.values():  # the longest timeframe comes last and has the last word
            for day, bars in _by_day(record):
                whole, row = bars.whole(), day - first
                if whole and whole[:_EXACT] != days.bar(row)[:_EXACT]:
                    days.put(row, whole)
                    days.present[row] = True
        return days

    # --- the series ------------------------------------------------------------------------------------------------
    def days(self, last_day: int) -> Bars:
        """Return every day up to and with one, row 0 being the first day of the world."""
        played = np.arange(last_day + 1) + BEGIN_MS // DAY_MS - self._shift - self._first
        rows, backwards = self._turned(played)
        table = self._days.table[:, rows].copy()
        table[0], table[3] = np.where(backwards, table[3], table[0]), np.where(backwards, table[0], table[3])
        present = self._days.present[rows] & (played >= 0)
        if not self.endless:
            present &= played < len(self._days)
        return Bars(table, present)

    def _turned(self, played: Ints) -> tuple[Ints, Flags]:
        """Return which recorded day is played, and whether backwards."""
        count = len(self._days)
        place = played % (2 * count)
        backwards = place >= count
        return np.where(backwards, 2 * count - 1 - place, place), backwards

    def minutes(self, day: int) -> Bars:
        """Return the 1440 minutes of a day, recorded or made to add up to what was."""
        played = np.array([day + BEGIN_MS // DAY_MS - self._shift - self._first])
        rows, backwards = self._turned(played)
        over = not self.endless and played[0] >= len(self._days)
        if played[0] < 0 or over or not self._days.present[rows[0]]:
            return Bars.absent(_MINUTES)
        bars = self._split(int(rows[0]))
        if not backwards[0]:
            return bars
        table = bars.table[:, ::-1].copy()
        table[0], table[3] = table[3].copy(), table[0].copy()
        return Bars(table, bars.present[::-1].copy())

    def _split(self, row: int) -> Bars:
        whole = self._days.bar(row)
        for timeframe, record in self._records.items():
            bars = record.day((self._first + row) * DAY_MS, timeframe)
            if bars is not None and _same(bars, whole):
                return self._minutes_of(bars, timeframe // MINUTE_MS, row)
        one = Bars.absent(1)
        one.put(0, whole)
        return self._minutes_of(one, _MINUTES, row)

    def _minutes_of(self, bars: Bars, size: int, row: int) -> Bars:
        if size == 1:
            return bars
        source = seeds.generator(0, "replay", self.name, row)
        return Bars.joined([_parts(source, bars.bar(index), size) for index in range(len(bars))])


def _parts(source: np.random.Generator, bar: Bar, size: int) -> Bars:
    """Return the minutes of one recorded candle."""
    reach = (bar.high - bar.low) * 0.5
    line: Floats = bar.open + (bar.close - bar.open) * np.linspace(0.0, 1.0, size + 1)
    return split(source, bar, line + seeds.bridge(source, size, reach), wander=reach / size**0.5)


def _same(bars: Bars, whole: Bar) -> bool:
    one = bars.whole()
    return one is not None and one[:_EXACT] == whole[:_EXACT]


def _by_day(record: Record) -> list[tuple[int, Bars]]:
    days = record.ts // DAY_MS
    starts = np.flatnonzero(np.diff(days, prepend=days[0] - 1)).tolist()
    ends = [*starts[1:], len(days)]
    return [(int(days[start]), record.bars.cut(start, end)) for start, end in zip(starts, ends, strict=True)]
