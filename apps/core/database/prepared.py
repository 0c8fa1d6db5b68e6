"""Questions that every request asks: prepared once a connection, one round trip, decoded only when the answer is new.

Django's cursor puts the values into the text, so that the server plans each question anew; asked some thousand times a
second this is most of what a request costs. Anything asked less often belongs into the ORM.
"""

import hashlib
import re
import select
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from django.db import OperationalError, connections
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, Format
from psycopg.pq.abc import PGresult

from apps.core.database import patience
from apps.core.database.base import DatabaseWrapper
from apps.core.database.patience import PatientConnection

Row = tuple[Any, ...]
_Raw = tuple[bytes | None, ...]

_FINE = {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}
# The statement is not there (a pooler gave us another server's connection), is there already, or its tables changed.
_NOT_KEPT = {b"26000", b"42P05", b"0A000"}
_REMEMBERED = 4096


class Question:
    """One SELECT that answers with at most one row; `%s` stands where a value goes."""

    def __init__(self, sql: str) -> None:
        numbers = iter(range(1, sql.count("%s") + 1))
        self._sql = sql
        self._prepared_sql = re.sub("%s", lambda _place: f"${next(numbers)}", sql).encode()
        self._types: tuple[int, ...] = ()
        self._name = b"coinsphere_" + hashlib.sha256(self._prepared_sql).hexdigest()[:16].encode()

    def ask(self, *values: UUID | datetime | str) -> Row | None:
        """Return the row, or nothing."""
        wrapper: DatabaseWrapper = connections["default"]  # type: ignore[assignment]  # the settings name it
        may_repeat = wrapper.trust() and not wrapper.in_atomic_block
        try:
            return self._asked(wrapper, values)
        except OperationalError:
            if not may_repeat or patience.silence.lasts or wrapper.is_usable():
                raise
        wrapper.close()  # the server had ended this connection while nobody used it
        return self._asked(wrapper, values)

    def _asked(self, wrapper: DatabaseWrapper, values: tuple[UUID | datetime | str, ...]) -> Row | None:
        if wrapper.connection is None:
            wrapper.ensure_connection()
        if wrapper.force_debug_cursor:  # tests count queries
            wrapper.queries_log.append({"sql": self._sql, "time": "0.000"})
        with wrapper.wrap_database_errors:
            connection: PatientConnection = wrapper.connection
            result = self._prepared(wrapper, connection, [_written(value) for value in values])
            if result is None:
                row: Row | None = connection.execute(self._sql, values).fetchone()
                return row
        return self._row(result) if result.ntuples else None

    def _prepared(
        self, wrapper: DatabaseWrapper, connection: PatientConnection, values: list[bytes]
    ) -> PGresult | None:
        """Return what the server answers, or nothing when it does not keep the statement for us."""
        if self._name not in wrapper.prepared:
            connection.pgconn.send_prepare(self._name, self._prepared_sql)
            if _answer(connection) is None:
                return None
            wrapper.prepared.add(self._name)
            self._types = ()
        connection.pgconn.send_query_prepared(self._name, values)
        result = _answer(connection)
        if result is None:
            wrapper.prepared.discard(self._name)
        return result

    def _row(self, result: PGresult) -> Row:
        columns = range(result.nfields)
        types = self._types or tuple(result.ftype(column) for column in columns)
        self._types = types
        return _decoded(types, tuple([result.get_value(0, column) for column in columns]))


def _written(value: UUID | datetime | str) -> bytes:
    if isinstance(value, UUID):
        return value.hex.encode()
    return (value.isoformat() if isinstance(value, datetime) else value).encode()


def _answer(connection: PatientConnection) -> PGresult | None:
    """Wait for the one result of what was sent; nothing if the server does not keep the statement."""
    pgconn = connection.pgconn
    watch = select.poll()
    watch.register(pgconn.socket, select.POLLIN)
    while pgconn.flush():
        watch.poll(1)
    while pgconn.is_busy():
        if not watch.poll(patience.PATIENCE_SECONDS * 1000):
            patience.silence.look_after(connection)
        pgconn.consume_input()
    result = pgconn.get_result()
    while pgconn.get_result() is not None:
        pass
    if result is None:
        raise psycopg.OperationalError("The server gave no result")
    if result.status in _FINE:
        return result
    if result.error_field(DiagnosticField.SQLSTATE) in _NOT_KEPT:
        return None
    raise error_from_result(result)


@lru_cache(maxsize=_REMEMBERED)
def _decoded(types: tuple[int, ...], raw: _Raw) -> Row:
    """Turn what the server wrote into values, once for the same bytes."""
    transformer = Transformer(connections["default"].connection)
    loaders = [transformer.get_loader(oid, Format.TEXT) for oid in types]
    return tuple(None if data is None else loader.load(data) for loader, data in zip(loaders, raw, strict=True))
