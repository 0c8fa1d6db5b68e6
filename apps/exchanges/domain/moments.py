"""Moments as venues tell them, in whole milliseconds, and as we keep them."""

from datetime import UTC, datetime, timedelta
from typing import Final

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(at: datetime) -> int:
    """Return a moment as venues tell it."""
    return (at - _BEGINNING) // timedelta(milliseconds=1)


def moment_of(at_ms: int) -> datetime:
    """Return a venue's moment as we keep it."""
    return _BEGINNING + timedelta(milliseconds=at_ms)
