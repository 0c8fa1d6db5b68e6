"""When syncs are asked for: by their owner, by the schedule, and what is taken back when a connection goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import jobs
from apps.core.errors import ConflictError
from apps.core.models.work import WorkState
from apps.exchanges.domain.planning import next_run
from apps.exchanges.models import (
    Connection,
    ConnectionState,
    RowState,
    StoredRow,
    StreamProgress,
    StreamState,
    SyncRun,
    SyncTrigger,
)
from apps.exchanges.queries.ledger import sync_batches
from apps.portfolios.actions import forget_observed, undo_batch

if TYPE_CHECKING:
    from apps.accounts.models import User

#: Connections that one tick of the schedule takes up; the next tick takes the rest.
MOST_AT_ONCE: Final = 500
#: So long a sync is kept that came by itself, went well and had nothing to tell.
QUIET_RUNS_KEPT: Final = timedelta(days=2)
_FAILURES_COUNTED: Final = 8


class ConnectionNotReadableError(ConflictError):
    """The connection is paused, or its key is refused."""

    code = "connection_not_active"
    title = "This connection is not read at the moment"
    default_detail = "Resume the connection, or give it a new read-only key, and sync again."


def request_sync(
    *, connection: Connection, by: User | None, now: datetime, trigger: SyncTrigger = SyncTrigger.PERSON
) -> SyncRun:
    """Ask for a sync; the one that waits or runs already is returned instead, and comes first if a person asks."""
    if connection.state in {ConnectionState.PAUSED, ConnectionState.REVOKED}:
        raise ConnectionNotReadableError
    with transaction.atomic():
        held = Connection.objects.select_for_update().get(pk=connection.pk)
        known: SyncRun | None = SyncRun.rows().open().filter(connection=held).first()
        if known is None:
            return _asked(held, by, trigger, now)
        if trigger != SyncTrigger.SCHEDULE and known.trigger == SyncTrigger.SCHEDULE:
            _hasten(known, trigger, now)
        return known


def request_all(*, user: User, now: datetime) -> list[SyncRun]:
    """Ask for a sync of everything that a person has connected and that can be read."""
    rows = Connection.objects.for_user(user).readable().order_by("id")
    return [request_sync(connection=connection, by=user, now=now) for connection in rows]


def read_again(*, connection: Connection, by: User | None, now: datetime) -> SyncRun:
    """Ask for everything to be read once more from the beginning; what is known is posted no second time."""
    with transaction.atomic():
        run = request_sync(connection=connection, by=by, now=now, trigger=SyncTrigger.REREAD)
        StreamState.objects.filter(connection=connection).update(
            state=StreamProgress.RUNNING, cursor=None, pass_since=None, pass_until=None, covered_to=None, read_in=None
        )
        StoredRow.objects.filter(connection=connection).update(state=RowState.WAITING)
        return run


def enqueue_due(*, now: datetime) -> int:
    """Queue a sync of every connection whose time has come, longest waiting first; return how many were queued."""
    queued = 0
    for pk in list(Connection.objects.due(now=now).values_list("pk", flat=True)[:MOST_AT_ONCE]):
        with transaction.atomic():
            rows = Connection.objects.due(now=now).select_for_update(skip_locked=True, of=("self",))
            connection = rows.filter(pk=pk).first()
            if connection is None:
                continue  # another scheduler has it
            queued += _take_up(connection, now)
    return queued


def stop_syncs(*, connection: Connection, now: datetime) -> None:
    """Cancel what waits or runs; who is at work is fenced out with its next write."""
    for run in SyncRun.rows().open().filter(connection=connection):
        jobs.cancel(work=run, now=now)


def end_reading(*, connection: Connection, now: datetime) -> None:
    """Stop reading a connection that goes: no sync runs any more, and its last word about balances counts no longer."""
    with transaction.atomic():
        stop_syncs(connection=connection, now=now)
        forget_observed(account=connection.account, now=now)


def forget_history(*, connection: Connection, by: User, now: datetime) -> int:
    """Take what syncs have posted to the connection's account out of what counts; return how many batches that were."""
    ids = sync_batches(account_id=connection.account_id)
    with transaction.atomic():
        for batch_id in ids:
            undo_batch(user=by, batch_id=batch_id, reason=_("The connection was removed with its history."), now=now)
    return len(ids)


# --- Steps ------------------------------------------------------------------------------------------------------------
def _asked(connection: Connection, by: User | None, trigger: SyncTrigger, now: datetime) -> SyncRun:
    run = SyncRun(owner=by or connection.owner, connection=connection, trigger=trigger)
    jobs.enqueue(work=run, now=now)
    after = next_run(connection=str(connection.pk), after=now, failures=_failures(connection))
    Connection.objects.filter(pk=connection.pk).update(next_run_at=after)
    _make_room(connection, now)
    return run


def _hasten(run: SyncRun, trigger: SyncTrigger, now: datetime) -> None:
    """Let a sync that came by itself count as asked for, so that it is taken up next."""
    SyncRun.rows().filter(pk=run.pk, trigger=SyncTrigger.SCHEDULE).update(trigger=trigger)
    run.trigger = trigger
    if run.state == WorkState.QUEUED:
        jobs.wake(work=run, now=now)


def _take_up(connection: Connection, now: datetime) -> bool:
    """Queue a sync of one connection, unless its last one stopped its worker time and again."""
    newest = SyncRun.rows().filter(connection=connection).order_by("-id").first()
    if newest is not None and newest.state == WorkState.PARKED:
        Connection.objects.filter(pk=connection.pk).update(
            state=ConnectionState.ERROR,
            problem_code=newest.problem_code,
            problem_detail=newest.problem_detail[:500],
            next_run_at=None,
        )
        return False
    if newest is not None and not newest.is_over:
        after = next_run(connection=str(connection.pk), after=now)
        Connection.objects.filter(pk=connection.pk).update(next_run_at=after)
        return False
    _asked(connection, None, SyncTrigger.SCHEDULE, now)
    return True


def _failures(connection: Connection) -> int:
    """Return how many syncs in a row have failed last."""
    newest = SyncRun.rows().over().filter(connection=connection).order_by("-id")
    states = list(newest.values_list("state", flat=True)[:_FAILURES_COUNTED])
    return next((place for place, state in enumerate(states) if state == WorkState.SUCCEEDED), len(states))


def _make_room(connection: Connection, now: datetime) -> None:
    """Forget the syncs of days ago that went well and had nothing to tell."""
    old = SyncRun.rows().filter(connection=connection, finished_at__lt=now - QUIET_RUNS_KEPT)
    old.filter(state=WorkState.SUCCEEDED, trigger=SyncTrigger.SCHEDULE, fresh=0, problems=[]).delete()
