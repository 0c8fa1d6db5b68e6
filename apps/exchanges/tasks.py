"""Tasks of the exchanges."""

from uuid import UUID

from celery import shared_task

from apps.core import clock, jobs
from apps.exchanges.actions import guarding, scheduling, syncing


@shared_task(name="exchanges.run_sync", soft_time_limit=240, time_limit=300)
def run_sync(*, work_id: str, **_unknown: object) -> None:
    """Read one connection for one turn."""
    syncing.run_sync(run_id=UUID(work_id), worker=jobs.this_worker(), read_clock=clock.now)


@shared_task(name="exchanges.sync_due", soft_time_limit=60, time_limit=90)
def sync_due(**_unknown: object) -> None:
    """Queue the syncs whose time has come."""
    scheduling.enqueue_due(now=clock.now())


@shared_task(name="exchanges.look_at_keys", soft_time_limit=240, time_limit=300)
def look_at_keys(**_unknown: object) -> None:
    """Look at the rights of keys whose week is over."""
    guarding.look_at_keys(now=clock.now())
