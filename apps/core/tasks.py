"""Tasks of the kernel."""

from celery import shared_task

from apps.core import clock, jobs
from apps.core.api import idempotency


@shared_task(name="core.reap_work", soft_time_limit=60, time_limit=90)
def reap_work(**_unknown: object) -> None:
    """Take over work whose worker is gone and wake work whose message was lost."""
    jobs.reap(now=clock.now())


@shared_task(name="core.forget_idempotency_keys", soft_time_limit=60, time_limit=90)
def forget_idempotency_keys(**_unknown: object) -> None:
    """Delete idempotency keys that are a day old."""
    idempotency.forget_keys(now=clock.now())
