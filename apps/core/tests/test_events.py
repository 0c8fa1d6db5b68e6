"""Events: after commit, each line for itself, text and back, and a stream that says when it was cut."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from celery import current_app
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from kombu.exceptions import OperationalError as BrokerError
from pytest_django import Settings

from apps.core import cache, events
from apps.core.events import Event, JobChanged, Line, StreamCut, publish
from apps.core.logs import bind_request_id
from apps.core.testing import CapturedEvents, SentTask, cut_redis, run_on_commit


@dataclass(frozen=True, kw_only=True)
class TeaBrewed(Event):
    """Something that happens in tests."""

    cup: UUID
    grams: Decimal
    at: datetime
    strong: bool = False
    steps: tuple[int, ...] = ()
    who: str | None = None


heard: list[Event] = []
AT = datetime(2026, 1, 10, 12, tzinfo=UTC)


def hear(event: Event) -> None:
    heard.append(event)


def break_down(_event: Event) -> None:
    raise ZeroDivisionError


LINES = (
    Line(TeaBrewed, "inline", f"{__name__}.break_down"),
    Line(TeaBrewed, "job", "core.reap_work", sweep="core.reap_work"),
    Line(TeaBrewed, "inline", f"{__name__}.hear"),
    Line(TeaBrewed, "stream"),
)
TWICE = (Line(TeaBrewed, "stream"), Line(TeaBrewed, "stream"))
NO_TARGET = (Line(TeaBrewed, "job"),)
STRANGER = (Line(dict, "stream"),)  # type: ignore[arg-type]
ABSENT = (Line(TeaBrewed, "job", "core.absent"), Line(TeaBrewed, "inline", "apps.core.absent.function"))


@pytest.fixture(autouse=True)
def _switchboard(settings: Settings) -> None:
    heard.clear()
    settings.SWITCHBOARD = f"{__name__}.LINES"


def make_tea(**values: object) -> TeaBrewed:
    return TeaBrewed(**{"cup": uuid4(), "grams": Decimal("2.50"), "at": AT, "steps": (1, 2), **values})  # type: ignore[arg-type]


def test_text_and_back() -> None:
    tea = make_tea(who="me", strong=True)
    assert events.decode(events.encode(tea)) == tea
    assert events.plain_fields(tea)["grams"] == "2.50"


def test_an_unknown_event_or_field_is_said() -> None:
    with pytest.raises(events.UnknownEventError):
        events.decode('{"event":"Never","fields":{}}')
    assert events.decode('{"event":"StreamCut","fields":{"added_later":1}}') == StreamCut()


def test_two_events_may_not_share_a_name() -> None:
    with pytest.raises(TypeError, match="Two events"):
        type("JobChanged", (Event,), {"__module__": "elsewhere"})


@pytest.mark.parametrize("value", [1.5, object(), {"a": 1}])
def test_only_plain_values_travel(value: object) -> None:
    with pytest.raises(TypeError, match="plain values"):
        events.encode(make_tea(who=value))


def test_nothing_happens_before_the_commit(db: None, sent_tasks: list[SentTask]) -> None:
    with run_on_commit():
        publish(make_tea())
        assert heard == []
        assert sent_tasks == []
    assert len(heard) == 1


def test_nothing_happens_after_a_rollback(transactional_db: None, sent_tasks: list[SentTask]) -> None:
    with transaction.atomic():
        publish(make_tea())
        transaction.set_rollback(True)
    assert (heard, sent_tasks) == ([], [])


def test_a_failing_line_stops_no_other(db: None, sent_tasks: list[SentTask], caplog: pytest.LogCaptureFixture) -> None:
    tea = make_tea()
    with run_on_commit(), bind_request_id("from-here"):
        publish(tea)
    assert heard == [tea]
    assert sent_tasks == [
        SentTask("core.reap_work", {**events.plain_fields(tea), "request_id": "from-here"}, "default", "from-here")
    ]
    assert [event for _entry, event in events.read_stream_since(events.START)] == [tea]
    assert sum("A line of the switchboard failed" in message for message in caplog.messages) == 1


def test_the_broker_away_is_never_the_users_problem(db: None, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with run_on_commit():
        publish(make_tea())
    assert len(heard) == 1


def test_published_events_are_captured(db: None, published: CapturedEvents) -> None:
    tea = make_tea()
    publish(tea)
    assert published.of(TeaBrewed) == [tea]
    assert published.of(JobChanged) == []


@pytest.mark.parametrize("name", ["TWICE", "NO_TARGET", "STRANGER"])
def test_a_switchboard_that_cannot_work_is_refused_at_start(name: str, settings: Settings) -> None:
    settings.SWITCHBOARD = f"{__name__}.{name}"
    with pytest.raises(ImproperlyConfigured):
        events.lines_for(Event)


def test_the_system_check_finds_absent_targets(settings: Settings) -> None:
    assert events.check_switchboard() == []
    settings.SWITCHBOARD = f"{__name__}.ABSENT"
    assert [error.id for error in events.check_switchboard()] == ["core.E001", "core.E001"]


def test_a_reader_that_was_away_too_long_is_told() -> None:
    first = events.append_to_stream(make_tea())
    assert first is not None
    second = events.append_to_stream(make_tea())
    assert [entry for entry, _event in events.read_stream_since(first)] == [second]
    cache.redis_client().xtrim(events.STREAM, maxlen=1, approximate=False)
    assert events.read_stream_since(first) == [(second, StreamCut())]
    assert events.read_stream_since(events.newest_id()) == []
    cache.redis_client().flushdb()
    assert events.read_stream_since(first) == [(events.START, StreamCut())]


async def read(count: int, last_id: str | None, meanwhile: Callable[[], object]) -> list[Event]:
    found: list[Event] = []
    stream = events.read_stream(last_id, block_seconds=0.2)

    async def _collect() -> None:
        async for _entry, event in stream:
            found.append(event)
            if len(found) == count:
                return

    reading = asyncio.create_task(_collect())
    await asyncio.sleep(0.1)
    await asyncio.to_thread(meanwhile)
    await asyncio.wait_for(reading, 10)
    await cache.async_redis_client().aclose()
    return found


async def test_the_stream_is_read_from_now_on() -> None:
    events.append_to_stream(make_tea(who="before"))
    tea = make_tea(who="after")
    assert await read(1, None, lambda: events.append_to_stream(tea)) == [tea]


async def test_a_cut_comes_before_what_follows() -> None:
    first = events.append_to_stream(make_tea())
    events.append_to_stream(make_tea())
    cache.redis_client().xtrim(events.STREAM, maxlen=1, approximate=False)
    tea = make_tea()
    assert await read(2, first, lambda: events.append_to_stream(tea)) == [StreamCut(), tea]


async def test_the_reader_waits_for_redis_to_come_back() -> None:
    tea = make_tea()

    def _break() -> None:
        cut_redis()
        events.append_to_stream(tea)

    last = events.append_to_stream(make_tea())
    assert await read(1, last, _break) == [tea]


def test_a_broker_that_goes_away_at_the_last_moment_stops_nothing(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def _break(*_args: object, **_options: object) -> None:
        raise BrokerError("connection reset")

    monkeypatch.setattr(current_app, "send_task", _break)
    with run_on_commit(), transaction.atomic():
        transaction.on_commit(lambda: heard.append(StreamCut()) if events.send_task("a.b", keywords={}) else None)
        publish(TeaBrewed(cup=uuid4(), grams=Decimal(1), at=AT))
    assert [type(event) for event in heard] == [TeaBrewed]
    assert cache.redis_client().xlen(events.STREAM) == 1
