"""Parting: a connection goes, its history stays or goes with it; or all keys are forgotten at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction

from apps.accounts.actions import record_audit
from apps.accounts.domain.origin import NO_REQUEST, RequestMeta
from apps.core.errors import NotFoundError
from apps.exchanges.actions.scheduling import end_reading, forget_history, stop_syncs
from apps.exchanges.actions.secrets import NoKeyError
from apps.exchanges.models import Connection, ConnectionState, SealedSecret

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.exchanges.models import ConnectionQuerySet

_BATCH: Final = 500


class History(StrEnum):
    """What becomes of the entries when a connection goes."""

    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many keys of how many connections were forgotten."""

    connections: int
    secrets: int


def disconnect(
    *, user: User, connection_id: UUID, history: History, now: datetime, request_meta: RequestMeta = NO_REQUEST
) -> None:
    """Part with an exchange: its key is deleted; what was read stays in the ledger, or is taken out of it."""
    with transaction.atomic():
        connection = Connection.objects.for_user(user).select_for_update().filter(pk=connection_id).first()
        if connection is None:
            raise NotFoundError
        end_reading(connection=connection, now=now)
        if history == History.REMOVE:
            forget_history(connection=connection, by=user, now=now)
        record_audit(
            actor=user,
            action="exchange.removed",
            target=str(connection_id),
            now=now,
            detail={"exchange": connection.exchange, "history": history.value},
            request_meta=request_meta,
        )
        connection.delete()


def forget_keys(*, user: User, now: datetime, request_meta: RequestMeta = NO_REQUEST) -> Forgotten:
    """Forget every key of a person at once; connections and history stay, and wait for new keys."""
    forgotten = _forget(Connection.objects.for_user(user), now)
    record_audit(
        actor=user,
        action="exchange.keys_forgotten",
        now=now,
        detail={"connections": forgotten.connections},
        request_meta=request_meta,
    )
    return forgotten


def forget_all_keys(*, now: datetime) -> Forgotten:
    """Forget every key of everybody: the operator's answer to a stolen machine or backup."""
    forgotten = _forget(Connection.objects.all(), now)
    record_audit(actor=None, action="exchange.keys_forgotten", now=now, detail={"connections": forgotten.connections})
    return forgotten


def _forget(rows: ConnectionQuerySet, now: datetime) -> Forgotten:
    """Delete first what is secret, in one statement; then say on each connection why it rests."""
    secrets, _by_model = SealedSecret.objects.filter(connection__in=rows.values("pk")).delete()
    connections = 0
    for connection in rows.iterator(chunk_size=_BATCH):
        stop_syncs(connection=connection, now=now)
        connections += 1
    rows.update(
        state=ConnectionState.REVOKED,
        problem_code=NoKeyError.code,
        problem_detail=NoKeyError.default_detail,
        next_run_at=None,
        paused_at=None,
    )
    return Forgotten(connections=connections, secrets=secrets)
