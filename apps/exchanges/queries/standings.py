"""How connections stand: what is known of their history, the run that is open, and the last one that ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from apps.core.models.work import OPEN_STATES, WorkState
from apps.exchanges.domain.coverage import CoverageState, StreamCoverage, overall, time_left
from apps.exchanges.domain.guarding import Caution, cautions_of, rights_of
from apps.exchanges.models import Connection, ConnectionState, StreamState, SyncRun
from apps.exchanges.queries.connections import connections_of

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.exchanges.domain.reading import KeyRights

SYNCING: Final = "syncing"
#: What callers are told of a run; waiting for another try is told as queued, and being cancelled as failed.
TOLD_STATES: Final = {
    WorkState.QUEUED: "queued",
    WorkState.WAITING: "queued",
    WorkState.RUNNING: "running",
    WorkState.SUCCEEDED: "succeeded",
    WorkState.FAILED: "failed",
    WorkState.CANCELLED: "failed",
    WorkState.PARKED: "parked",
}


def told_state(*, run: SyncRun) -> str:
    """Return the state of a run in the words of the API; one between two turns of work is running."""
    if run.state == WorkState.QUEUED and run.started_at is not None:
        return "running"
    return TOLD_STATES[WorkState(run.state)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One connection with everything that its card shows."""

    connection: Connection
    streams: tuple[StreamCoverage, ...]
    open_run: SyncRun | None
    last_run: SyncRun | None
    now: datetime

    @property
    def state(self) -> str:
        """How it stands; one that is being read at the moment is syncing."""
        active = self.connection.state in {ConnectionState.ACTIVE, ConnectionState.ERROR}
        at_work = self.open_run is not None and self.open_run.state in {WorkState.QUEUED, WorkState.RUNNING}
        return SYNCING if active and at_work else str(self.connection.state)

    @property
    def coverage(self) -> CoverageState:
        """How complete its history is."""
        return overall(self.streams)

    @property
    def progress(self) -> Decimal:
        """How much of the open run is done, from 0 to 1; 1 where none is open."""
        return Decimal(1) if self.open_run is None else self.open_run.progress

    @property
    def time_left(self) -> timedelta | None:
        """About how long the open run takes on; None while that would be a guess."""
        run = self.open_run
        if run is None or run.started_at is None:
            return None
        return time_left(share=run.progress, begun_at=run.started_at, now=self.now)

    @property
    def rights(self) -> KeyRights:
        """What the key may do, as it was last told."""
        return rights_of(self.connection.rights)

    @property
    def cautions(self) -> tuple[Caution, ...]:
        """What the owner should know about the key."""
        return cautions_of(rights=self.rights, key_changed_at=self.connection.key_changed_at, now=self.now)


def standings_of(*, user: User, now: datetime, portfolio_id: UUID | None = None) -> list[Standing]:
    """Return how all connections of a person stand, oldest first; in a handful of questions however many there are."""
    rows = connections_of(user=user)
    rows = rows if portfolio_id is None else rows.of_portfolio(portfolio_id)
    return stand(connections=list(rows.order_by("id")), now=now)


def stand(*, connections: Sequence[Connection], now: datetime) -> list[Standing]:
    """Return how these connections stand."""
    ids = [connection.pk for connection in connections]
    streams: dict[UUID, list[StreamCoverage]] = {pk: [] for pk in ids}
    for row in StreamState.objects.filter(connection__in=ids).order_by("stream", "symbol"):
        streams[row.connection_id].append(_coverage(row))
    open_runs = {run.connection_id: run for run in SyncRun.rows().filter(connection__in=ids, state__in=OPEN_STATES)}
    last_runs = {run.connection_id: run for run in _last_runs(ids)}
    return [
        Standing(
            connection=connection,
            streams=tuple(streams[connection.pk]),
            open_run=open_runs.get(connection.pk),
            last_run=last_runs.get(connection.pk),
            now=now,
        )
        for connection in connections
    ]


def _last_runs(ids: Iterable[UUID]) -> QuerySet[SyncRun]:
    """Return the newest run of each connection, open ones included."""
    newest = SyncRun.rows().filter(connection=OuterRef("pk")).order_by("-id").values("pk")[:1]
    chosen = Connection.objects.filter(pk__in=list(ids)).annotate(newest=Subquery(newest)).values("newest")
    return SyncRun.rows().filter(pk__in=chosen)


def _coverage(row: StreamState) -> StreamCoverage:
    return StreamCoverage(
        stream=row.stream,
        symbol=row.symbol,
        from_at=row.covered_from,
        to_at=row.covered_to,
        state=CoverageState(row.state),
        rows=row.rows,
        problem_code=row.problem_code,
        problem_detail=row.problem_detail,
    )


def runs_of(*, connection: Connection) -> QuerySet[SyncRun]:
    """Return the runs of a connection, newest first."""
    return SyncRun.rows().filter(connection=connection).order_by("-id")
