"""Spikes: a price out of all proportion to the candles on both sides. What stays where it went was real.

Measured on real series (two exchanges, 38 series, listing days and crashes among them), no close strays further from
the close before and the open after, both at once, than by a factor of 1.4, and no high rises above its body and its
neighbors by more than 2. Lows do: on 2020-03-12 a real market fell to a thousandth for an instant. So a low alone
is never held to be wrong.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from apps.markets.domain.candles import Candles, Flags, Floats, Integers, merge

#: A close or an open this many times away from what was before and what comes after is not a price.
BODY_FACTOR: Final = 5.0
#: A high this many times above its own body and both neighbors is not a price.
WICK_FACTOR: Final = 8.0
#: A spike may last so many candles; a level that lasts longer is real. So many must follow at the live edge.
LONGEST: Final = 2


@dataclass(frozen=True, slots=True)
class Spikes:
    """Which candles stand out alone, and which may or may not: nothing has followed them yet."""

    isolated: Flags
    unconfirmed: Flags


def find(*, candles: Candles, around: Candles) -> Spikes:
    """Find the spikes among candles, seen among those stored around them."""
    isolated, unconfirmed = (np.zeros(len(candles), dtype=np.bool_) for _ in range(2))
    if not len(candles):
        return Spikes(isolated, unconfirmed)
    line = _Line(merge(base=around, over=candles))
    ours = np.searchsorted(line.all.ts, candles.ts)
    for place in line.suspicious():
        line.judge(int(place))
    return Spikes(isolated=line.isolated[ours], unconfirmed=line.unconfirmed[ours])


class _Line:
    """All candles in a row, judged from the oldest on; what was found wrong is no neighbor any more."""

    def __init__(self, candles: Candles) -> None:
        self.all = candles
        self.isolated: Flags = np.zeros(len(candles), dtype=np.bool_)
        self.unconfirmed: Flags = np.zeros(len(candles), dtype=np.bool_)

    def suspicious(self) -> Integers:
        """Return the places where any price is far from its neighbors: few, or none."""
        close, opened = self.all.close, self.all.open
        before, after = np.r_[close[:1], close[:-1]], np.r_[opened[1:], close[-1:]]
        body = _far(close, before) | _far(close, after) | _far(opened, before)
        wick = self.all.high >= WICK_FACTOR * np.maximum(opened, close)
        return np.flatnonzero(body | wick)

    def judge(self, place: int) -> None:
        """Decide about the candle at one place."""
        if self.isolated[place] or self.unconfirmed[place]:
            return
        before = self._close_before(place)
        if before is None:
            self._judge_first(place)
        elif self._is_far(place, before):
            self._judge_body(place, before)
        if not self.isolated[place] and not self.unconfirmed[place]:
            self._judge_wick(place, before)

    def _judge_first(self, place: int) -> None:
        """Judge the first one by its close alone: a market may open anywhere, but it goes on where it was."""
        following = self.all.pick(slice(place + 1, place + 1 + LONGEST))
        if len(following) and _far(following.open, self.all.close[place]).all():
            self.isolated[place] = True

    def _judge_body(self, place: int, before: float) -> None:
        for end in range(place + 1, min(place + 1 + LONGEST, len(self.all))):
            if not self._is_far(end, before):
                self.isolated[place:end] = True
                return
        if place + LONGEST >= len(self.all):
            self.unconfirmed[place:] = True

    def _judge_wick(self, place: int, before: float | None) -> None:
        neighbors = [self.all.open[place], self.all.close[place]]
        neighbors += [] if before is None else [before]
        neighbors += self.all.open[place + 1 : place + 2].tolist()
        if len(neighbors) > 2 and self.all.high[place] >= WICK_FACTOR * max(neighbors):
            self.isolated[place] = True

    def _close_before(self, place: int) -> float | None:
        for index in range(place - 1, -1, -1):
            if not self.isolated[index]:
                return float(self.all.close[index])
        return None

    def _is_far(self, place: int, price: float) -> bool:
        ends = np.array([self.all.open[place], self.all.close[place]])
        return bool(_far(ends, np.full(2, price)).any())


def _far(prices: Floats, others: "Floats | float") -> Flags:
    return (prices >= BODY_FACTOR * others) | (prices * BODY_FACTOR <= others)
