"""Django's PostgreSQL backend, with connections that are cheap to keep and never waited for without end."""

import select
import time
from types import SimpleNamespace
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from apps.core.database.patience import PatientConnection, silence

#: A connection that was used this lately is trusted unless its socket has something to say.
TRUSTED_SECONDS = 30.0


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's connection. A request that asks nothing opens and checks none."""

    Database = SimpleNamespace(**(vars(psycopg) | {"connect": PatientConnection.connect}))  # type: ignore[assignment]  # stands in for the module
    health_check_done: bool
    health_check_enabled: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        #: The names of the statements that the server keeps for this connection.
        self.prepared: set[bytes] = set()
        self._checked_at = 0.0

    def get_new_connection(self, conn_params: dict[str, Any]) -> PatientConnection:
        """Open a connection; not while the database is known to stand still."""
        silence.refuse()
        connection: PatientConnection = super().get_new_connection(conn_params)
        self.prepared = set()
        self._checked_at = time.monotonic()
        return connection

    def close_if_health_check_failed(self) -> None:
        """Check the connection when a request first uses it: by a look at its socket, without asking.

        A server that ended has closed its end, which shows at once. What does not show, a line that went dead, is
        looked for with a query when the connection has rested.
        """
        if self.connection is None or self.health_check_done or not self.health_check_enabled:
            return
        silence.refuse()
        present = time.monotonic()
        rested = present - self._checked_at > TRUSTED_SECONDS
        self._checked_at = present
        if (rested or self._has_news()) and not self.is_usable():
            self.close()
        self.health_check_done = True

    def trust(self) -> bool:
        """Take the connection as alive, by whoever can ask again; return whether this is its first use in a request."""
        if self.connection is None or self.health_check_done or not self.health_check_enabled:
            return False
        if silence.lasts:
            silence.refuse()
        self._checked_at = time.monotonic()
        self.health_check_done = True
        return True

    def is_usable(self) -> bool:
        """Ask the server, unless it is known to stand still."""
        return not silence.lasts and bool(super().is_usable())

    def _has_news(self) -> bool:
        """Tell whether something lies in the socket that nobody asked for, such as the server's good-bye."""
        watch = select.poll()
        try:
            watch.register(self.connection.pgconn.socket, select.POLLIN)
        except psycopg.OperationalError:  # there is no socket any more
            return True
        return bool(watch.poll(0))
