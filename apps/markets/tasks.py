"""Tasks of the markets."""

from uuid import UUID

from celery import shared_task

from apps.core import clock, jobs
from apps.markets import actions


@shared_task(name="markets.refresh", soft_time_limit=240, time_limit=300)
def refresh(**_unknown: object) -> None:
    """Read the lists of pairs that are due."""
    actions.refresh_due_markets(now=clock.now())


@shared_task(name="markets.run_backfill", soft_time_limit=120, time_limit=150)
def run_backfill(*, work_id: str, **_unknown: object) -> None:
    """Fetch missing candles for one turn."""
    actions.run_backfill(work_id=UUID(work_id), worker=jobs.this_worker(), read_clock=clock.now)


@shared_task(name="markets.repair_candles", soft_time_limit=120, time_limit=150)
def repair_candles(**_unknown: object) -> None:
    """Queue what is missing of the candles that are kept whole."""
    actions.repair_gaps(now=clock.now())


@shared_task(name="markets.pack_candles", soft_time_limit=120, time_limit=150)
def pack_candles(**_unknown: object) -> None:
    """Pack the newest candles into blocks, and let go of built ones that nobody will confirm."""
    actions.pack_tails(now=clock.now())
    actions.forget_built(now=clock.now())


@shared_task(name="markets.summarize", soft_time_limit=120, time_limit=150)
def summarize(**_unknown: object) -> None:
    """Make sparklines and reference prices anew."""
    actions.make_summaries(now=clock.now())
