"""The schedule: one run a slot however many schedulers there are, and the request id travels with each task."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery, current_app
from django.conf import settings
from pytest_django import Settings

from apps.core import cache, clock
from apps.core.logs import bind_request_id
from config.beat import SlotSchedule, SlotScheduler, take_tick

_CELERY = (sys.executable, "-m", "celery", "-A", "config.worker")
AT = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def app() -> Celery:
    app = Celery("test", broker=settings.REDIS_URL, set_as_current=False)
    app.conf.beat_schedule = {
        "test.tick": {"task": "test.tick", "schedule": far_from_the_next(), "options": {"queue": "ticks", "jitter": 5}}
    }
    return app


def far_from_the_next() -> timedelta:
    """Return an interval of about an hour of which no slot begins while a test runs."""
    present = clock.now().timestamp()
    about = (timedelta(minutes=minutes) for minutes in (60, 61, 67))
    return next(every for every in about if 60 < present % every.total_seconds() < every.total_seconds() - 60)


def waiting() -> int:
    length: Any = cache.redis_client().llen("ticks")
    return int(length)


def tick_all(scheduler: SlotScheduler) -> None:
    for _round in range(4):
        scheduler.tick()


def test_two_schedulers_send_a_tick_once(app: Celery) -> None:
    first, second = SlotScheduler(app), SlotScheduler(app)
    for scheduler in (first, second, first, second):
        tick_all(scheduler)
    assert waiting() == 1
    tick_all(SlotScheduler(app))
    assert waiting() == 1, "a scheduler that starts later finds the slot taken"


def test_no_tick_is_lost_while_redis_is_away(app: Celery, settings: Settings) -> None:
    scheduler = SlotScheduler(app)
    address, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    assert scheduler.tick() == 1.0
    settings.REDIS_URL = address
    cache.health.forget()
    tick_all(scheduler)
    assert waiting() == 1


def test_the_schedule_goes_on_after_the_clock_was_set_back(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = SlotScheduler(app)
    tick_all(scheduler)
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) - timedelta(hours=3))  # noqa: TID251
    for entry in scheduler.schedule.values():
        setattr(entry.schedule, "nowfun", clock.now)  # noqa: B010 - not in the stubs
    tick_all(scheduler)
    assert waiting() == 2


def test_slots_are_spread_the_same_way_everywhere() -> None:
    plan = SlotSchedule(name="x", every=15, jitter=2)
    begins = [plan.begin_of(slot) for slot in range(100)]
    assert all(15 * slot <= begin <= 15 * slot + 2 for slot, begin in enumerate(begins))
    assert len({begin % 15 for begin in begins}) > 50
    assert begins == [SlotSchedule(name="x", every=15, jitter=2).begin_of(slot) for slot in range(100)]
    assert take_tick(schedule=plan, now=AT + timedelta(seconds=3))
    assert not take_tick(schedule=plan, now=AT + timedelta(seconds=8))
    assert take_tick(schedule=plan, now=AT + timedelta(seconds=18))


def test_a_task_carries_the_request_id_into_a_real_worker() -> None:
    with bind_request_id("asked-here"):
        current_app.send_task("core.reap_work", queue="default", kwargs={"unknown": 1})
    worker = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "config.worker",
            "worker",
            "-P",
            "solo",
            "-Q",
            "default",
            "--without-gossip",
        ],
        cwd=settings.BASE_DIR,
        env={**os.environ, "REDIS_URL": settings.REDIS_URL, "LOG_FORMAT": "json"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stderr is not None
        line = next(
            line for line in worker.stderr if "core.reap_work" in line and ("succeeded" in line or "raised" in line)
        )
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=30)
    assert '"request_id": "asked-here"' in line
