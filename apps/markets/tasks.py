"""Tasks of the markets."""

from celery import shared_task

from apps.core import clock
from apps.markets import actions


@shared_task(name="markets.refresh", soft_time_limit=240, time_limit=300)
def refresh(**_unknown: object) -> None:
    """Read the lists of pairs that are due."""
    actions.refresh_due_markets(now=clock.now())
