"""The six lengths of a candle, and the grid of open times that each of them stands on."""

from enum import StrEnum
from typing import Final

DAY_MS: Final = 86_400_000


class Timeframe(StrEnum):
    """How long a candle lasts."""

    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"

    @property
    def milliseconds(self) -> int:
        """The length."""
        return _LENGTHS[self]

    @property
    def finer(self) -> "tuple[Timeframe, ...]":
        """The shorter timeframes that this one can be put together from, the longest first."""
        return tuple(other for other in reversed(Timeframe) if other.milliseconds < self.milliseconds)

    @property
    def coarser(self) -> "tuple[Timeframe, ...]":
        """The longer timeframes that this one is a part of, the shortest first."""
        return tuple(other for other in Timeframe if other.milliseconds > self.milliseconds)

    def floor(self, ts: int) -> int:
        """Return the open time of the candle that a moment falls into."""
        return ts - ts % self.milliseconds

    def ceil(self, ts: int) -> int:
        """Return the first open time that is not before a moment."""
        return -(-ts // self.milliseconds) * self.milliseconds

    def closed_before(self, now_ms: int) -> int:
        """Return the open time of the candle that is open now: what opened before it is closed."""
        return self.floor(now_ms)


_LENGTHS: Final = {
    Timeframe.M1: 60_000,
    Timeframe.M5: 300_000,
    Timeframe.M15: 900_000,
    Timeframe.H1: 3_600_000,
    Timeframe.H4: 14_400_000,
    Timeframe.D1: DAY_MS,
}
