"""How complete the history of a connection is: stream by stream, and as one word with a share and an estimate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

#: Below this share done, or this time gone, no estimate is made: it would be a guess.
_LEAST_SHARE: Final = Decimal("0.02")
_LEAST_TIME: Final = timedelta(seconds=5)
_FINE: Final = Decimal("0.0001")


class CoverageState(StrEnum):
    """How much of a stream, or of a connection, stands in our tables."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCoverage:
    """One stream: from where to where it is known, and whether anything is missing."""

    stream: str
    symbol: str
    from_at: datetime | None
    to_at: datetime | None
    state: CoverageState
    rows: int = 0
    problem_code: str = ""
    problem_detail: str = ""


def overall(streams: Sequence[StreamCoverage]) -> CoverageState:
    """Return the state of a connection: running while any first reading is, else partial if anything is missing."""
    states = {one.state for one in streams}
    if not states or CoverageState.RUNNING in states:
        return CoverageState.RUNNING
    return CoverageState.PARTIAL if CoverageState.PARTIAL in states else CoverageState.COMPLETE


def share_read(*, since_ms: int, until_ms: int, reached_ms: int) -> Decimal:
    """Return how much of a stretch is read, from 0 to 1."""
    if until_ms <= since_ms:
        return Decimal(1)
    return min(Decimal(1), max(Decimal(0), Decimal(reached_ms - since_ms) / (until_ms - since_ms)))


def share_done(*, done: int, total: int, current: Decimal) -> Decimal:
    """Return how much of all streams is read when so many are and one is on its way; the end is left to the end."""
    if total <= 0:
        return Decimal(0)
    share = (Decimal(done) + min(Decimal(1), max(Decimal(0), current))) / total
    return min(Decimal("0.99"), share).quantize(_FINE)


def time_left(*, share: Decimal, begun_at: datetime, now: datetime) -> timedelta | None:
    """Return about how long the rest takes if it goes on as it went; None while that would be a guess."""
    gone = now - begun_at
    if share < _LEAST_SHARE or gone < _LEAST_TIME or share >= 1:
        return None
    seconds = gone.total_seconds() * float((1 - share) / share)
    return timedelta(seconds=round(seconds))
