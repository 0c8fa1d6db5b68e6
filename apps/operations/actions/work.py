"""What a person may do with long work from the console: cancel it, or let it try again."""

from datetime import datetime
from uuid import UUID

from apps.core import jobs
from apps.core.errors import NotFoundError
from apps.core.models.work import LeasedWork


class UnknownJobError(NotFoundError):
    """There is no such piece of work."""

    code = "job_not_found"
    default_detail = "There is no such job. It may have been cleared away; look at the list again."


def cancel_job(*, job_id: UUID, now: datetime) -> LeasedWork:
    """Cancel work that is not over yet."""
    work = _find(job_id)
    jobs.cancel(work=work, now=now)
    return work


def retry_job(*, job_id: UUID, now: datetime) -> LeasedWork:
    """Queue work again that was parked, failed or cancelled."""
    work = _find(job_id)
    jobs.requeue(work=work, now=now)
    return work


def _find(job_id: UUID) -> LeasedWork:
    for model in jobs.job_models():
        work = model.rows().filter(pk=job_id).first()
        if isinstance(work, LeasedWork):
            return work
    raise UnknownJobError
