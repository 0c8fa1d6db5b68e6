"""A tax year as a visitor with a link sees it: with every amount, or as fractions of what things cost and brought."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from apps.core import money
from apps.portfolios.domain.measures.arithmetic import total
from apps.portfolios.queries.holding_pages import DisposalRow
from apps.portfolios.queries.shared_pages import DIGITS
from apps.portfolios.queries.tax_pages import TaxYear

#: Disposals that a page without scripts can bear; its sums count all.
MOST_SHOWN: Final = 500


@dataclass(frozen=True, slots=True)
class SharedDisposal:
    """One disposal; `row` holds its amounts and lots, in a link that shows them."""

    at: datetime
    kind: str
    asset: str
    term: str
    gain: Decimal | None
    is_missing: bool
    row: DisposalRow | None


@dataclass(frozen=True, slots=True)
class SharedAssetSum:
    """What one asset brought: its gain on its cost, and its part of all proceeds."""

    asset: str
    count: int
    gain: Decimal | None
    share: Decimal | None
    amounts: tuple[Decimal, Decimal, Decimal] | None


@dataclass(frozen=True, slots=True)
class SharedIncome:
    """One kind of income: how often, and its part of all income."""

    kind: str
    count: int
    share: Decimal | None
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class SharedTaxYear:
    """A tax year; `page` holds its sums, in a link that shows them."""

    year: int
    disposals: tuple[SharedDisposal, ...]
    assets: tuple[SharedAssetSum, ...]
    income: tuple[SharedIncome, ...]
    receipts: int
    gain: Decimal | None
    short: Decimal | None
    long: Decimal | None
    missing: int
    count: int
    frozen_at: datetime | None
    page: TaxYear | None
    currency: str

    @property
    def left_out(self) -> int:
        """Count the disposals that a page cannot bear; they are in every sum."""
        return self.count - len(self.disposals)


def shared_tax_year(*, page: TaxYear, full: bool, currency: str) -> SharedTaxYear:
    """Return the year as a link shows it; short and long are parts of the proceeds."""
    proceeds = page.proceeds
    return SharedTaxYear(
        year=page.year,
        disposals=tuple(_disposal(row, full=full) for row in page.disposals[:MOST_SHOWN]),
        assets=tuple(_assets(page, proceeds, full=full)),
        income=tuple(
            SharedIncome(kind, count, _of(value, page.income_total), value if full else None)
            for kind, count, value in page.income_by_kind
        ),
        receipts=len(page.income),
        gain=_of(page.realised, page.cost),
        short=_of(_brought(page, "short"), proceeds),
        long=_of(_brought(page, "long"), proceeds),
        missing=len(page.short_of_history),
        count=len(page.disposals),
        frozen_at=page.frozen.at if page.frozen else None,
        page=page if full else None,
        currency=currency if full else "",
    )


def _disposal(row: DisposalRow, *, full: bool) -> SharedDisposal:
    return SharedDisposal(
        at=row.at,
        kind=row.kind,
        asset=row.asset,
        term=row.term,
        gain=_of(row.gain, row.cost),
        is_missing=bool(row.missing),
        row=row if full else None,
    )


def _assets(page: TaxYear, proceeds: Decimal, *, full: bool) -> Iterator[SharedAssetSum]:
    for one in page.by_asset:
        amounts = (one.proceeds, one.cost, one.gain) if full else None
        yield SharedAssetSum(one.asset, one.count, _of(one.gain, one.cost), _of(one.proceeds, proceeds), amounts)


def _brought(page: TaxYear, term: str) -> Decimal:
    return total(Decimal(row["proceeds"]) for row in page.disposals.told if row["term"] == term)


def _of(part: Decimal, whole: Decimal) -> Decimal | None:
    """Return what fraction of the whole a part is; nothing where there is next to no whole."""
    if whole < Decimal("0.01"):
        return None
    return money.rounded(money.divide(part, whole), digits=DIGITS)
