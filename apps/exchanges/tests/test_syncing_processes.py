"""Syncs among processes: one effect however often a message comes, nothing lost to kill -9, late writers refused."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection as database

from apps.core import clock, jobs
from apps.core.jobs import sweep
from apps.exchanges.actions import scheduling, syncing
from apps.exchanges.models import Connection, StoredRow, SyncRun, SyncTrigger
from apps.exchanges.tests.factories import make_connection
from apps.exchanges.tests.fake_venue import full_venue
from apps.exchanges.tests.state import state_hash
from apps.portfolios.models import Batch, Transaction

LEASE_SECONDS = 1.0
ROWS = 52
Start = Callable[..., "subprocess.Popen[str]"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sent_tasks")]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "JOB_LEASE_SECONDS", LEASE_SECONDS)
    monkeypatch.setattr(sweep, "job_models", lambda: (SyncRun,))
    monkeypatch.setattr(syncing, "venue", lambda _exchange: full_venue())


@pytest.fixture
def start() -> Iterator[Start]:
    """Start worker processes on this test's database; what is left of them at the end is killed."""
    started: list[subprocess.Popen[str]] = []
    base = database.settings_dict
    url = f"postgres://{base['USER']}:{base['PASSWORD']}@{base['HOST']}:{base['PORT']}/{base['NAME']}"
    outside = {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL, "TEST_LEASE_SECONDS": str(LEASE_SECONDS)}

    def _start(run: SyncRun, what: str = "work", pause: float = 0.0) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.exchanges.tests.sync_worker", what, str(run.pk), str(pause)],
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


@pytest.fixture
def whole() -> str:
    """Return the state that an undisturbed sync leaves behind."""
    connection = make_connection()
    run = asked(connection)
    assert syncing.run_sync(run_id=run.pk, worker="undisturbed", read_clock=clock.now)
    found = state_hash(connection)
    connection.portfolio.delete()
    connection.owner.delete()
    return found


def asked(connection: Connection) -> SyncRun:
    return scheduling.request_sync(connection=connection, by=None, now=clock.now(), trigger=SyncTrigger.SCHEDULE)


def wait_for_line(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdout is not None
    for said in process.stdout:
        if said.strip() == line:
            return
    pytest.fail(f"The worker ended without saying {line!r}.")


def take_over() -> None:
    began = time.monotonic()
    while jobs.reap(now=clock.now()).taken_over == 0:
        assert time.monotonic() - began < 30, "nobody took the sync over"
        time.sleep(0.05)


def finish(run: SyncRun) -> None:
    """Work the sync off here; a dead holder's lock of the key lapses like its lease."""
    began = time.monotonic()
    while not syncing.run_sync(run_id=run.pk, worker="next", read_clock=clock.now):
        assert time.monotonic() - began < 60, SyncRun.objects.filter(pk=run.pk).values()
        time.sleep(0.05)


def test_ten_deliveries_at_once_have_one_effect(start: Start, whole: str) -> None:
    connection = make_connection()
    run = asked(connection)
    workers = [start(run, what="five") for _process in range(2)]
    for worker in workers:
        wait_for_line(worker, "ready")
    said = [line for worker in workers for line in worker.communicate(input="go\n", timeout=60)[0].splitlines()]
    assert (said.count("succeeded"), said.count("left")) == (1, 9)
    assert (StoredRow.objects.count(), Transaction.objects.count(), Batch.objects.count()) == (ROWS, ROWS, 1)
    assert state_hash(connection) == whole
    assert SyncRun.objects.get(pk=run.pk).fence == 2


def test_a_killed_worker_loses_nothing_and_doubles_nothing(start: Start, whole: str) -> None:
    connection = make_connection()
    run = asked(connection)
    victim = start(run, pause=0.2)
    wait_for_line(victim, "page BTC/USDT 10")
    victim.kill()
    victim.wait()
    killed_at = time.monotonic()
    take_over()
    finish(run)
    assert time.monotonic() - killed_at < 60
    assert state_hash(connection) == whole
    assert SyncRun.objects.get(pk=run.pk).posted == ROWS


def test_a_frozen_worker_wakes_late_and_writes_nothing(start: Start, whole: str) -> None:
    connection = make_connection()
    run = asked(connection)
    frozen = start(run, pause=0.3)
    wait_for_line(frozen, "page BTC/USDT 10")
    frozen.send_signal(signal.SIGSTOP)
    take_over()
    finish(run)
    before = (state_hash(connection), SyncRun.objects.filter(pk=run.pk).values())
    frozen.send_signal(signal.SIGCONT)
    assert "left" in frozen.communicate(timeout=60)[0]
    assert (state_hash(connection), SyncRun.objects.filter(pk=run.pk).values()[0]) == (whole, before[1][0])


def test_a_sync_that_kills_its_worker_is_parked_and_others_go_on(start: Start) -> None:
    poison, other = asked(make_connection()), asked(make_connection())
    for _crash in range(3):
        victim = start(poison, what="die")
        victim.communicate(timeout=60)
        assert victim.returncode == -signal.SIGKILL
        take_over()
    parked = SyncRun.objects.get(pk=poison.pk)
    assert (parked.state, parked.problem_code) == ("parked", "parked")
    assert scheduling.enqueue_due(now=clock.now()) == 0
    finish(other)


def test_two_schedulers_queue_one_sync_of_each() -> None:
    now = clock.now()
    for _number in range(5):
        make_connection(now=now)
    together = threading.Barrier(3)

    def tick(_scheduler: int) -> int:
        together.wait(timeout=30)
        try:
            return scheduling.enqueue_due(now=now)
        finally:
            database.close()

    with ThreadPoolExecutor(max_workers=3) as pool:
        queued = list(pool.map(tick, range(3)))
    assert sum(queued) == SyncRun.objects.count() == 5
