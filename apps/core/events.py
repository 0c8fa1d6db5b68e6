"""The way up: an action publishes a frozen event; after commit the switchboard does what is listed for it.

`inline` calls a function in this process, `job` sends a task by name, `stream` appends to the one
bounded Redis stream that every live and watching process reads.
"""

import asyncio
import itertools
import json
import random
import time
import types
import typing
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, ClassVar, Literal, TypeAlias
from uuid import UUID

import structlog
from celery import current_app
from django.conf import settings
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils.module_loading import autodiscover_modules, import_string
from kombu.exceptions import OperationalError as BrokerError
from prometheus_client import Counter

from apps.core.cache import RedisOutage, async_redis_client, health, redis_client, redis_is_up
from apps.core.logs import current_request_id

log = structlog.get_logger(__name__)

STREAM = "coinsphere:events"
STREAM_LENGTH = 10_000
START = "0-0"
_BATCH = 500
_STALL_SECONDS = 1.0
_PUBLISH_RETRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}

#: What an event's field becomes in JSON.
Plain: TypeAlias = str | bool | int | list["Plain"] | None

_published = Counter("coinsphere_events_total", "Events published.", ["event"])
_lines = Counter("coinsphere_event_lines_total", "Lines of the switchboard carried out.", ["event", "how", "outcome"])


# --- Events ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Event:
    """Something that has happened: ids and plain values, never rows. Class names are unique in the product."""

    registry: ClassVar[dict[str, type["Event"]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        known = Event.registry.get(cls.__name__)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"Two events are called {cls.__name__}: in {known.__module__} and in {cls.__module__}.")
        Event.registry[cls.__name__] = cls


@dataclass(frozen=True)
class StreamCut(Event):
    """The reader of the stream was away too long and missed events: take a snapshot."""


@dataclass(frozen=True, kw_only=True)
class JobChanged(Event):
    """A piece of long work changed its state or came further."""

    job_id: UUID
    kind: str
    title: str
    owner_id: UUID | None
    state: str
    progress: Decimal
    note: str


_known_hints: dict[type[Event], dict[str, Any]] = {}


class UnknownEventError(LookupError):
    """The text names an event that this version of the product does not have."""


def plain_fields(event: Event) -> dict[str, Plain]:
    """Return the event's fields as JSON values."""
    return {field.name: _plain(getattr(event, field.name)) for field in fields(event)}


def _plain(value: object) -> Plain:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    raise TypeError(f"An event carries plain values only, not {type(value).__name__}.")


def encode(event: Event) -> str:
    """Return the event as JSON text."""
    return json.dumps({"event": type(event).__name__, "fields": plain_fields(event)}, separators=(",", ":"))


def decode(text: str | bytes) -> Event:
    """Return the event that `encode` wrote; fields that this version does not know are left out."""
    body = json.loads(text)
    kind = Event.registry.get(body["event"])
    if kind is None:
        raise UnknownEventError(body["event"])
    hints = _hints(kind)
    given = body["fields"]
    return kind(**{name: _typed(given[name], hint) for name, hint in hints.items() if name in given})


def _hints(kind: type[Event]) -> dict[str, Any]:
    if kind not in _known_hints:
        hints = typing.get_type_hints(kind)
        _known_hints[kind] = {field.name: hints[field.name] for field in fields(kind)}
    return _known_hints[kind]


def _typed(value: Any, hint: Any) -> Any:  # noqa: ANN401 - the hint says which type comes out
    origin = typing.get_origin(hint)
    if value is None:
        return None
    if origin in {typing.Union, types.UnionType}:
        inner = [part for part in typing.get_args(hint) if part is not type(None)]
        return _typed(value, inner[0])
    if origin is tuple:
        parts = typing.get_args(hint)
        inner = [parts[0]] * len(value) if parts[-1] is Ellipsis else list(parts)
        return tuple(_typed(item, part) for item, part in zip(value, inner, strict=True))
    if hint is datetime:
        return datetime.fromisoformat(value)
    return hint(value) if hint in {UUID, Decimal} else value


# --- The switchboard ------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Line:
    """One line of the switchboard: what is done when an event has happened.

    `target` is a dotted path for `inline`, a task's name for `job`, and nothing for `stream`.
    `sweep` names the task of the schedule that finds the work of a `job` line in the tables.
    """

    event: type[Event]
    how: Literal["inline", "job", "stream"]
    target: str = ""
    queue: str = "default"
    sweep: str = ""


def problems_of(lines: Sequence[Line]) -> list[str]:
    """Return what is wrong with a switchboard, in words."""
    problems = []
    for line in lines:
        name = getattr(line.event, "__name__", repr(line.event))
        if Event.registry.get(name) is not line.event:
            problems.append(f"{name} is not an event.")
        if line.how not in {"inline", "job", "stream"}:
            problems.append(f"{name}: there is no way called {line.how}.")
        elif (line.how == "stream") == bool(line.target):
            problems.append(f"{name}: a {line.how} line {'has no' if line.target else 'needs a'} target.")
        elif line.how != "stream" and "." not in line.target:
            problems.append(f"{name}: {line.target} has no dot.")
    if len(set(lines)) != len(lines):
        problems.append("A line stands twice in the switchboard.")
    return problems


@lru_cache(maxsize=1)
def _switchboard(path: str) -> dict[type[Event], tuple[Line, ...]]:
    lines: tuple[Line, ...] = import_string(path)
    problems = problems_of(lines)
    if problems:
        raise ImproperlyConfigured(f"{path}: {' '.join(problems)}")
    return {event: tuple(line for line in lines if line.event is event) for event in {line.event for line in lines}}


def lines_for(event: type[Event]) -> tuple[Line, ...]:
    """Return what the switchboard does for an event."""
    return _switchboard(settings.SWITCHBOARD).get(event, ())


def check_switchboard(**_kwargs: object) -> list[Error]:
    """Return as Django's system check what would fail when an event comes: unknown functions and tasks."""
    autodiscover_modules("tasks")  # not Celery's loader: that one runs the system checks, and so this
    return [
        Error(f"{line.event.__name__}: there is no {line.how} target {line.target}.", id="core.E001")
        for line in itertools.chain.from_iterable(_switchboard(settings.SWITCHBOARD).values())
        if not _target_exists(line)
    ]


def _target_exists(line: Line) -> bool:
    if line.how == "job":
        return line.target in current_app.tasks
    if line.how == "inline":
        try:
            return callable(import_string(line.target))
        except ImportError:
            return False
    return True


# --- Publishing -----------------------------------------------------------------------------------------------------
def publish(event: Event) -> None:
    """Carry out the event's lines once the transaction is committed; at once outside of one."""
    after_commit(event, current_request_id())


def after_commit(event: Event, request_id: str) -> None:
    """Hold the event back until the commit; tests listen here."""
    transaction.on_commit(partial(_carry_out, event, request_id))


def _carry_out(event: Event, request_id: str) -> None:
    name = type(event).__name__
    _published.labels(event=name).inc()
    for line in lines_for(type(event)):
        try:
            done = _WAYS[line.how](event, line, request_id)
        except Exception:  # the work is committed: a failed hint is counted, and the sweep finds the rest
            done = False
            log.exception("A line of the switchboard failed", event_name=name, how=line.how, target=line.target)
        _lines.labels(event=name, how=line.how, outcome="done" if done else "failed").inc()


def _call_inline(event: Event, line: Line, _request_id: str) -> bool:
    import_string(line.target)(event)
    return True


def _send_job(event: Event, line: Line, request_id: str) -> bool:
    return send_task(line.target, queue=line.queue, request_id=request_id, keywords=plain_fields(event))


def send_task(name: str, *, keywords: Mapping[str, Plain], queue: str = "default", request_id: str = "") -> bool:
    """Wake a task by its name; False, counted and logged, while the broker is away: the sweep will find the work."""
    request_id = request_id or current_request_id()
    if not redis_is_up():
        log.warning("The broker is away; the sweep will find this work", task=name)
        return False
    try:
        current_app.send_task(
            name,
            kwargs={**keywords, "request_id": request_id},
            queue=queue,
            headers={"request_id": request_id},
            retry=True,
            retry_policy=_PUBLISH_RETRY,
        )
    except (BrokerError, *RedisOutage):  # what stands behind it is committed: its caller must not be told otherwise
        health.doubt()
        log.warning("The broker went away; the sweep will find this work", task=name)
        return False
    return True


def _append(event: Event, _line: Line, _request_id: str) -> bool:
    return append_to_stream(event) is not None


_WAYS = {"inline": _call_inline, "job": _send_job, "stream": _append}


# --- The stream -----------------------------------------------------------------------------------------------------
def append_to_stream(event: Event) -> str | None:
    """Append the event to the bounded stream and return its id; nothing while Redis is away."""
    if health.resting():
        return None
    text = encode(event)
    try:
        with health.noted():
            entry = redis_client().xadd(STREAM, {"e": text}, maxlen=STREAM_LENGTH, approximate=True)
    except RedisOutage:
        return None
    return _text(entry)


def newest_id() -> str:
    """Return the id of the newest entry, the place to read on from after a snapshot."""
    newest: Any = redis_client().xrevrange(STREAM, count=1)
    return _text(newest[0][0]) if newest else START


def read_stream_since(last_id: str, *, limit: int = _BATCH) -> list[tuple[str, Event]]:
    """Return the entries after `last_id`, oldest first; `StreamCut` stands first if some were missed."""
    client = redis_client()
    pipe = client.pipeline(transaction=True)
    pipe.xrange(STREAM, min=last_id, max=last_id)
    pipe.xrevrange(STREAM, count=1)
    pipe.xlen(STREAM)
    pipe.xrange(STREAM, min=f"({last_id}", count=limit)
    found, newest, length, entries = pipe.execute()
    if _was_cut(last_id, found=bool(found), length=length):
        return [(_text(newest[0][0]) if newest else START, StreamCut())]
    return _events_of(entries)


def _was_cut(last_id: str, *, found: bool, length: int) -> bool:
    return length >= STREAM_LENGTH if last_id == START else not found


def _events_of(entries: Sequence[Any]) -> list[tuple[str, Event]]:
    heard = []
    for entry_id, entry in entries:
        try:
            heard.append((_text(entry_id), decode(entry[b"e"])))
        except (UnknownEventError, KeyError, TypeError, ValueError) as problem:
            log.warning("An event of the stream cannot be read", entry=_text(entry_id), error=str(problem))
    return heard


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


async def read_stream(last_id: str | None = None, *, block_seconds: float = 5.0) -> AsyncIterator[tuple[str, Event]]:
    """Yield each event after `last_id` (None: from now on), for ever; `StreamCut` when some were missed.

    Redis going away is waited out: the reader goes on from the last id it has heard.
    """
    rounds = 0
    check = last_id is not None
    while True:
        try:
            client = async_redis_client()
            if last_id is None:
                newest: Any = await client.xrevrange(STREAM, count=1)
                last_id = _text(newest[0][0]) if newest else START
            if check:
                cut = await _newest_if_cut(last_id)
                if cut is not None:
                    last_id = cut
                    yield last_id, StreamCut()
            answer: Any = await client.xread({STREAM: last_id}, count=_BATCH, block=int(block_seconds * 1000))
            rounds = 0
        except RedisOutage:
            rounds += 1
            check = True
            await asyncio.sleep(random.uniform(0.1, min(5.0, 0.2 * 2 ** min(rounds, 6))))  # noqa: S311 - spread, not secrecy
            continue
        read_at = time.monotonic()
        entries = answer[0][1] if answer else []
        for entry_id, event in _events_of(entries):
            yield entry_id, event
        if entries:
            last_id = _text(entries[-1][0])
        check = len(entries) >= _BATCH or time.monotonic() - read_at > _STALL_SECONDS


async def _newest_if_cut(last_id: str) -> str | None:
    """Return the id to go on from if entries after `last_id` are gone, else nothing."""
    pipe = async_redis_client().pipeline(transaction=True)
    pipe.xrange(STREAM, min=last_id, max=last_id)
    pipe.xrevrange(STREAM, count=1)
    pipe.xlen(STREAM)
    found, newest, length = await pipe.execute()
    if not _was_cut(last_id, found=bool(found), length=length):
        return None
    return _text(newest[0][0]) if newest else START
