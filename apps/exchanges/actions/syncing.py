"""Syncs are worked off in turns, under a lease and the lock of the key; page and cursor are committed together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from apps.core import jobs, locks
from apps.core.errors import ProductError
from apps.exchanges.actions.observing import read_streams
from apps.exchanges.actions.passes import Sync
from apps.exchanges.actions.scheduling import request_sync
from apps.exchanges.actions.secrets import NoKeyError, secrets_of
from apps.exchanges.actions.verdicts import end_well, key_refused, not_readable, seconds_of_pause, stopped_by
from apps.exchanges.gateways import venue
from apps.exchanges.gateways.errors import CredentialsRejectedError
from apps.exchanges.models import AWAITED, Connection, ConnectionState, SyncRun, UsePurpose

__all__ = ["request_sync", "run_sync"]

#: One turn of work; then others have theirs.
TURN: Final = timedelta(seconds=20)
#: The same key is in use: how long to wait before looking again.
_KEY_IN_USE_SECONDS: Final = 2.0


def run_sync(*, run_id: UUID, worker: str, read_clock: Callable[[], datetime]) -> bool:
    """Take a sync up if it waits, for one turn; one that somebody waits for comes before it."""
    lease = _claimed(run_id, worker, read_clock())
    return jobs.run(lease=lease, handler=lambda held: _turn(held, read_clock))


def _claimed(run_id: UUID, worker: str, now: datetime) -> jobs.Lease[SyncRun] | None:
    awaited = SyncRun.rows().due(now).filter(trigger__in=AWAITED).in_turn().values_list("pk", flat=True).first()
    if awaited is not None and awaited != run_id:
        lease = jobs.claim(model=SyncRun, work_id=awaited, worker=worker, now=now)
        if lease is not None:
            for named in SyncRun.rows().due(now).filter(pk=run_id):
                jobs.wake(work=named, now=now)
            return lease
    return jobs.claim(model=SyncRun, work_id=run_id, worker=worker, now=now)


def _turn(lease: jobs.Lease[SyncRun], read_clock: Callable[[], datetime]) -> None:
    rows = Connection.objects.select_related("account", "portfolio", "owner")
    connection = rows.get(pk=lease.work.connection_id)
    lease.work.connection = connection
    if connection.state in {ConnectionState.PAUSED, ConnectionState.REVOKED}:
        not_readable(lease=lease, connection=connection)
        return
    pause = seconds_of_pause(exchange=connection.exchange, now=read_clock())
    if pause:
        lease.give_back(after=pause)
        return
    name = f"exchanges:key:{connection.exchange}:{connection.key_fingerprint}"
    try:
        with locks.kept_lock(name, seconds=jobs.lease_seconds()) as key:
            _read(lease, connection, key, read_clock)
    except locks.LockTakenError:
        lease.give_back(after=_KEY_IN_USE_SECONDS)


def _read(
    lease: jobs.Lease[SyncRun], connection: Connection, key: locks.Held, read_clock: Callable[[], datetime]
) -> None:
    sync = Sync(lease=lease, connection=connection, key=key, now=read_clock, until=read_clock() + TURN)
    try:
        secrets = secrets_of(connection=connection, purpose=UsePurpose.SYNC, now=read_clock())
        adapter = venue(connection.exchange)
        with adapter.lend(secrets=secrets, now=read_clock()) as session:
            is_done = read_streams(sync=sync, session=session)
    except (CredentialsRejectedError, NoKeyError) as refusal:
        key_refused(sync=sync, refusal=refusal)
    except ProductError as problem:
        stopped_by(sync=sync, problem=problem)
        raise
    else:
        if is_done:
            end_well(sync=sync)
        else:
            _let_others(sync)


def _let_others(sync: Sync) -> None:
    """Go to the end of the queue: a long first reading must not hold up the others."""
    sync.lease.give_back()
    jobs.wake(work=sync.lease.work, now=sync.now())
