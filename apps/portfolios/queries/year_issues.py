"""What is known to be missing of one tax year, each kind counted, with the page that mends it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse

from apps.portfolios.domain.completeness import IssueCode
from apps.portfolios.models import Portfolio, SourceGap, Transaction, ValueState
from apps.portfolios.queries.completeness import unmatched_legs
from apps.portfolios.queries.holding_pages import is_id
from apps.portfolios.queries.pricing import entries_to_value


@dataclass(frozen=True, slots=True)
class YearIssue:
    """So many of one kind in the year, and where they are mended."""

    code: IssueCode
    count: int
    link: str


def year_issues(*, portfolio: Portfolio, year: int, booked: Mapping[str, Any]) -> tuple[YearIssue, ...]:
    """Return what is missing of a year; `booked` is an answer about the ledger that names what it did not find."""
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    inside = {"at__gte": start, "at__lt": end}
    rows = Transaction.objects.filter(portfolio=portfolio, **inside).standing()
    open_rows = entries_to_value(portfolio=portfolio).filter(**inside)
    unpriced = open_rows.filter(valuation__state=ValueState.UNPRICED).count()
    gaps = SourceGap.objects.filter(portfolio=portfolio, closed_at=None, from_at__lt=end, to_at__gt=start)
    short = _ids(booked["missing"])
    unbooked = _ids(one for one in booked["errors"] if one["code"] != IssueCode.MISSING_ACQUISITION)
    repairs = reverse("portfolios:reconciliation")
    found = (
        YearIssue(IssueCode.MISSING_ACQUISITION, rows.filter(pk__in=short).count(), repairs),
        YearIssue(IssueCode.UNBOOKED_ENTRY, rows.filter(pk__in=unbooked).count(), reverse("portfolios:transactions")),
        YearIssue(
            IssueCode.UNMATCHED_TRANSFER,
            unmatched_legs(portfolio=portfolio).filter(**inside).count(),
            reverse("portfolios:transfers"),
        ),
        YearIssue(IssueCode.UNPRICED_ENTRY, unpriced, repairs),
        YearIssue(IssueCode.PENDING_ENTRY, open_rows.count() - unpriced, repairs),
        YearIssue(IssueCode.SYNC_GAP, gaps.count(), repairs),
    )
    return tuple(issue for issue in found if issue.count)


def _ids(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the transactions that rows of a result are about; a fee is named after its transaction."""
    named = {str(row["tx"]).split(":", 1)[0] for row in rows}
    return {one for one in named if is_id(text=one)}
