"""How long anybody waits for PostgreSQL: a slow answer is waited for, a server that has stopped answering is not."""

import socket
import threading
import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
import structlog
from django.db import OperationalError
from prometheus_client import Counter

log = structlog.get_logger(__name__)

#: So long nothing may come before anybody asks whether the server still lives.
PATIENCE_SECONDS = 1.0
#: So long the server may take to answer that.
PROBE_SECONDS = 1.0
#: So long nobody asks again after it did not.
REST_SECONDS = 2.0

# Asks "do you speak TLS?", which every server answers with one letter before anybody has signed in.
_TLS_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
_T = TypeVar("_T")

_silences = Counter("coinsphere_database_silences_total", "Times this process found the database frozen.")


class Silence:
    """What this process knows of a database that stands still: found out by one thread, spared to the others."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._address: tuple[str, int] | None = None
        self._ask_again_at = 0.0

    @property
    def lasts(self) -> bool:
        """Tell whether the database stood still when somebody last asked."""
        return self._address is not None

    def refuse(self) -> None:
        """Raise at once while the database stands still; now and then one caller is held up to see whether it does."""
        address = self._address
        if address is None:
            return
        if time.monotonic() < self._ask_again_at or not self._asking.acquire(blocking=False):
            raise OperationalError("The database does not answer")
        try:
            self._note(address)
        finally:
            self._asking.release()
        if self._address:
            raise OperationalError("The database does not answer")

    def look_after(self, connection: psycopg.Connection[Any]) -> None:
        """Ask the server of a connection that has heard nothing for a while; close the connection if it is silent."""
        address = (connection.info.hostaddr or connection.info.host, connection.info.port)
        with self._asking:
            if self._address is None:
                self._note(address)
        if self._address:
            connection.close()
            raise psycopg.OperationalError("The database stopped answering")

    def _note(self, address: tuple[str, int]) -> None:
        was_silent, is_silent = self._address is not None, not _server_answers(*address)
        self._ask_again_at = time.monotonic() + REST_SECONDS
        self._address = address if is_silent else None
        if is_silent and not was_silent:
            _silences.inc()
            log.warning("The database does not answer")
        elif was_silent and not is_silent:
            log.info("The database answers again")

    def forget(self) -> None:
        """Start anew, as in a new process."""
        self._address = None


silence = Silence()


def _server_answers(host: str, port: int) -> bool:
    try:
        with _reach(host, port) as probe:
            probe.sendall(_TLS_REQUEST)
            return bool(probe.recv(1))
    except TimeoutError:
        return False
    except OSError:  # nobody is there: whoever waits hears of it by themselves
        return True


def _reach(host: str, port: int) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port), timeout=PROBE_SECONDS)
    probe = socket.socket(socket.AF_UNIX)
    probe.settimeout(PROBE_SECONDS)
    probe.connect(f"{host}/.s.PGSQL.{port}")
    return probe


class PatientConnection(psycopg.Connection[Any]):
    """A connection that does not wait for a server which has stopped answering."""

    def wait(self, gen: Generator[Any, Any, _T], *args: Any, **kwargs: Any) -> _T:  # noqa: ANN401 - psycopg's own
        """Wait for what the generator asks of the server."""
        return super().wait(self._patiently(gen), *args, **kwargs)

    def _patiently(self, gen: Generator[Any, Any, _T]) -> Generator[Any, Any, _T]:
        """Pass everything on, and look after the server whenever nothing has come for a while."""
        try:
            wanted = next(gen)
            heard_at = time.monotonic()
            while True:
                ready = yield wanted
                present = time.monotonic()
                if ready:
                    heard_at = present
                elif present - heard_at > PATIENCE_SECONDS:
                    silence.look_after(self)
                    heard_at = time.monotonic()
                wanted = gen.send(ready)
        except StopIteration as end:
            result: _T = end.value
            return result
