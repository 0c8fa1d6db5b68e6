"""The newest tick of each instrument: nonsense is refused here, before anybody else hears of it.

`Tape.take` runs once for every message of an exchange and is written for speed: one comparison sorts out
everything unusual, which then goes a slower way.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from apps.markets.domain.builder import MinuteBuilder
from apps.markets.domain.preference import Hearing
from apps.markets.domain.prices import OpenCandle, price_problem

FUTURE_MS: Final = 60_000
PAST_MS: Final = 24 * 3_600_000
JUMP: Final = 10.0
CONFIRMATIONS: Final = 3
CONFIRMED_AFTER_MS: Final = 1_000
TURNED_BACK_MS: Final = 5_000
FORGOTTEN_AFTER: Final = 60.0
_AGREEING: Final = 1.5


class Line:
    """What one connection to a venue has brought: counts for the metrics, changed tapes, finished minutes."""

    __slots__ = (
        "changed",
        "ended",
        "hearing",
        "messages",
        "newest_future",
        "not_after",
        "not_before",
        "refused",
        "skew",
        "true_now",
        "venue",
    )

    def __init__(self, venue: str) -> None:
        self.venue = venue
        self.hearing = Hearing()
        self.messages = 0
        self.refused: dict[str, int] = {}
        self.changed: list[Tape] = []
        self.ended: list[tuple[Tape, OpenCandle]] = []
        self.not_before, self.not_after = -math.inf, math.inf
        self.newest_future = self.skew = self.true_now = 0

    def clock(self, *, true_now: int, skew: int) -> None:
        """Say what time it is, and by how much the venue's clock is ahead: the rest is from elsewhere in time."""
        self.true_now = true_now
        self.not_before, self.not_after, self.skew = true_now - PAST_MS, true_now + FUTURE_MS, skew

    def refuse(self, reason: str) -> None:
        """Count a message that is not believed."""
        self.refused[reason] = self.refused.get(reason, 0) + 1


class Tape:
    """The newest tick of one instrument, and its unfinished minute."""

    __slots__ = (
        "_doubted",
        "_doubted_since",
        "_doubts",
        "_highest",
        "_lowest",
        "_turned_back",
        "builder",
        "instrument",
        "is_changed",
        "line",
        "raw",
        "symbol",
        "text",
        "ts",
        "value",
        "venue_symbol",
    )

    def __init__(self, *, instrument: str, venue_symbol: str, line: Line) -> None:
        self.instrument, self.venue_symbol, self.line = instrument, venue_symbol, line
        self.symbol = instrument.partition(":")[2]
        self.builder = MinuteBuilder(heard_since=math.inf)
        self.text: str | float = ""
        self.value = self._lowest = 0.0
        self._highest = math.inf
        self.ts = 0
        self.raw: Mapping[str, Any] = {}
        self.is_changed = False
        self._doubted = 0.0
        self._doubts = self._doubted_since = self._turned_back = 0

    @property
    def is_usable(self) -> bool:
        """Tell whether the line that it lies on is trusted."""
        return self.line.hearing.is_trusted

    def expect(self, price: float) -> None:
        """Take a price known from before as the measure for the next one."""
        self._lowest, self._highest = price / JUMP, price * JUMP

    def take(self, text: str | float, ts: int, raw: Mapping[str, Any]) -> None:
        """Take a tick with the venue's time in milliseconds; `raw` is the rest of the message, read when needed."""
        line = self.line
        try:
            price = float(text)
        except (TypeError, ValueError):
            line.refuse("not_a_number")
            return
        ts -= line.skew
        usual = self._lowest < price < self._highest and self.ts <= ts < line.not_after and ts > line.not_before
        if not usual:
            if not self._is_believed(price, ts):
                return
            self.expect(price)
        self.text, self.value, self.ts, self.raw = text, price, ts, raw
        ended = self.builder.add(price, ts)
        if ended is not None:
            line.ended.append((self, ended))
        if not self.is_changed:
            self.is_changed = True
            line.changed.append(self)

    def settle(self) -> None:
        """Note that the newest tick is on its way to people: the next one is measured by it, doubts are over."""
        self.is_changed = False
        self._doubts = 0
        self._lowest, self._highest = self.value / JUMP, self.value * JUMP

    # --- What is unusual ----------------------------------------------------------------------------------------------
    def _is_believed(self, price: float, ts: int) -> bool:
        line = self.line
        problem = price_problem(price)
        if not problem and ts >= line.not_after:
            problem, line.newest_future = "future", max(line.newest_future, ts)
        elif not problem and ts <= line.not_before:
            problem = "past"
        if not problem and ts < self.ts and not self._has_turned_back(ts):
            problem = "older"
        if not problem and not self._lowest < price < self._highest and not self._is_confirmed(price, ts):
            problem = "spike"
        if problem:
            line.refuse(problem)
        return not problem

    def _has_turned_back(self, ts: int) -> bool:
        """Believe that the venue's clock went back when one tick after the other says so."""
        if self.ts - ts < TURNED_BACK_MS:
            return False
        self._turned_back += 1
        if self._turned_back < CONFIRMATIONS:
            return False
        self._turned_back = 0
        self.builder.turn_back()
        return True

    def _is_confirmed(self, price: float, ts: int) -> bool:
        """Believe a jump of ten times when further ticks agree for a while."""
        if self._doubts and self._doubted / _AGREEING < price < self._doubted * _AGREEING:
            self._doubts += 1
        else:
            self._doubts, self._doubted, self._doubted_since = 1, price, ts
        confirmed = self._doubts >= CONFIRMATIONS and ts - self._doubted_since >= CONFIRMED_AFTER_MS
        if confirmed:
            self._doubts = 0
        return confirmed


class VenueClock:
    """How far a venue's clock and ours are off; small differences are the road and count as none.

    `skew` is by how much the venue's clock runs ahead, `drift` by how much ours was set since we know it.
    """

    __slots__ = ("_since", "_suspected", "drift", "skew")

    def __init__(self) -> None:
        self.skew = self.drift = 0
        self._suspected, self._since = 0, -1.0

    def true_now(self, now_ms: int) -> int:
        """Return the time that an honest tick bears now."""
        return now_ms - self.drift

    def ours(self, ts: int) -> int:
        """Return a tick's time as a time of our clock."""
        return ts + self.drift

    def jumped(self, by_ms: int) -> None:
        """Note that our own clock was set, by so much."""
        self.drift += by_ms

    def saw(self, ts: int, *, now_ms: int) -> None:
        """Hear of a tick that was believed: the venue's clock may be right again."""
        if self.skew and ts + self.skew <= self.true_now(now_ms) + FUTURE_MS:
            self.skew = 0

    def saw_future(self, ts: int, *, now_ms: int, at: float) -> None:
        """Hear of ticks from the future; when they go on, the venue's clock runs ahead and is read accordingly."""
        ahead = ts - self.true_now(now_ms)
        if self._since < 0 or abs(ahead - self._suspected) > TURNED_BACK_MS or at - self._since > FORGOTTEN_AFTER:
            self._suspected, self._since = ahead, at
        if at - self._since >= CONFIRMED_AFTER_MS * CONFIRMATIONS / 1000:
            self.skew, self._since = self.skew + ahead, -1.0
