"""Makes signs of life for tests."""

from datetime import datetime

from apps.core import clock
from apps.operations.models import ProcessBeat


def make_beat(
    *, name: str = "web", host: str = "here", pid: int = 4_000, last_seen_at: datetime | None = None
) -> ProcessBeat:
    """Make the row of a process that was heard just now."""
    moment = last_seen_at or clock.now()
    return ProcessBeat.objects.create(
        name=name, host=host, pid=pid, version="0.1.0", started_at=moment, last_seen_at=moment
    )
