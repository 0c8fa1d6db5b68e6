"""The ledger against what venues say: every balance, also those that agree, and why the others may differ."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.urls import reverse

from apps.portfolios.models import Account, Holding, Portfolio
from apps.portfolios.models.observed import ObservedBalance, SourceGap
from apps.portfolios.queries.completeness import unmatched_legs

_DIGITS: Final = 200
_REPAIRS: Final = "portfolios:reconciliation"


class Cause(StrEnum):
    """Why ledger and venue may differ."""

    AGREES = "agrees"
    UNMATCHED_TRANSFER = "unmatched_transfer"
    SYNC_GAP = "sync_gap"
    MISSING_ENTRIES = "missing_entries"
    SURPLUS_ENTRIES = "surplus_entries"


@dataclass(frozen=True, slots=True)
class Balance:
    """One asset in one account: what the ledger says, what the venue says."""

    account: str
    exchange: str
    asset: str
    ledger: Decimal
    venue: Decimal
    difference: Decimal
    age_s: int
    cause: Cause
    repair: str


def reconciliation(*, portfolio: Portfolio, now: datetime) -> list[Balance]:
    """Return the balances of all accounts whose venue has been asked, those that differ first."""
    observed: defaultdict[UUID, dict[str, tuple[Decimal, datetime]]] = defaultdict(dict)
    rows = ObservedBalance.objects.filter(portfolio=portfolio)
    for account_id, asset, amount, at in rows.values_list("account_id", "asset", "amount", "at"):
        observed[account_id][asset] = (amount, at)
    if not observed:
        return []
    booked = _booked(portfolio)
    legs = set(unmatched_legs(portfolio=portfolio).values_list("account_id", "asset"))
    gaps = set(SourceGap.objects.filter(portfolio=portfolio, closed_at=None).values_list("account_id", flat=True))
    found = []
    for account in Account.objects.filter(pk__in=observed):
        seen, held = observed[account.pk], booked.get(account.name, {})
        newest = max(at for _amount, at in seen.values())
        for asset in sorted(seen.keys() | held.keys()):
            venue, at = seen.get(asset, (Decimal(0), newest))
            ledger = held.get(asset, Decimal(0))
            if venue or ledger:
                is_leg, has_gap = (account.pk, asset) in legs, account.pk in gaps
                found.append(_balance(account, asset, ledger, venue, at, is_leg=is_leg, has_gap=has_gap, now=now))
    return sorted(found, key=lambda one: (one.cause is Cause.AGREES, one.account, one.asset))


def _booked(portfolio: Portfolio) -> dict[str, dict[str, Decimal]]:
    amounts: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
    for asset, accounts in Holding.objects.filter(portfolio=portfolio).values_list("asset", "accounts"):
        for name, amount in accounts.items():
            amounts[name][asset] = Decimal(amount)
    return amounts


def _balance(
    account: Account,
    asset: str,
    ledger: Decimal,
    venue: Decimal,
    at: datetime,
    *,
    is_leg: bool,
    has_gap: bool,
    now: datetime,
) -> Balance:
    with localcontext() as context:
        context.prec = _DIGITS
        difference = ledger - venue
    return Balance(
        account=account.name,
        exchange=account.exchange,
        asset=asset,
        ledger=ledger,
        venue=venue,
        difference=difference,
        age_s=max(0, int((now - at).total_seconds())),
        cause=_cause(difference, is_leg=is_leg, has_gap=has_gap),
        repair=reverse(_REPAIRS) if difference else "",
    )


def _cause(difference: Decimal, *, is_leg: bool, has_gap: bool) -> Cause:
    if not difference:
        return Cause.AGREES
    if is_leg:
        return Cause.UNMATCHED_TRANSFER
    if has_gap:
        return Cause.SYNC_GAP
    return Cause.MISSING_ENTRIES if difference < 0 else Cause.SURPLUS_ENTRIES
