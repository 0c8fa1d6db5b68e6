"""Minute candles from ticks: one builder an instrument, on the venue's time, never two candles for one minute."""

import math
from typing import Final

from apps.markets.domain.prices import OpenCandle

MINUTE_MS: Final = 60_000
#: A minute is closed this long after its end, so that ticks that were on their way still count.
GRACE_MS: Final = 2_000
_VOLUME_DIGITS: Final = 8
_GOOD_DIGITS: Final = 13


class MinuteBuilder:
    """The unfinished minute of one instrument.

    A tick of an earlier minute changes nothing. After a clock went back, nothing is built until time has
    passed the last minute that was built; a minute without a tick has no candle, and neither has one of which
    a part was not heard.
    """

    __slots__ = (
        "_closed_until",
        "_heard_since",
        "_seen_volume",
        "close",
        "end",
        "high",
        "low",
        "open",
        "start",
        "volume",
    )

    def __init__(self, *, heard_since: float = 0) -> None:
        self._heard_since = heard_since
        self.start = self.end = self._closed_until = 0
        self.open = self.high = self.low = self.close = self.volume = 0.0
        self._seen_volume = math.nan

    @property
    def is_open(self) -> bool:
        """Tell whether a minute has begun."""
        return self.end > self.start

    def add(self, price: float, ts: int) -> OpenCandle | None:
        """Count a tick; return the minute that it ended, if it did."""
        if self.start <= ts < self.end:
            self.close = price
            if price > self.high:
                self.high = price
            elif price < self.low:
                self.low = price
            return None
        if self.is_open and ts < self.start:
            return None
        ended = self.finish()
        start = ts - ts % MINUTE_MS
        if start >= self._closed_until:
            self.start, self.end = start, start + MINUTE_MS
            self.open = self.high = self.low = self.close = price
            self.volume = 0.0
        return ended

    def add_day_volume(self, volume: float) -> None:
        """Learn what was traded in the last day, in the base; what it grew by was traded in this minute.

        It is an estimate, for the day's window also loses what left it; the venue's own candle takes its place.
        """
        if volume > self._seen_volume and self.is_open:
            self.volume += volume - self._seen_volume
        self._seen_volume = volume

    def listen(self, since: float) -> None:
        """Note from when on, in the venue's time, every tick is heard; never (infinity) while none is."""
        self._heard_since = since

    def finish(self) -> OpenCandle | None:
        """Close the minute, if one has begun, and return it if all of it was heard."""
        if not self.is_open:
            return None
        candle = self.candle() if self.start >= self._heard_since else None
        self._closed_until, self.start = self.end, self.end
        return candle

    def finish_if_over(self, *, at: int) -> OpenCandle | None:
        """Close the minute if it ended long enough before this moment of the venue's time."""
        return self.finish() if self.is_open and at >= self.end + GRACE_MS else None

    def turn_back(self) -> None:
        """Drop the unfinished minute: the clock has gone back behind it."""
        self.start = self.end

    def candle(self) -> OpenCandle:
        """Return the unfinished minute as it stands."""
        since = None if math.isinf(self._heard_since) else int(self._heard_since)
        return OpenCandle(self.start, self.open, self.high, self.low, self.close, self._plain_volume(), since)

    def _plain_volume(self) -> float:
        """Return the volume without the dust that differences of floats leave: the day's has some 15 good digits."""
        if not self.volume:
            return 0.0
        return round(self.volume, min(_VOLUME_DIGITS, max(0, _GOOD_DIGITS - len(str(int(self._seen_volume))))))
