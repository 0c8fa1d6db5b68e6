"""What a person may do with long work from the console: cancel it, or let it try again."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.actions import record_audit
from apps.accounts.domain.origin import RequestMeta
from apps.core import jobs
from apps.core.errors import NotFoundError
from apps.core.models.work import LeasedWork
from apps.operations.queries.people import Person


class UnknownJobError(NotFoundError):
    """There is no such piece of work."""

    code = "job_not_found"
    default_detail = "There is no such job. It may have been cleared away; look at the list again."


@transaction.atomic
def cancel_job(*, actor: Person, job_id: UUID, now: datetime, request_meta: RequestMeta) -> LeasedWork:
    """Cancel work that is not over yet."""
    work = _find(job_id)
    jobs.cancel(work=work, now=now)
    record_audit(actor=actor, action="job.cancelled", target=str(job_id), now=now, request_meta=request_meta)
    return work


@transaction.atomic
def retry_job(*, actor: Person, job_id: UUID, now: datetime, request_meta: RequestMeta) -> LeasedWork:
    """Queue work again that was parked, failed or cancelled."""
    work = _find(job_id)
    jobs.requeue(work=work, now=now)
    record_audit(actor=actor, action="job.retried", target=str(job_id), now=now, request_meta=request_meta)
    return work


def _find(job_id: UUID) -> LeasedWork:
    for model in jobs.job_models():
        work = model.rows().filter(pk=job_id).first()
        if isinstance(work, LeasedWork):
            return work
    raise UnknownJobError
