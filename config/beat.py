"""The scheduler: every tick belongs to a slot of wall-clock time and is sent once, however many schedulers run."""

import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import structlog
from celery.beat import ScheduleEntry, Scheduler
from celery.schedules import BaseSchedule, schedstate
from prometheus_client import Counter

from apps.core import cache, clock

log = structlog.get_logger(__name__)

_WAIT_FOR_REDIS_SECONDS = 1.0
_STEP_BACK = timedelta(seconds=2)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

_ticks = Counter("coinsphere_ticks_total", "Ticks of the schedule.", ["task", "outcome"])


class SlotSchedule(BaseSchedule):
    """Due once in each slot of `every` seconds since 1970, shifted by up to `jitter` seconds, the same everywhere."""

    def __init__(self, *, name: str, every: float, jitter: float = 0.0) -> None:
        super().__init__(nowfun=clock.now)
        self.name, self.every, self.jitter = name, every, jitter

    def slot(self, moment: datetime) -> int:
        """Return the number of the slot that has begun last."""
        number = int(moment.timestamp() // self.every)
        return number if moment.timestamp() >= self.begin_of(number) else number - 1

    def begin_of(self, slot: int) -> float:
        """Return when a slot begins, in seconds since 1970."""
        spread = zlib.crc32(f"{self.name} {slot}".encode()) / 2**32
        return slot * self.every + spread * min(self.jitter, self.every)

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Tell whether a slot has begun since the last run, and when to look again."""
        present = self.now()
        slot = self.slot(present)
        due = last_run_at.timestamp() < self.begin_of(slot)
        return schedstate(due, max(0.05, self.begin_of(slot + 1) - present.timestamp()))

    def remaining_estimate(self, last_run_at: datetime) -> Any:  # noqa: ANN401 - as in Celery
        """Return how long it is until the next run."""
        return datetime.fromtimestamp(self.begin_of(self.slot(last_run_at) + 1), tz=UTC) - self.now()

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.name, self.every, self.jitter))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SlotSchedule) and self.__reduce__()[1] == other.__reduce__()[1]

    def __hash__(self) -> int:
        return hash((self.name, self.every, self.jitter))


def _rebuild(name: str, every: float, jitter: float) -> SlotSchedule:
    return SlotSchedule(name=name, every=every, jitter=jitter)


class SlotScheduler(Scheduler):
    """Celery's scheduler without a file of its own: what ran last is known to Redis, which all schedulers share."""

    _seen = _LONG_AGO

    def setup_schedule(self) -> None:
        """Take the table; entries that have not run in their slot are due at once."""
        table: Mapping[str, Mapping[str, Any]] = self.app.conf.beat_schedule
        for name, line in table.items():
            options = dict(line["options"])
            planned = SlotSchedule(
                name=name, every=line["schedule"].total_seconds(), jitter=float(options.pop("jitter", 0.0))
            )
            self.schedule[name] = ScheduleEntry(
                name, line["task"], last_run_at=_LONG_AGO, schedule=planned, options=options, app=self.app
            )

    def tick(self, *args: Any, **kwargs: Any) -> float:  # noqa: ANN401 - as in Celery
        """Send what is due; while Redis is away nothing is, and no slot is lost."""
        if not _redis_answers():
            return _WAIT_FOR_REDIS_SECONDS
        present = clock.now()
        if present < self._seen - _STEP_BACK:
            self._start_over(present)
        self._seen = present
        return float(super().tick(*args, **kwargs))

    def _start_over(self, present: datetime) -> None:
        """Go on after the clock was set back: slots in what is the future again are free again."""
        log.warning("The clock went back; the schedule starts over")
        for entry in self.schedule.values():
            entry.last_run_at = _LONG_AGO
            planned = cast("SlotSchedule", entry.schedule)
            slots = range(planned.slot(present) + 1, planned.slot(self._seen) + 1)
            gone = [tick_key(planned.name, slot) for slot in slots]
            if gone:
                cache.redis_client().delete(*gone)
        self._heap = None

    def apply_async(self, entry: ScheduleEntry, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as in Celery
        """Send the task unless another scheduler has taken this slot."""
        if not take_tick(schedule=cast("SlotSchedule", entry.schedule), now=clock.now()):
            _ticks.labels(task=entry.task, outcome="taken elsewhere").inc()
            return None
        _ticks.labels(task=entry.task, outcome="sent").inc()
        return super().apply_async(entry, *args, **kwargs)


def _redis_answers() -> bool:
    """Ask Redis itself: a tick must not be lost to an answer of a second ago."""
    try:
        cache.redis_client().ping()
    except cache.RedisOutage:
        cache.health.failed()
        return False
    cache.health.answered()
    return True


def tick_key(name: str, slot: int) -> str:
    """Return under which key a slot is taken."""
    return f"coinsphere:tick:{name}:{slot}"


def take_tick(*, schedule: SlotSchedule, now: datetime) -> bool:
    """Take the present slot of a tick; False when somebody has it already."""
    key = tick_key(schedule.name, schedule.slot(now))
    return bool(cache.redis_client().set(key, "1", nx=True, ex=max(60, int(schedule.every * 2))))
