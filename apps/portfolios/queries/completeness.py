"""How complete a portfolio's figures are, and where each thing that is missing can be mended."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from django.db.models import Q
from django.urls import reverse

from apps.core.money import plain
from apps.portfolios.domain.completeness import Completeness, Issue, IssueCode, completeness
from apps.portfolios.models import (
    BookedResult,
    Holding,
    ObservedBalance,
    Portfolio,
    SourceGap,
    Transaction,
    TransactionQuerySet,
    ValueState,
)
from apps.portfolios.queries.freezing import frozen_issue
from apps.portfolios.queries.pricing import open_values

#: A price this much older than the moment it stands for is said to be stale.
STALE_SECONDS: Final = 900
#: The page on which an issue is mended.
_REPAIRS: Final = {
    IssueCode.MISSING_ACQUISITION: "portfolios:reconciliation",
    IssueCode.UNMATCHED_TRANSFER: "portfolios:transfers",
    IssueCode.UNPRICED_ENTRY: "portfolios:reconciliation",
    IssueCode.PENDING_ENTRY: "portfolios:reconciliation",
    IssueCode.NEGATIVE_BALANCE: "portfolios:reconciliation",
    IssueCode.BALANCE_DIFFERS: "portfolios:reconciliation",
    IssueCode.SYNC_GAP: "portfolios:reconciliation",
    IssueCode.FROZEN_YEAR_DIFFERS: "portfolios:tax_differences",
    IssueCode.UNBOOKED_ENTRY: "portfolios:transactions",
    IssueCode.UNPRICED_HOLDING: "portfolios:overview",
    IssueCode.PENDING_HOLDING: "portfolios:overview",
    IssueCode.UNPRICED_DAY: "portfolios:overview",
    IssueCode.STALE_PRICE: "portfolios:overview",
    IssueCode.SIMULATED_PRICE: "portfolios:overview",
}


def unmatched_legs(*, portfolio: Portfolio) -> TransactionQuerySet:
    """Return the standing transfers of which one side is not known; one's own money is from a bank and needs none."""
    rows = Transaction.objects.filter(portfolio=portfolio).standing().loose().exclude(asset=portfolio.currency)
    return rows.exclude(Q(match__isnull=False) | Q(arrival__isnull=False))


def balances_that_differ(*, portfolio: Portfolio) -> int:
    """Count the balances that venues tell otherwise than the ledger."""
    told = ObservedBalance.objects.filter(portfolio=portfolio)
    observed = {(name, asset): amount for name, asset, amount in told.values_list("account__name", "asset", "amount")}
    if not observed:
        return 0
    booked: dict[tuple[str, str], Decimal] = {}
    for asset, accounts in Holding.objects.filter(portfolio=portfolio).values_list("asset", "accounts"):
        booked |= {(name, asset): Decimal(amount) for name, amount in accounts.items()}
    asked = {name for name, _asset in observed}
    places = observed.keys() | {place for place in booked if place[0] in asked}
    return sum(observed.get(place, 0) != booked.get(place, 0) for place in places)


def completeness_of(*, portfolio: Portfolio, result: BookedResult, remarks: Iterable[Issue] = ()) -> Completeness:
    """Return how complete the figures of a booked ledger are; remarks are what was found in prices."""
    values = open_values(portfolio=portfolio)
    issues = [
        *(Issue(IssueCode(code), count) for code, count in result.totals.get("issues", [])),
        Issue(IssueCode.UNMATCHED_TRANSFER, unmatched_legs(portfolio=portfolio).count()),
        Issue(IssueCode.SYNC_GAP, SourceGap.objects.filter(portfolio=portfolio, closed_at=None).count()),
        Issue(IssueCode.BALANCE_DIFFERS, balances_that_differ(portfolio=portfolio)),
        Issue(IssueCode.PENDING_ENTRY, values.pending),
        Issue(IssueCode.UNPRICED_ENTRY, values.unpriced),
        frozen_issue(portfolio=portfolio, result=result),
        *remarks,
    ]
    held = Holding.objects.filter(portfolio=portfolio).count()
    return completeness(issues, facts=result.entries + held)


def completeness_row(*, found: Completeness) -> dict[str, Any]:
    """Return it as the answers have it, each issue with the address of its repair."""
    return {
        "score": plain(found.score),
        "issues": [issue_row(issue=issue) for issue in found.issues],
    }


def issue_row(*, issue: Issue) -> dict[str, Any]:
    """Return one issue as the answers have it."""
    return {
        "code": issue.code.value,
        "count": issue.count,
        "amount": None if issue.amount is None else plain(issue.amount),
        "link": reverse(_REPAIRS[issue.code]),
    }


def holding_issues(*, states: Iterable[str], stale: int, simulated: bool) -> list[Issue]:
    """Return what is missing of the prices of holdings."""
    counted = list(states)
    return [
        Issue(IssueCode.PENDING_HOLDING, counted.count(ValueState.PENDING)),
        Issue(IssueCode.UNPRICED_HOLDING, counted.count(ValueState.UNPRICED)),
        Issue(IssueCode.STALE_PRICE, stale),
        Issue(IssueCode.SIMULATED_PRICE, counted.count(ValueState.PRICED) if simulated else 0),
    ]
