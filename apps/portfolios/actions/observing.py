"""What sources tell beside their entries: balances that the ledger is held against, and what they could not tell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from apps.core.errors import InvalidError
from apps.portfolios.models import Account
from apps.portfolios.models.observed import ObservedBalance, SourceGap

MOST_BALANCES: Final = 10_000


class TooManyBalancesError(InvalidError):
    """More balances than an account can have."""

    code = "too_many_balances"
    default_detail = f"An account has at most {MOST_BALANCES} balances."


def record_observed_balances(*, account: Account, balances: Mapping[str, Decimal], at: datetime) -> None:
    """Keep what a venue says an account holds, all of it: what it does not name is zero there."""
    if len(balances) > MOST_BALANCES:
        raise TooManyBalancesError
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        rows = ObservedBalance.objects.filter(account=account)
        if rows.filter(at__gt=at).exists():
            return  # a later word is known already
        rows.exclude(asset__in=balances).update(amount=Decimal(0), at=at)
        ObservedBalance.objects.bulk_create(
            [
                ObservedBalance(portfolio_id=account.portfolio_id, account=account, asset=asset, amount=amount, at=at)
                for asset, amount in balances.items()
            ],
            update_conflicts=True,
            unique_fields=["account", "asset"],
            update_fields=["amount", "at"],
        )


def report_gap(
    *,
    account: Account,
    stream: str,
    from_at: datetime,
    to_at: datetime,
    symbol: str = "",
    detail: str = "",
    now: datetime,
) -> SourceGap:
    """Keep that a source could not tell everything of a stretch of time; told again, it is the same gap."""
    row, _made = SourceGap.objects.update_or_create(
        account=account,
        stream=stream[:40],
        symbol=symbol[:80],
        from_at=from_at,
        defaults={"portfolio_id": account.portfolio_id, "to_at": to_at, "detail": detail[:300], "closed_at": None},
        create_defaults={
            "portfolio_id": account.portfolio_id,
            "to_at": to_at,
            "detail": detail[:300],
            "created_at": now,
        },
    )
    return row


def close_gap(*, account: Account, stream: str, symbol: str = "", until: datetime, now: datetime) -> int:
    """Note that a source has told what it could not before, up to a moment; return how many gaps that closes."""
    open_gaps = SourceGap.objects.filter(account=account, stream=stream[:40], symbol=symbol[:80], closed_at=None)
    return open_gaps.filter(to_at__lte=until).update(closed_at=now)


def forget_observed(*, account: Account, now: datetime) -> None:
    """Let go of what a source said an account holds, and of its gaps: nobody will tell anything newer."""
    with transaction.atomic():
        ObservedBalance.objects.filter(account=account).delete()
        SourceGap.objects.filter(account=account, closed_at=None).update(closed_at=now)
