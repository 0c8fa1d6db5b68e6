"""Tasks of the kernel."""

from celery import shared_task

from apps.core import clock, jobs


@shared_task(name="core.reap_work", queue="default", soft_time_limit=60, time_limit=90)
def reap_work(**_unknown: object) -> None:
    """Take over work whose worker is gone and wake work whose message was lost."""
    jobs.reap(now=clock.now())
