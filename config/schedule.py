"""What runs by itself: one line a task, with its interval, jitter and expiry in seconds."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Tick:
    """A task that is sent every `every` seconds, at most `jitter` late, and not run once older than `expires`."""

    task: str
    every: float
    jitter: float = 0.0
    expires: float | None = None
    queue: str = "default"


#: What somebody sees on an open page does not wait behind years of candles that are being fetched.
SEEN = "notify"

TICKS: tuple[Tick, ...] = (
    Tick("core.reap_work", every=15, jitter=2),
    Tick("accounts.tidy", every=3600, jitter=300),
    Tick("core.forget_idempotency_keys", every=3600, jitter=60),
    Tick("markets.refresh", every=60, jitter=5),
    Tick("markets.repair_candles", every=30, jitter=3),
    Tick("markets.summarize", every=60, jitter=5),
    Tick("markets.pack_candles", every=600, jitter=60),
    Tick("exchanges.sync_due", every=15, jitter=2),
    Tick("exchanges.look_at_keys", every=3600, jitter=300),
    Tick("portfolios.book_behind", every=30, jitter=3, queue=SEEN),
    Tick("portfolios.revalue", every=10, jitter=1, queue=SEEN),
)


def celery_schedule() -> dict[str, dict[str, Any]]:
    """Return the table as Celery's beat reads it; `beat.py` spreads each tick and takes its lock."""
    return {
        tick.task: {
            "task": tick.task,
            "schedule": timedelta(seconds=tick.every),
            "options": {"queue": tick.queue, "expires": tick.expires or tick.every, "jitter": tick.jitter},
        }
        for tick in TICKS
    }
