"""A tax year: disposals with their lots, income by kind, sums by term, and the same as files."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from apps.core import money
from apps.portfolios.models import BookedPart, Portfolio
from apps.portfolios.queries.holding_pages import DisposalRow, disposal_of

NOTHING: Final = Decimal(0)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_GENERIC: Final = (
    *("date", "kind", "asset", "account", "amount", "proceeds", "cost_basis", "gain", "term", "missing", "transaction"),
)
_FORM_8949: Final = (
    "Term",
    "Description of property",
    "Date acquired",
    "Date sold or disposed of",
    "Proceeds",
    "Cost or other basis",
    "Code",
    "Adjustment",
    "Gain or (loss)",
)


@dataclass(frozen=True, slots=True)
class IncomeRow:
    """One income of the year."""

    tx: str
    kind: str
    asset: str
    account: str
    at: datetime
    amount: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class AssetSum:
    """What one asset brought in the year."""

    asset: str
    count: int
    proceeds: Decimal
    cost: Decimal
    gain: Decimal


@dataclass(frozen=True, slots=True)
class TaxYear:
    """One year as booked; a disposal whose purchase is missing counts with a cost of nothing."""

    year: int
    years: tuple[int, ...]
    disposals: tuple[DisposalRow, ...]
    income: tuple[IncomeRow, ...]
    income_by_kind: tuple[tuple[str, int, Decimal], ...]
    by_asset: tuple[AssetSum, ...]
    realised: Decimal
    short: Decimal
    long: Decimal
    income_total: Decimal
    fees: Decimal
    input_hash: str
    booked_at: datetime

    @property
    def proceeds(self) -> Decimal:
        """Return what all disposals brought."""
        return sum((row.proceeds for row in self.disposals), NOTHING)

    @property
    def cost(self) -> Decimal:
        """Return what the disposed coins had cost."""
        return sum((row.cost for row in self.disposals), NOTHING)

    @property
    def short_of_history(self) -> tuple[DisposalRow, ...]:
        """Return the disposals for which a purchase is missing."""
        return tuple(row for row in self.disposals if row.missing)


def booked_years(*, portfolio: Portfolio) -> tuple[int, ...]:
    """Return the years in which anything was disposed of or earned, newest first."""
    parts = BookedPart.objects.filter(result__portfolio=portfolio, result__is_own=True)
    names = parts.values_list("name", flat=True)
    return tuple(sorted({int(name) for name in names if name.isdigit()}, reverse=True))


def tax_year(*, portfolio: Portfolio, booked: Mapping[str, Any], year: int) -> TaxYear:
    """Return one year of a booked ledger as its page shows it."""
    disposals = tuple(disposal_of(row=row) for row in booked["disposals"])
    income = tuple(_income(booked["income"]))
    return TaxYear(
        year=year,
        years=booked_years(portfolio=portfolio),
        disposals=disposals,
        income=income,
        income_by_kind=tuple(_by_kind(income)),
        by_asset=tuple(_by_asset(disposals)),
        realised=Decimal(booked["realised_total"]),
        short=Decimal(booked["realised_short"]),
        long=Decimal(booked["realised_long"]),
        income_total=Decimal(booked["income_total"]),
        fees=Decimal(booked["fees_total"]),
        input_hash=booked["input_hash"],
        booked_at=datetime.fromisoformat(booked["booked_at"]),
    )


# --- Files ------------------------------------------------------------------------------------------------------------
def disposals_csv(*, page: TaxYear) -> str:
    """Return the year's disposals as rows of a file, exact, one per disposal."""
    rows = (
        (
            row.at.date().isoformat(),
            row.kind,
            row.asset,
            row.account or "",
            money.plain(row.amount),
            money.plain(row.proceeds),
            money.plain(row.cost),
            money.plain(row.gain),
            row.term,
            money.plain(row.missing),
            row.tx,
        )
        for row in page.disposals
    )
    return _csv(_GENERIC, rows)


def form_8949_csv(*, page: TaxYear) -> str:
    """Return the year's disposals in the columns of Form 8949: one row per lot, rounded to cents, short term first."""
    rows = sorted(row for disposal in page.disposals for row in _lots_8949(disposal))
    return _csv(_FORM_8949, ((row[0].removeprefix("2 ").removeprefix("1 "), *row[1:]) for row in rows))


def income_csv(*, page: TaxYear) -> str:
    """Return the year's income as rows of a file."""
    rows = (
        (
            row.at.date().isoformat(),
            row.kind,
            row.asset,
            row.account,
            money.plain(row.amount),
            money.plain(row.value),
            row.tx,
        )
        for row in page.income
    )
    return _csv(("date", "kind", "asset", "account", "amount", "value", "transaction"), rows)


def _lots_8949(row: DisposalRow) -> Iterator[tuple[str, ...]]:
    """Yield a row per lot; proceeds are shared by amount, and the last lot takes what rounding left."""
    parts: list[tuple[str, str, Decimal, Decimal]] = [
        (piece.term, f"{piece.acquired_at:%m/%d/%Y}" if piece.acquired_at else "", piece.amount, piece.cost)
        for piece in row.pieces
    ]
    if row.missing or not parts:
        parts.append((row.term or "short", "VARIOUS", row.missing or row.amount, NOTHING if row.pieces else row.cost))
    left = row.proceeds
    for place, (term, acquired, amount, cost) in enumerate(parts, start=1):
        share = left if place == len(parts) else money.divide(row.proceeds * amount, row.amount or Decimal(1))
        left -= share
        yield (
            "2 Long" if term == "long" else "1 Short",
            f"{money.plain(amount)} {row.asset}",
            acquired,
            f"{row.at:%m/%d/%Y}",
            _cents(share),
            _cents(cost),
            "",
            "",
            _cents(share - cost),
        )


def _cents(number: Decimal) -> str:
    return f"{money.rounded(number, digits=2):f}"


def _csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write rows for a spreadsheet; a text that one would take for a formula is quoted as text."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
    return file.getvalue()


def _harmless(cell: str) -> str:
    if not cell.startswith(_FORMULA):
        return cell
    return cell if cell.lstrip("-").replace(".", "", 1).isdigit() else f"'{cell}"


# --- Sums -------------------------------------------------------------------------------------------------------------
def _income(rows: Iterable[Mapping[str, str]]) -> Iterator[IncomeRow]:
    for row in rows:
        yield IncomeRow(
            tx=row["tx"],
            kind=row["kind"] or "other",
            asset=row["asset"],
            account=row["account"],
            at=datetime.fromisoformat(row["ts"]),
            amount=Decimal(row["amount"]),
            value=Decimal(row["value"]),
        )


def _by_kind(rows: Iterable[IncomeRow]) -> list[tuple[str, int, Decimal]]:
    sums: dict[str, tuple[int, Decimal]] = {}
    for row in rows:
        count, value = sums.get(row.kind, (0, NOTHING))
        sums[row.kind] = (count + 1, value + row.value)
    return sorted(((kind, count, value) for kind, (count, value) in sums.items()), key=lambda part: -part[2])


def _by_asset(rows: Iterable[DisposalRow]) -> list[AssetSum]:
    sums: dict[str, AssetSum] = {}
    for row in rows:
        one = sums.get(row.asset, AssetSum(row.asset, 0, NOTHING, NOTHING, NOTHING))
        sums[row.asset] = AssetSum(
            row.asset, one.count + 1, one.proceeds + row.proceeds, one.cost + row.cost, one.gain + row.gain
        )
    return sorted(sums.values(), key=lambda one: -abs(one.gain))
