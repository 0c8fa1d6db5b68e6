"""Tasks of the ledger."""

from uuid import UUID

from celery import shared_task

from apps.core import clock, jobs
from apps.portfolios import actions


@shared_task(name="portfolios.book", soft_time_limit=240, time_limit=300)
def book(*, portfolio_id: str, **_unknown: object) -> None:
    """Book a ledger that has moved on."""
    actions.book_one(portfolio_id=UUID(portfolio_id), now=clock.now())


@shared_task(name="portfolios.book_behind", soft_time_limit=240, time_limit=300)
def book_behind(**_unknown: object) -> None:
    """Book the ledgers that have moved on, and look for values that entries were told without."""
    actions.book_behind(now=clock.now())


@shared_task(name="portfolios.revalue", soft_time_limit=60, time_limit=90)
def revalue(**_unknown: object) -> None:
    """Value the portfolios that somebody looks at."""
    actions.revalue_watched(now=clock.now())


@shared_task(name="portfolios.run_import", soft_time_limit=600, time_limit=660)
def run_import(*, work_id: str, **_unknown: object) -> None:
    """Book or undo one large import."""
    actions.run_import(work_id=UUID(work_id), worker=jobs.this_worker(), read_clock=clock.now)
