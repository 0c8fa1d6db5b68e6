"""What tests of every app share: counted queries, work after commit, captured events and tasks."""

import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from celery import current_app
from django.core.management.commands import flush
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from apps.core import cache, events
from apps.core.events import Event

_E = TypeVar("_E", bound=Event)
_NOT_COUNTED = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT", "SET ")


@contextmanager
def assert_queries(baseline: int, *, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Fail unless the block asks the database exactly as often as its baseline says, savepoints left out."""
    with CaptureQueriesContext(connections[using]) as captured:
        yield
    asked = [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(_NOT_COUNTED)]
    if len(asked) != baseline:
        listed = "\n".join(f"{number}. {sql[:300]}" for number, sql in enumerate(asked, 1))
        direction = "more than" if len(asked) > baseline else "fewer than"
        pytest.fail(f"{len(asked)} queries, {direction} the baseline of {baseline}:\n{listed}", pytrace=False)


@contextmanager
def run_on_commit(*, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Run what the block left for after the commit, at its end, as the commit would."""
    with TestCase.captureOnCommitCallbacks(using=using, execute=True):
        yield


def port_for_later() -> int:
    """Return a port that nobody has, below those that Linux lends to outgoing connections: it stays free meanwhile."""
    while True:
        port = random.randint(20_000, 32_000)  # noqa: S311 - no secret
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def cut_redis() -> None:
    """End all connections to the Redis database of this test run but one; who else uses the server keeps theirs."""
    client = cache.redis_client()
    database, own = client.connection_pool.connection_kwargs["db"], client.client_id()
    listed: Any = client.client_list(_type="normal")
    for one in listed:
        if one["db"] == str(database) and one["id"] != str(own):
            client.client_kill_filter(_id=one["id"])


@dataclass
class CapturedEvents:
    """The events published so far, in order."""

    all: list[Event] = field(default_factory=list)

    def of(self, kind: type[_E]) -> list[_E]:
        """Return the events of one kind."""
        return [event for event in self.all if isinstance(event, kind)]

    def clear(self) -> None:
        """Forget what was captured."""
        self.all.clear()


@dataclass(frozen=True)
class SentTask:
    """One task that was sent, as the broker would have got it."""

    name: str
    keywords: dict[str, Any]
    queue: str
    request_id: str


# --- Emptying the tables after a test that commits --------------------------------------------------------------------
#: What Django writes about models at the end of a migration stays: it is the same for every test.
_ABOUT_MODELS = {"django_content_type", "auth_permission"}
_GUARDED = "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"


@pytest.fixture(autouse=True, scope="session")
def _empty_only_what_is_filled() -> Iterator[None]:
    """Have Django's flush look where there are rows: to empty all tables and describe all models takes half a second.

    Rows are deleted; a table whose trigger forbids that is truncated, with those that point at it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", _sql_flush)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: None)
        yield


def _sql_flush(operations: DatabaseOperations, _style: object, tables: Sequence[str], **_options: object) -> list[str]:
    names = [name for name in tables if name not in _ABOUT_MODELS]
    quoted = {name: operations.quote_name(name) for name in names}
    asked = " UNION ALL ".join(f"SELECT %s WHERE EXISTS (SELECT 1 FROM {quoted[name]})" for name in names)  # noqa: S608
    with operations.connection.cursor() as cursor:
        cursor.execute(asked, names)
        filled = [row[0] for row in cursor.fetchall()]
        cursor.execute(_GUARDED)
        guarded = {row[0] for row in cursor.fetchall()}
    truncated = [f"TRUNCATE {quoted[name]} CASCADE" for name in filled if name in guarded]
    deleted = [f"DELETE FROM {quoted[name]}" for name in filled if name not in guarded]  # noqa: S608 - our own tables
    return truncated + deleted


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> CapturedEvents:
    """Capture each event when it is published; its lines are carried out after commit as ever."""
    captured = CapturedEvents()
    after_commit = events.after_commit

    def _record(event: Event, request_id: str) -> None:
        captured.all.append(event)
        after_commit(event, request_id)

    monkeypatch.setattr(events, "after_commit", _record)
    return captured


@pytest.fixture
def sent_tasks(monkeypatch: pytest.MonkeyPatch) -> list[SentTask]:
    """Capture each task that is sent, in place of the broker."""
    sent: list[SentTask] = []

    def _send(name: str, *, kwargs: dict[str, Any], queue: str, headers: dict[str, str], **_options: object) -> None:
        sent.append(SentTask(name=name, keywords=kwargs, queue=queue, request_id=headers.get("request_id", "")))

    monkeypatch.setattr(current_app, "send_task", _send)
    return sent
