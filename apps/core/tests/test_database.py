"""The way to PostgreSQL: prepared questions, checks that ask nothing, and a server that stands still."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from django.db import DataError, OperationalError, connection

from apps.core.database import base, patience
from apps.core.database.prepared import Question

pytestmark = pytest.mark.django_db(transaction=True)

ECHO = Question("SELECT %s::uuid, %s::timestamptz, %s::text, NULL::text, 1 = 1")
VALUES = (UUID("01938f5e-0000-7000-8000-000000000001"), datetime(2026, 11, 21, 9, 30, tzinfo=UTC), "x'; DROP")


class Relay:
    """Stands between us and the server, and can stand still: it goes on listening and passes nothing on."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._flows = threading.Event()
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self.visitors = 0
        self._start(self._accept)

    def freeze(self) -> None:
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    def close(self) -> None:
        self._flows.set()
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _start(self, work: Callable[..., None], *sockets: socket.socket) -> None:
        thread = threading.Thread(target=work, args=sockets, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                ours, _address = self._listener.accept()
                self.visitors += 1
                theirs = socket.create_connection(self._target)
                self._sockets += [ours, theirs]
                self._start(self._pass_on, ours, theirs)
                self._start(self._pass_on, theirs, ours)

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self._flows.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture(autouse=True)
def _own_connection() -> Iterator[None]:
    connection.close()
    yield
    patience.silence.forget()
    connection.close()


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """Put a relay before the server, and wait less than the product does before the server is asked."""
    settings = connection.settings_dict
    between = Relay((settings["HOST"], int(settings["PORT"] or 5432)))
    monkeypatch.setitem(settings, "HOST", "127.0.0.1")
    monkeypatch.setitem(settings, "PORT", str(between.port))
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.4)
    monkeypatch.setattr(patience, "PROBE_SECONDS", 0.4)
    monkeypatch.setattr(patience, "REST_SECONDS", 60.0)
    yield between
    connection.close()
    between.close()


def new_request() -> None:
    """Do what Django does with the connection when a request begins."""
    connection.health_check_enabled = True  # type: ignore[attr-defined]
    connection.close_if_unusable_or_obsolete()


def select_one() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return int(cursor.fetchone()[0])


# --- Prepared questions ---------------------------------------------------------------------------------------------
def test_a_question_answers_values() -> None:
    for _ in range(3):
        assert ECHO.ask(*VALUES) == (*VALUES, None, True)


def test_a_question_without_a_row() -> None:
    assert Question("SELECT 1 WHERE %s = 'a'").ask("b") is None


def test_a_statement_that_the_server_lost_is_asked_in_full() -> None:
    ECHO.ask(*VALUES)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")  # as after a pooler has given us another server's connection
    for _ in range(2):
        assert ECHO.ask(*VALUES) == (*VALUES, None, True)


def test_a_question_that_cannot_be_answered_raises_as_django_does() -> None:
    with pytest.raises(DataError):
        Question("SELECT %s::uuid").ask("not a uuid")
    assert select_one() == 1


# --- The check of a kept connection ---------------------------------------------------------------------------------
def test_a_request_does_not_ask_whether_a_connection_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    assert select_one() == 1
    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", lambda _self: pytest.fail("asked"))
    new_request()
    assert select_one() == 1


@pytest.mark.parametrize("ask", [select_one, lambda: ECHO.ask(*VALUES)])
def test_a_connection_that_the_server_ended_is_replaced_unseen(ask: Callable[[], object]) -> None:
    select_one()
    ended = connection.connection.info.backend_pid
    info = connection.connection.info
    with psycopg.connect(info.dsn, password=info.password, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 2000)", [ended])
    new_request()
    assert ask()
    assert connection.connection.info.backend_pid != ended


def test_a_rested_connection_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    select_one()
    first = connection.connection
    monkeypatch.setattr(base, "TRUSTED_SECONDS", 0.0)
    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", lambda _self: False)
    new_request()
    assert select_one() == 1
    assert connection.connection is not first


# --- A server that stands still -------------------------------------------------------------------------------------
@pytest.mark.parametrize("ask", [select_one, lambda: ECHO.ask(*VALUES)])
def test_a_frozen_server_is_not_waited_for(relay: Relay, ask: Callable[[], object]) -> None:
    assert ask()
    relay.freeze()
    new_request()
    with pytest.raises(OperationalError):
        ask()
    looked = relay.visitors
    new_request()
    with pytest.raises(OperationalError):
        ask()  # what one found out is spared to the next
    assert relay.visitors == looked
    relay.thaw()
    patience.silence._ask_again_at = 0.0  # the rest is over
    new_request()
    assert ask()


def test_a_slow_answer_is_waited_for(relay: Relay) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.8)")
    assert not patience.silence.lasts
    assert relay.port
    assert select_one() == 1


def test_a_frozen_server_takes_no_new_connections(relay: Relay) -> None:
    select_one()
    relay.freeze()
    with pytest.raises(OperationalError):
        select_one()
    connection.close()
    looked = relay.visitors
    with pytest.raises(OperationalError):
        select_one()
    assert relay.visitors == looked
