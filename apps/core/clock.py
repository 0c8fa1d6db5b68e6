"""The one place where the time is read. Doors read it and hand it on as `now`."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)
