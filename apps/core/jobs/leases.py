"""The lease: who works on a row, until when, and under which fence everything is written."""

import contextvars
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction

from apps.core import clock
from apps.core.errors import ConflictError
from apps.core.events import JobChanged, publish
from apps.core.models.work import LeasedWork, WorkQuerySet, WorkState

log = structlog.get_logger(__name__)

RENEWALS_PER_LEASE = 3
LONGEST_WAIT_SECONDS = 900.0
_LEAVE_SECONDS = 2.0
_STATE_FIELDS = (
    "state", "next_attempt_at", "lease_until", "leased_by", "fence", "attempts", "retries", "progress", "progress_note",
    "problem_code", "problem_detail", "woken_at", "started_at", "finished_at",
)  # fmt: skip

_W = TypeVar("_W", bound=LeasedWork)


class LeaseLostError(ConflictError):
    """Somebody else has taken the work over, or it was cancelled; nothing more may be written."""

    code = "lease_lost"
    default_detail = "This work was taken over or cancelled; what was not yet written is left to whoever has it now."


def lease_seconds() -> float:
    """Return how long a worker may be silent before its work is taken over."""
    return float(settings.JOB_LEASE_SECONDS)


def this_worker() -> str:
    """Return the name of this process among the workers."""
    return f"{socket.gethostname()[:80]}:{os.getpid()}"


def fraction(*, done: int, total: int) -> Decimal:
    """Return how far `done` of `total` is, as the progress column holds it."""
    if total <= 0:
        return Decimal(0)
    return min(Decimal(1), max(Decimal(0), Decimal(done) / total)).quantize(Decimal("0.0001"), rounding=ROUND_DOWN)


def save_state(*, work: LeasedWork, also: tuple[str, ...] = ()) -> None:
    """Write the row's state and tell who listens."""
    work.save(update_fields=[*_STATE_FIELDS, *also])
    tell(work=work)


def tell(*, work: LeasedWork) -> None:
    """Publish where the work stands."""
    publish(
        JobChanged(
            job_id=work.id,
            kind=work.kind,
            title=work.title,
            owner_id=work.owner_id,
            state=str(work.state),
            progress=work.progress,
            note=work.progress_note,
        )
    )


def claim(*, model: type[_W], worker: str, now: datetime, work_id: UUID | str | None = None) -> "Lease[_W] | None":
    """Take one due row, this one or the next in turn; None when there is none or somebody has it already."""
    with transaction.atomic():
        rows = model.rows().due(now).in_turn().select_for_update(skip_locked=True, of=("self",))
        work = (rows if work_id is None else rows.filter(pk=work_id)).first()
        if work is None:
            return None
        work.take(worker=worker, until=now + timedelta(seconds=lease_seconds()), now=now)
        save_state(work=work)
    return Lease(work=work)


class Lease(Generic[_W]):
    """The right to work on one row. Every write checks the fence and raises LeaseLostError once it is another's."""

    def __init__(self, *, work: _W, read_clock: Callable[[], datetime] = clock.now) -> None:
        self.work = work
        self.fence = work.fence
        self.is_lost = False
        self.is_over = False
        self._now = read_clock

    def check(self) -> None:
        """Raise if the lease is known to be lost; asks nobody, so it may stand in a tight loop."""
        if self.is_lost:
            raise LeaseLostError

    def renew(self) -> None:
        """Say that this worker is alive. The row in memory stays as it is: another thread may be writing its end."""
        self._write(lease_until=self._now() + timedelta(seconds=lease_seconds()))

    def save(self, *, progress: Decimal | None = None, note: str | None = None, **values: Any) -> None:  # noqa: ANN401
        """Write how far the work is, and columns of its own; a crash counts on."""
        self._update(progress, note, values)

    def advance(self, *, progress: Decimal | None = None, note: str | None = None, **values: Any) -> None:  # noqa: ANN401
        """Write that a step is done and will not be done again, so crashes and retries before it count no more.

        Call it inside `fenced()` together with the step's own rows.
        """
        self._update(progress, note, {**values, "attempts": 0, "retries": 0})

    @contextmanager
    def fenced(self) -> Iterator[None]:
        """Open a transaction that nobody can take the work over from; what it writes is written under the fence.

        A worker frozen inside it loses its session, so that the row does not stay locked.
        """
        with transaction.atomic():
            with connection.cursor() as cursor:
                wait = f"{int(lease_seconds() * 1000)}ms"
                cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [wait])
            self._lock()
            yield

    def succeed(self, **values: Any) -> None:  # noqa: ANN401 - columns of the concrete table
        """End well."""
        self._leave(lambda work: work.end(state=WorkState.SUCCEEDED, now=self._now()), values)

    def fail(self, *, code: str, detail: str, **values: Any) -> None:  # noqa: ANN401 - columns of the concrete table
        """End badly in a way that trying again would not change."""
        self._leave(lambda work: self._end_failed(work, code, detail), values)

    def retry_later(self, *, code: str, detail: str, after: float | None = None) -> None:
        """Try again in `after` seconds, or after a wait that doubles; fail when it was tried too often."""

        def _change(work: _W) -> None:
            work.retries += 1
            if work.retries > work.retry_limit:
                self._end_failed(work, code, detail)
                return
            wait = after if after is not None else backoff(base=work.retry_base_seconds, tries=work.retries)
            work.put_back(state=WorkState.WAITING, at=self._now() + timedelta(seconds=wait))
            work.problem_code, work.problem_detail = code[:64], detail

        self._leave(_change, {})

    def give_back(self, *, after: float = 0.0) -> None:
        """Let somebody else go on, without counting a crash: this process is ending, or a service is away."""
        at = self._now() + timedelta(seconds=after)
        self._leave(lambda work: work.put_back(state=WorkState.QUEUED, at=at), {})

    def crash(self) -> None:
        """Count an unforeseen error as a crash."""
        self._leave(lambda work: work.count_crash(now=self._now()), {})

    @contextmanager
    def hold(self) -> Iterator["Lease[_W]"]:
        """Renew the lease from a thread for as long as the block runs."""
        leave = threading.Event()
        context = contextvars.copy_context()
        keeper = threading.Thread(target=context.run, args=(self._keep, leave), name="lease", daemon=True)
        keeper.start()
        try:
            yield self
        finally:
            leave.set()
            keeper.join(_LEAVE_SECONDS)

    def _keep(self, leave: threading.Event) -> None:
        try:
            while not leave.wait(lease_seconds() / RENEWALS_PER_LEASE):
                try:
                    self.renew()
                except LeaseLostError:
                    if not self.is_over:
                        log.warning("The lease is lost", kind=self.work.kind, job=str(self.work.pk))
                    return
                except (OperationalError, InterfaceError):
                    log.warning("The lease could not be renewed; trying again", kind=self.work.kind)
                    connection.close()
        finally:
            connection.close()

    def _end_failed(self, work: _W, code: str, detail: str) -> None:
        work.end(state=WorkState.FAILED, now=self._now())
        work.problem_code, work.problem_detail = code[:64], detail

    def _update(self, progress: Decimal | None, note: str | None, values: dict[str, Any]) -> None:
        if progress is not None:
            values = {**values, "progress": progress}
        if note is not None:
            values = {**values, "progress_note": note[:200]}
        with transaction.atomic():
            self._write(**values)
            for name, value in values.items():
                setattr(self.work, name, value)
            tell(work=self.work)

    def _leave(self, change: Callable[[_W], None], values: dict[str, Any]) -> None:
        with transaction.atomic():
            self._lock()
            change(self.work)
            for name, value in values.items():
                setattr(self.work, name, value)
            save_state(work=self.work, also=tuple(values))
        self.is_over = True

    def _held(self) -> WorkQuerySet:
        return type(self.work).rows().held(work_id=self.work.pk, fence=self.fence)

    def _lock(self) -> None:
        if self._held().select_for_update(of=("self",)).values_list("pk").first() is None:
            self.is_lost = True
            raise LeaseLostError

    def _write(self, **values: Any) -> None:  # noqa: ANN401 - columns of the concrete table
        if not self._held().update(**values):
            self.is_lost = True
            raise LeaseLostError


def backoff(*, base: float, tries: int) -> float:
    """Return the wait before the next try: it doubles, has a ceiling, and is spread so that nobody retries in step."""
    wait = min(LONGEST_WAIT_SECONDS, base * 2.0 ** (tries - 1))
    return wait * random.uniform(0.5, 1.0)  # noqa: S311 - spread, not secrecy
