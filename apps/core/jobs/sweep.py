"""Bringing work to workers: queue it, wake it, cancel it; take over what was left lying and wake what was not heard."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.apps import apps
from django.db import transaction
from prometheus_client import Counter

from apps.core.cache import RedisOutage, redis_client, redis_is_up
from apps.core.errors import ConflictError
from apps.core.events import send_task
from apps.core.jobs.leases import lease_seconds, save_state, tell
from apps.core.logs import current_request_id
from apps.core.models.work import LeasedWork, WorkState

log = structlog.get_logger(__name__)

ROWS_PER_SWEEP = 500
MESSAGES_ENOUGH = 1_000

_takeovers = Counter("coinsphere_lease_takeovers_total", "Leases that ran out and were taken over.", ["kind"])
_parked = Counter("coinsphere_jobs_parked_total", "Work parked because it stopped its worker too often.", ["kind"])
_rewoken = Counter("coinsphere_jobs_rewoken_total", "Due work whose message was not heard and sent again.", ["kind"])


class WorkIsOverError(ConflictError):
    """The work has ended, or runs already."""

    code = "work_is_over"
    default_detail = "This work is in another state by now. Reload the page to see where it stands."


@dataclass(frozen=True, slots=True)
class Reaped:
    """What one sweep did."""

    taken_over: int = 0
    parked: int = 0
    woken: int = 0


def job_models() -> tuple[type[LeasedWork], ...]:
    """Return every table of long work."""
    return tuple(model for model in apps.get_models() if issubclass(model, LeasedWork))


def enqueue(*, work: LeasedWork, now: datetime, queue: str = "") -> None:
    """Store new work and wake a worker for it after commit, through its kind's queue unless another is named."""
    work.request_id = work.request_id or current_request_id()[:64]
    work.state, work.next_attempt_at = WorkState.QUEUED, now
    with transaction.atomic():
        work.woken_at = now
        work.save()
        tell(work=work)
        _send_after_commit(work, queue)


def wake(*, work: LeasedWork, now: datetime, queue: str = "") -> None:
    """Send the message for work that stands in its row already, after commit; twice does no harm."""
    with transaction.atomic():
        type(work).rows().filter(pk=work.pk).update(woken_at=now)
        _send_after_commit(work, queue)


def cancel(*, work: LeasedWork, now: datetime) -> None:
    """Cancel work that is not over; who runs it is fenced out with its next write."""
    with transaction.atomic():
        row = _locked(work)
        if row.is_over:
            raise WorkIsOverError
        row.end(state=WorkState.CANCELLED, now=now)
        save_state(work=row)


def requeue(*, work: LeasedWork, now: datetime) -> None:
    """Try again what was parked, failed or cancelled."""
    with transaction.atomic():
        row = _locked(work)
        if not row.is_over or row.state == WorkState.SUCCEEDED:
            raise WorkIsOverError
        row.put_back(state=WorkState.QUEUED, at=now)
        row.attempts = row.retries = 0
        row.problem_code = row.problem_detail = ""
        row.woken_at = now
        save_state(work=row)
        _send_after_commit(row)


def reap(*, now: datetime) -> Reaped:
    """Take over what lapsed and wake what is due and unheard, in every table, whatever is wrong with one of them."""
    done = Reaped()
    failures: list[Exception] = []
    for model in job_models():
        try:
            taken, parked = _take_over(model, now)
            woken = _wake_unheard(model, now)
        except Exception as problem:  # noqa: BLE001 - raised below, once the other tables are swept
            failures.append(problem)
            continue
        done = Reaped(done.taken_over + taken, done.parked + parked, done.woken + woken)
    if failures:
        raise ExceptionGroup("Some tables of work could not be swept.", failures)
    return done


def _take_over(model: type[LeasedWork], now: datetime) -> tuple[int, int]:
    parked = 0
    with transaction.atomic():
        lapsed = model.rows().lapsed(now).order_by("lease_until")
        rows: list[Any] = list(lapsed.select_for_update(skip_locked=True, of=("self",))[:ROWS_PER_SWEEP])
        for row in rows:
            log.warning("A lease ran out", kind=row.kind, job=str(row.pk), worker=row.leased_by)
            row.count_crash(now=now)
            save_state(work=row)
            parked += row.state == WorkState.PARKED
    _takeovers.labels(kind=model.kind).inc(len(rows))
    _parked.labels(kind=model.kind).inc(parked)
    return len(rows), parked


def _wake_unheard(model: type[LeasedWork], now: datetime) -> int:
    if not _room_for_messages(model.queue):
        return 0
    unheard = model.rows().unheard(now, after=timedelta(seconds=lease_seconds()))
    with transaction.atomic():
        locked = unheard.in_turn().select_for_update(skip_locked=True, of=("self",))
        rows: list[Any] = list(locked[:ROWS_PER_SWEEP])
        model.rows().filter(pk__in=[row.pk for row in rows]).update(woken_at=now)
        for row in rows:
            _send_after_commit(row)
    _rewoken.labels(kind=model.kind).inc(len(rows))
    return len(rows)


def _room_for_messages(queue: str) -> bool:
    """Tell whether more messages would help: not while the broker is away, nor while workers are far behind."""
    if not redis_is_up():
        return False
    try:
        waiting: Any = redis_client().llen(queue)
    except RedisOutage:
        return False
    return bool(waiting < MESSAGES_ENOUGH)


def _locked(work: LeasedWork) -> Any:  # noqa: ANN401 - a row of the concrete table
    return type(work).rows().select_for_update(of=("self",)).get(pk=work.pk)


def _send_after_commit(work: LeasedWork, queue: str = "") -> None:
    transaction.on_commit(
        partial(
            send_task,
            type(work).task_name(),
            keywords={"work_id": str(work.pk)},
            queue=queue or work.queue,
            request_id=work.request_id,
        )
    )
