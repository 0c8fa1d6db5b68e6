"""How a turn of a sync ends: well, refused by the venue, or stopped by something that passes."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final

from django.core.cache import cache
from django.utils.translation import gettext as _

from apps.core import jobs
from apps.core.errors import ProductError, TooManyError, UnavailableError
from apps.exchanges.actions.passes import Sync
from apps.exchanges.domain.planning import next_run
from apps.exchanges.gateways.errors import PermissionMissingError, VenueBusyError
from apps.exchanges.models import Connection, ConnectionState, StreamState, SyncRun

LONGEST_PAUSE: Final = 3600.0
_PAUSE: Final = "exchanges:pause:"


def end_well(*, sync: Sync) -> None:
    """End a run whose streams are all read; what a key may not read is left for its owner to mend."""
    now, connection = sync.now(), sync.connection
    missing = StreamState.objects.filter(connection=connection, problem_code=PermissionMissingError.code).first()
    with sync.step():
        Connection.objects.readable().filter(pk=connection.pk).update(
            state=ConnectionState.ACTIVE if missing is None else ConnectionState.ERROR,
            problem_code="" if missing is None else missing.problem_code,
            problem_detail="" if missing is None else missing.problem_detail,
            next_run_at=next_run(connection=str(connection.pk), after=now),
        )
        sync.lease.succeed(progress_note="", **sync.costs())


def key_refused(*, sync: Sync, refusal: ProductError) -> None:
    """Stop a connection whose key is refused: it is not tried again until it has another key."""
    told = {"code": refusal.code, "detail": refusal.detail}
    with sync.step():
        Connection.objects.readable().filter(pk=sync.connection.pk).update(
            state=ConnectionState.REVOKED,
            problem_code=refusal.code[:64],
            problem_detail=refusal.detail[:500],
            next_run_at=None,
        )
        problems = sync.problems_with([told])
        sync.lease.fail(code=refusal.code, detail=refusal.detail, problems=problems, **sync.costs())


def stopped_by(*, sync: Sync, problem: ProductError) -> None:
    """Note what stopped a turn; what passes is tried again by itself, anything else needs the owner."""
    passes = isinstance(problem, UnavailableError | TooManyError)
    if isinstance(problem, VenueBusyError):
        pause(exchange=sync.connection.exchange, seconds=problem.retry_after or 1, now=sync.now())
    told = {"code": problem.code, "detail": problem.detail}
    with sync.step():
        rows = Connection.objects.readable().filter(pk=sync.connection.pk)
        rows.update(problem_code=problem.code[:64], problem_detail=problem.detail[:500])
        if not passes:
            rows.update(state=ConnectionState.ERROR)
        sync.lease.save(problems=sync.problems_with([told]), **sync.costs())


def not_readable(*, lease: jobs.Lease[SyncRun], connection: Connection) -> None:
    """End a run of a connection that was paused, or has lost its key, before its turn came."""
    detail = _("The connection is paused, or its key is refused. Nothing was read.")
    code = "connection_paused" if connection.state == ConnectionState.PAUSED else connection.problem_code
    lease.fail(code=code or "connection_paused", detail=detail)


# --- The pause that an exchange asks for ------------------------------------------------------------------------------
def pause(*, exchange: str, seconds: float, now: datetime) -> None:
    """Ask nothing of an exchange until the pause is over that it has asked for; all processes keep to it."""
    until = now.timestamp() + seconds
    cache.set(f"{_PAUSE}{exchange}", until, timeout=max(1, math.ceil(seconds)))


def seconds_of_pause(*, exchange: str, now: datetime) -> float:
    """Return for how long an exchange wants to be left alone."""
    until: float | None = cache.get(f"{_PAUSE}{exchange}")
    return 0.0 if until is None else min(LONGEST_PAUSE, max(0.0, until - now.timestamp()))
