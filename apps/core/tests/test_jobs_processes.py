"""Jobs among processes: one effect however often a message comes, takeover after kill -9, late writers refused."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection

from apps.core import clock, jobs
from apps.core.tests.chores import Chore, Effect

LEASE_SECONDS = 1.0
PAST = datetime(2026, 1, 1, tzinfo=UTC)
PAGES = 5

Start = Callable[..., "subprocess.Popen[str]"]
pytestmark = pytest.mark.usefixtures("committed_chores")


@pytest.fixture
def start() -> Iterator[Start]:
    """Start worker processes on this test's database; what is left of them at the end is killed."""
    started: list[subprocess.Popen[str]] = []
    base = connection.settings_dict
    url = f"postgres://{base['USER']}:{base['PASSWORD']}@{base['HOST']}:{base['PORT']}/{base['NAME']}"
    outside = {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL, "TEST_LEASE_SECONDS": str(LEASE_SECONDS)}

    def _start(chore: Chore, what: str = "work", pause: float = 0.05) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.core.tests.chore_worker", what, str(chore.pk), str(pause)],
            cwd=settings.BASE_DIR,
            env={**os.environ, **outside},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield _start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(autouse=True)
def _short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "JOB_LEASE_SECONDS", LEASE_SECONDS)


def wait_for_line(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdout is not None
    for said in process.stdout:
        if said.strip() == line:
            return
    pytest.fail(f"The worker ended without saying {line!r}.")


def reap_until_taken_over() -> None:
    began = time.monotonic()
    while jobs.reap(now=clock.now()).taken_over == 0:
        assert time.monotonic() - began < 30, "nobody took the work over"
        time.sleep(0.05)


def take_over_from_the_dead(chore: Chore) -> None:
    """See that the work is taken over when the lease of its dead holder runs out, neither earlier nor later."""
    chore.refresh_from_db()
    assert chore.lease_until is not None
    assert jobs.reap(now=chore.lease_until - timedelta(milliseconds=1)).taken_over == 0
    while clock.now() <= chore.lease_until:
        time.sleep(0.05)
    assert jobs.reap(now=chore.lease_until + timedelta(milliseconds=1)).taken_over == 1


def pages_done(chore: Chore) -> list[int]:
    return list(Effect.objects.filter(chore_id=chore.pk).order_by("page", "id").values_list("page", flat=True))


def test_ten_deliveries_at_once_have_one_effect(start: Start) -> None:
    chore = Chore.objects.create(next_attempt_at=PAST)
    workers = [start(chore, what="five") for _process in range(2)]
    for worker in workers:
        wait_for_line(worker, "ready")
    said = [line for worker in workers for line in worker.communicate(input="go\n", timeout=60)[0].splitlines()]
    assert pages_done(chore) == list(range(PAGES))
    assert (said.count("claimed"), said.count("refused")) == (1, 9)
    assert Effect.objects.values("worker").distinct().count() == 1
    chore.refresh_from_db()
    assert (chore.state, chore.fence) == ("succeeded", 2)


def test_a_killed_worker_is_taken_over_where_it_stopped(start: Start) -> None:
    chore = Chore.objects.create(next_attempt_at=PAST)
    first = start(chore, pause=0.3)
    wait_for_line(first, "done 1")
    first.kill()
    first.wait()
    take_over_from_the_dead(chore)
    second = start(chore)
    assert "succeeded" in second.communicate(timeout=60)[0]
    assert pages_done(chore) == list(range(PAGES))


def test_a_frozen_worker_wakes_late_and_is_refused(start: Start) -> None:
    chore = Chore.objects.create(next_attempt_at=PAST)
    frozen = start(chore, pause=3.0)  # time enough to freeze it before it has done anything
    wait_for_line(frozen, "page 0")
    frozen.send_signal(signal.SIGSTOP)
    reap_until_taken_over()
    second = start(chore)
    assert "succeeded" in second.communicate(timeout=60)[0]
    frozen.send_signal(signal.SIGCONT)
    assert "left" in frozen.communicate(timeout=60)[0]
    assert pages_done(chore) == list(range(PAGES))
    assert set(Effect.objects.values_list("worker", flat=True)) == {f"{jobs.this_worker().split(':')[0]}:{second.pid}"}


def test_poison_that_kills_its_worker_is_parked_and_others_go_on(start: Start) -> None:
    poison = Chore.objects.create(next_attempt_at=PAST)
    for _crash in range(3):
        victim = start(poison, what="die")
        assert "claimed" in victim.communicate(timeout=60)[0]
        assert victim.returncode == -signal.SIGKILL
        take_over_from_the_dead(poison)
    poison.refresh_from_db()
    assert (poison.state, poison.problem_code) == ("parked", "parked")
    assert jobs.claim(model=Chore, work_id=poison.pk, worker="next", now=clock.now()) is None
    other = Chore.objects.create(next_attempt_at=PAST)
    assert "succeeded" in start(other).communicate(timeout=60)[0]
