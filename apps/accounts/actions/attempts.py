"""Charges tries to their budgets, in the database: exact across processes, and there while Redis is away."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from prometheus_client import Counter

from apps.accounts.domain.budgets import Budget
from apps.accounts.models import FailedAttempt
from apps.core.errors import TooManyError

throttled = Counter("coinsphere_sign_in_throttled_total", "Tries refused because a budget was used up.")


class TooManyTriesError(TooManyError):
    """The budget of tries is used up."""

    code = "too_many_tries"
    title = "Too many tries"
    default_detail = "Wait as long as Retry-After says and try again."


def charge(*, budgets: Sequence[Budget], now: datetime) -> list[int]:
    """Charge one try to every budget, or refuse when one is used up; return what `give_back` takes.

    The charge comes before the try, so that tries at the same moment cannot pass a budget together.
    """
    with transaction.atomic():
        for budget in sorted(budgets, key=lambda each: each.bucket):
            _lock(budget.bucket)
        waits = [wait for budget in budgets if (wait := _wait(budget, now=now))]
        if waits:
            throttled.inc()
            raise TooManyTriesError(retry_after=max(waits))
        rows = FailedAttempt.objects.bulk_create(FailedAttempt(bucket=budget.bucket, at=now) for budget in budgets)
    return [row.pk for row in rows]


def spend_once(*, budget: Budget, now: datetime) -> bool:
    """Use the budget up if there is room; false when somebody was faster."""
    with transaction.atomic():
        _lock(budget.bucket)
        if _wait(budget, now=now):
            return False
        FailedAttempt.objects.create(bucket=budget.bucket, at=now)
    return True


def give_back(*, charged: Sequence[int]) -> None:
    """Take back a charge: the try was not a wrong one."""
    FailedAttempt.objects.filter(pk__in=charged).delete()


def forget_old_attempts(*, now: datetime, older_than: timedelta = timedelta(days=1)) -> int:
    """Delete tries that no budget counts any more."""
    return FailedAttempt.objects.filter(at__lt=now - older_than).delete()[0]


def _lock(bucket: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(bucket[:15], 16)])


def _wait(budget: Budget, *, now: datetime) -> int:
    """Return how many seconds until the budget has room, 0 when it has now."""
    since = now - budget.window
    tries = FailedAttempt.objects.filter(bucket=budget.bucket, at__gt=since).order_by("-at")
    oldest_counted = tries.values_list("at", flat=True)[budget.limit - 1 : budget.limit].first()
    if oldest_counted is None:
        return 0
    return max(1, math.ceil((oldest_counted + budget.window - now).total_seconds()))
