"""Signs of life: written by a thread, through outages, and taken away at an orderly end."""

import atexit
import os
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections

from apps.core import clock
from apps.operations import heartbeat
from apps.operations.actions.heartbeats import beat, end_beat
from apps.operations.heartbeat import Heartbeat
from apps.operations.models import ProcessBeat
from apps.operations.tests.factories import make_beat


def wait_until(condition: Any) -> None:
    for _ in range(1500):
        if condition():
            return
        time.sleep(0.02)
    pytest.fail("It did not happen within half a minute.")


@pytest.mark.django_db
def test_a_beat_overwrites_the_row_of_its_predecessor() -> None:
    first = make_beat(name="web")
    beat(name="web", host="here", pid=7, started_at=clock.now(), version="2", now=clock.now())
    beat(name="web", host="there", pid=8, started_at=clock.now(), version="2", now=clock.now())
    assert ProcessBeat.objects.filter(name="web").count() == 2
    first.refresh_from_db()
    assert (first.pid, first.version) == (7, "2")


@pytest.mark.django_db
def test_machines_that_are_gone_are_forgotten() -> None:
    make_beat(name="worker", host="old", last_seen_at=clock.now() - timedelta(hours=25))
    beat(name="web", host="here", pid=7, started_at=clock.now(), version="2", now=clock.now())
    assert [row.name for row in ProcessBeat.objects.all()] == ["web"]


@pytest.mark.django_db
def test_a_process_takes_its_own_row_away_only() -> None:
    make_beat(name="web")
    end_beat(name="web", host="here", pid=1)
    assert ProcessBeat.objects.exists()
    end_beat(name="web", host="here", pid=4_000)
    assert not ProcessBeat.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_thread_beats_and_stops() -> None:
    pulse = Heartbeat("web", every=0.05)
    pulse.start()
    wait_until(ProcessBeat.objects.exists)
    row = ProcessBeat.objects.get()
    assert (row.name, row.pid) == ("web", os.getpid())
    wait_until(lambda: ProcessBeat.objects.get().last_seen_at > row.last_seen_at)
    pulse.stop()
    assert not pulse.is_beating
    assert not ProcessBeat.objects.exists()
    pulse.stop()


@pytest.mark.django_db(transaction=True)
def test_an_outage_is_waited_out(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def refuse(**_fields: object) -> None:
        calls.append(1)
        raise OperationalError("connection refused")

    pulse = Heartbeat("web", every=0.02)
    monkeypatch.setattr(heartbeat, "beat", refuse)
    pulse.start()
    wait_until(lambda: len(calls) > 3)
    monkeypatch.setattr(heartbeat, "beat", beat)
    wait_until(ProcessBeat.objects.exists)
    pulse.stop()
    assert len([one for one in caplog.records if "No sign of life" in one.getMessage()]) == 1


@pytest.mark.django_db(transaction=True)
def test_an_unforeseen_error_does_not_end_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(**_fields: object) -> None:
        raise ValueError("unforeseen")

    pulse = Heartbeat("web", every=0.02)
    monkeypatch.setattr(heartbeat, "beat", break_down)
    pulse.start()
    time.sleep(0.1)
    assert pulse.is_beating
    monkeypatch.setattr(heartbeat, "beat", beat)
    wait_until(ProcessBeat.objects.exists)
    pulse.stop()


@pytest.mark.django_db(transaction=True)
def test_a_beat_holds_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    pulse = Heartbeat("web")
    assert pulse.beat_once()
    assert all(connection.connection is None for connection in connections.all())


def test_one_process_has_one_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(Heartbeat, "start", lambda self: started.append(self.name))
    monkeypatch.setattr(heartbeat, "_started", {})
    monkeypatch.setattr(atexit, "register", lambda _call: None)
    assert heartbeat.start_heartbeat("web") is heartbeat.start_heartbeat("web")
    assert started == ["web"]
