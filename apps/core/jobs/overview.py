"""Looking at all work at once, whatever tables it stands in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count

from apps.core.jobs import sweep
from apps.core.models.work import LeasedWork, WorkQuerySet


@dataclass(frozen=True, slots=True)
class JobView:
    """One piece of work as the owner's console shows it."""

    id: UUID
    kind: str
    title: str
    queue: str
    owner_id: UUID | None
    state: str
    progress: Decimal
    note: str
    attempts: int
    problem_code: str
    problem_detail: str
    request_id: str
    created_at: datetime
    next_attempt_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def open_jobs(*, limit: int = 100) -> list[JobView]:
    """Return work that is not over, newest first."""
    return _gather(lambda rows: rows.open(), limit)


def recent_jobs(*, limit: int = 100) -> list[JobView]:
    """Return the newest work in any state."""
    return _gather(lambda rows: rows, limit)


def job_counts() -> dict[tuple[str, str], int]:
    """Return how many rows there are of each kind in each state."""
    counts: dict[tuple[str, str], int] = {}
    for model in sweep.job_models():
        rows = model.rows().order_by().values_list("state").annotate(rows=Count("pk"))
        counts |= {(model.kind, state): number for state, number in rows}
    return counts


def _gather(select: Callable[[WorkQuerySet], WorkQuerySet], limit: int) -> list[JobView]:
    found: list[JobView] = []
    for model in sweep.job_models():
        found.extend(_view(row) for row in select(model.rows()).order_by("-id")[:limit])
    return sorted(found, key=lambda job: job.id, reverse=True)[:limit]


def _view(work: LeasedWork) -> JobView:
    return JobView(
        id=work.id,
        kind=work.kind,
        title=work.title,
        queue=work.queue,
        owner_id=work.owner_id,
        state=str(work.state),
        progress=work.progress,
        note=work.progress_note,
        attempts=work.attempts,
        problem_code=work.problem_code,
        problem_detail=work.problem_detail,
        request_id=work.request_id,
        created_at=work.created_at,
        next_attempt_at=work.next_attempt_at,
        started_at=work.started_at,
        finished_at=work.finished_at,
    )
