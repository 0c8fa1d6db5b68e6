"""Tasks of the accounts."""

from uuid import UUID

from celery import shared_task

from apps.accounts.actions import housekeeping, mail
from apps.core import clock, jobs


@shared_task(name="accounts.run_letter", soft_time_limit=60, time_limit=90)
def run_letter(*, work_id: str, **_unknown: object) -> None:
    """Send one mail."""
    mail.send_letter(letter_id=UUID(work_id), worker=jobs.this_worker(), now=clock.now())


@shared_task(name="accounts.tidy", soft_time_limit=60, time_limit=90)
def tidy(**_unknown: object) -> None:
    """Delete what nobody needs any more: old tries, unfinished ceremonies, sessions and mails that are over."""
    housekeeping.tidy(now=clock.now())
