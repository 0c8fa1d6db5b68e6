"""One turn of a sync: which streams are read, page after page, each page kept, booked and remembered in one step."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from apps.core import jobs, locks
from apps.core.errors import ProductError
from apps.exchanges.actions.storing import (
    ALONE,
    Problem,
    Settled,
    keep_rows,
    settle_rows,
)
from apps.exchanges.domain.coverage import share_done, share_read
from apps.exchanges.domain.moments import milliseconds, moment_of
from apps.exchanges.domain.planning import Known, Reading, in_turn, is_due, next_reading
from apps.exchanges.domain.reading import Page, Stream, StreamKey
from apps.exchanges.gateways.adapter import Session
from apps.exchanges.gateways.errors import BadAnswerError
from apps.exchanges.models import Connection, StreamProgress, StreamState, SyncRun
from apps.portfolios.actions import close_gap, report_gap
from apps.portfolios.domain.drafts import FIRST_COIN

#: Problems that a run names one by one; the rows keep all of them.
MOST_PROBLEMS: Final = 200
#: Pages without a row are remembered once in so long: years of nothing need no transaction each.
_EMPTY_FOR_SECONDS: Final = 1.0


@dataclass(slots=True)
class Sync:
    """One turn of a run: its lease, its connection, the lock of the key, and what it has counted so far."""

    lease: jobs.Lease[SyncRun]
    connection: Connection
    key: locks.Held
    now: Callable[[], datetime]
    until: datetime
    began: float = field(default_factory=time.monotonic)
    asked: int = 0
    has_news: bool = False

    @property
    def run(self) -> SyncRun:
        """The row of this sync."""
        return self.lease.work

    @property
    def is_over_time(self) -> bool:
        """Whether the turn has lasted long enough."""
        return self.now() >= self.until

    def check(self) -> None:
        """Raise if somebody else may have taken the run or the key over."""
        self.lease.check()
        if self.key.is_lost:
            raise locks.LockTakenError

    def costs(self, session: Session | None = None) -> dict[str, Any]:
        """Return what the run has cost so far: requests made and time at work; each is counted once."""
        made = 0 if session is None else session.requests - self.asked
        self.asked += made
        moment = time.monotonic()
        busy, self.began = moment - self.began, moment
        return {"requests": self.run.requests + made, "busy_ms": self.run.busy_ms + int(busy * 1000)}

    @contextmanager
    def step(self) -> Iterator[None]:
        """Open the transaction of one step: the connection cannot go meanwhile, nor can the run be taken over.

        Everybody who changes both locks the connection first.
        """
        with transaction.atomic():
            rows = Connection.objects.select_for_update(no_key=True).filter(pk=self.connection.pk)
            if rows.values_list("pk").first() is None:
                self.lease.is_lost = True
            self.check()
            with self.lease.fenced():
                yield

    def problems_with(self, more: Collection[Problem]) -> list[Problem]:
        """Return the problems of the run with some more, each once."""
        known: list[Problem] = list(self.run.problems)
        for problem in more:
            if problem not in known and len(known) < MOST_PROBLEMS:
                known.append(problem)
        return known


def states_of(*, connection: Connection) -> dict[StreamKey, StreamState]:
    """Return what is known of each stream of a connection."""
    rows = StreamState.objects.filter(connection=connection)
    return {StreamKey(stream=Stream(row.stream), symbol=row.symbol): row for row in rows}


def still_to_read(
    *, sync: Sync, keys: Collection[StreamKey], known: Mapping[StreamKey, StreamState], moved: Collection[str] | None
) -> list[StreamKey]:
    """Return the streams that this run has not read yet and that are worth a request, in their turn."""
    now, run_id = sync.now(), sync.run.pk
    return [
        key
        for key in in_turn(set(keys))
        if not _is_read(known.get(key), run_id) and is_due(key=key, known=_known(known.get(key)), moved=moved, now=now)
    ]


def read_pass(
    *, sync: Sync, session: Session, key: StreamKey, state: StreamState | None, place: tuple[int, int]
) -> bool:
    """Read a stream to its end; False when the turn is over before. `place` is how many streams are done of all."""
    state = state or StreamState(connection=sync.connection, stream=key.stream.value, symbol=key.symbol)
    begin = sync.connection.history_from
    reading = next_reading(
        stream=key.stream,
        known=_known(state),
        now_ms=milliseconds(sync.now()),
        begin_ms=0 if begin is None else milliseconds(begin),
    )
    cursor, kept_at = reading.cursor, time.monotonic()
    while True:
        sync.check()
        page = session.page(key=key, cursor=cursor, since_ms=reading.since_ms, until_ms=reading.until_ms)
        if not page.is_last and page.cursor == cursor:
            raise BadAnswerError  # it would go on like this for ever
        is_time_up = sync.is_over_time
        if page.rows or page.is_last or is_time_up or time.monotonic() - kept_at >= _EMPTY_FOR_SECONDS:
            _keep_page(sync, session, key, state, reading, page, place)
            kept_at = time.monotonic()
        if page.is_last:
            return True
        if is_time_up:
            return False
        cursor = page.cursor


def failed_stream(*, sync: Sync, key: StreamKey, problem: ProductError) -> None:
    """Note that a stream cannot be read, and of which time nothing is known because of it; the others go on."""
    now = sync.now()
    told: Problem = {
        "code": problem.code,
        "detail": problem.detail,
        "stream": key.stream.value,
        "symbol": key.symbol,
    }
    with sync.step():
        StreamState.objects.update_or_create(
            connection=sync.connection,
            stream=key.stream.value,
            symbol=key.symbol,
            defaults={
                "state": StreamProgress.PARTIAL,
                "problem_code": problem.code[:64],
                "problem_detail": problem.detail[:500],
            },
        )
        sync.lease.save(problems=sync.problems_with([told]), **sync.costs())
        _report(sync, key, problem, now)


# --- Steps ------------------------------------------------------------------------------------------------------------
def _keep_page(
    sync: Sync,
    session: Session,
    key: StreamKey,
    state: StreamState,
    reading: Reading,
    page: Page,
    place: tuple[int, int],
) -> None:
    now, run = sync.now(), sync.run
    with sync.step():
        kept = keep_rows(connection=sync.connection, key=key, rows=page.rows)
        alone = kept.rows if key.stream in ALONE else []
        settled = settle_rows(connection=sync.connection, rows=alone, into=run.batch_id, now=now)
        _move(sync, key, state, reading, page, len(kept.fresh), now)
        current = share_read(since_ms=reading.since_ms, until_ms=reading.until_ms, reached_ms=page.covered_to_ms)
        sync.lease.advance(
            progress=max(run.progress, share_done(done=place[0], total=place[1], current=current)),
            note=str(state),
            fetched=run.fetched + len(page.rows),
            fresh=run.fresh + len(kept.fresh),
            **counted(sync=sync, settled=settled),
            **sync.costs(session),
        )
    sync.has_news = sync.has_news or bool(kept.rows)


def counted(*, sync: Sync, settled: Settled) -> dict[str, Any]:
    """Return the columns of the run that change with what was settled."""
    run = sync.run
    return {
        "batch_id": settled.batch_id,
        "posted": run.posted + settled.posted,
        "duplicates": run.duplicates + settled.duplicates,
        "refused": run.refused + len(settled.problems),
        "problems": sync.problems_with(settled.problems),
    }


def _move(
    sync: Sync,
    key: StreamKey,
    state: StreamState,
    reading: Reading,
    page: Page,
    fresh: int,
    now: datetime,
) -> None:
    """Move the cursor past a page, or note that the stream is complete up to its end."""
    first = min((row.at_ms for row in page.rows), default=None)
    if first is not None:
        begin = moment_of(first)
        state.covered_from = begin if state.covered_from is None else min(state.covered_from, begin)
    state.rows += fresh
    state.read_in = sync.run.pk
    if page.is_last:
        reached = moment_of(page.covered_to_ms)
        state.covered_to = reached if state.covered_to is None else max(state.covered_to, reached)
        state.cursor = state.pass_since = state.pass_until = None
        state.read_at, state.problem_code, state.problem_detail = now, "", ""
        if state.state != StreamProgress.COMPLETE:
            close_gap(account=sync.connection.account, stream=key.stream.value, symbol=key.symbol, until=now, now=now)
        state.state = StreamProgress.COMPLETE
    else:
        state.cursor = dict(page.cursor)
        state.pass_since, state.pass_until = moment_of(reading.since_ms), moment_of(reading.until_ms)
    state.save()


def _known(state: StreamState | None) -> Known | None:
    if state is None:
        return None
    return Known(
        cursor=state.cursor,
        since_ms=0 if state.pass_since is None else milliseconds(state.pass_since),
        until_ms=0 if state.pass_until is None else milliseconds(state.pass_until),
        is_open=state.pass_since is not None,
        covered_to_ms=None if state.covered_to is None else milliseconds(state.covered_to),
        read_at=state.read_at,
    )


def _is_read(state: StreamState | None, run_id: UUID) -> bool:
    """Tell whether this run has read a stream to its end."""
    return state is not None and state.read_in == run_id and state.pass_since is None


def _report(sync: Sync, key: StreamKey, problem: ProductError, now: datetime) -> None:
    rows = StreamState.objects.filter(connection=sync.connection, stream=key.stream.value, symbol=key.symbol)
    covered = rows.values_list("covered_to", flat=True).first() or sync.connection.history_from or FIRST_COIN
    if covered < now:
        report_gap(
            account=sync.connection.account,
            stream=key.stream.value,
            symbol=key.symbol,
            from_at=covered,
            to_at=now,
            detail=problem.detail,
            now=now,
        )
