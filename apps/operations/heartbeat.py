"""The thread in each process that says every ten seconds that the process is alive."""

import atexit
import os
import socket
import threading
from datetime import datetime

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections

from apps.core import clock
from apps.operations.actions.heartbeats import beat, end_beat
from apps.operations.gateways.memory import memory_mib

log = structlog.get_logger(__name__)

EVERY_SECONDS = 10.0
_RETRY_SECONDS = 2.0


class Heartbeat:
    """One process's sign of life; an outage of the database is waited out, said once, and holds no connection."""

    def __init__(self, name: str, *, every: float = EVERY_SECONDS) -> None:
        self.name = name
        self.host = socket.gethostname()[:255]
        self.pid = os.getpid()
        self.every = every
        self.started_at: datetime = clock.now()
        self._stop = threading.Event()
        self._is_out = False
        self._thread = threading.Thread(target=self._run, name=f"heartbeat-{name}", daemon=True)

    def start(self) -> None:
        """Start beating."""
        self._thread.start()

    def stop(self) -> None:
        """Stop beating and take the row away; safe to repeat, and silent when the database has gone before us."""
        if self._stop.is_set():
            return
        self._stop.set()
        if os.getpid() != self.pid:  # a fork inherited us: the row is its parent's
            return
        self._thread.join(timeout=3)
        try:
            end_beat(name=self.name, host=self.host, pid=self.pid)
        except DatabaseError as error:
            log.debug("The last sign of life was not taken away", error=str(error).strip())
        finally:
            connections.close_all()

    @property
    def is_beating(self) -> bool:
        """Tell whether the thread lives."""
        return self._thread.is_alive()

    def beat_once(self) -> bool:
        """Write the row; return whether it was written."""
        try:
            beat(
                name=self.name,
                host=self.host,
                pid=self.pid,
                started_at=self.started_at,
                version=settings.VERSION,
                now=clock.now(),
                detail={"memory_mib": memory_mib(pid=self.pid)},
            )
        except DatabaseError as error:
            if not self._is_out:
                log.warning("No sign of life could be written; trying on", error=str(error).strip())
            self._is_out = True
            return False
        finally:
            connections.close_all()
        if self._is_out:
            log.info("Signs of life are written again")
        self._is_out = False
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                written = self.beat_once()
            except Exception:
                log.exception("A sign of life failed in an unforeseen way")
                written = False
            self._stop.wait(self.every if written else min(self.every, _RETRY_SECONDS))


_started: dict[tuple[int, str], Heartbeat] = {}
_guard = threading.Lock()


def start_heartbeat(name: str) -> Heartbeat:
    """Start this process's heartbeat, once; it stops by itself when the process ends."""
    with _guard:
        key = (os.getpid(), name)
        if key not in _started:
            _started[key] = Heartbeat(name)
            _started[key].start()
            atexit.register(_started[key].stop)
        return _started[key]
