"""Tasks of the console."""

from uuid import UUID

from celery import shared_task

from apps.core import clock, jobs
from apps.operations import actions


@shared_task(name="operations.run_self_check", soft_time_limit=120, time_limit=150)
def run_self_check(*, work_id: str, **_unknown: object) -> None:
    """Carry one self-check through."""
    actions.run_self_check(work_id=UUID(work_id), worker=jobs.this_worker(), read_clock=clock.now)
