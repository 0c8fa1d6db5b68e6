"""A tax year as files: disposals and income exactly, the columns of Form 8949, what was held at its end."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from apps.core import money
from apps.portfolios.queries.holding_pages import DisposalRow
from apps.portfolios.queries.tax_pages import TaxYear

NOTHING: Final = Decimal(0)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_DISPOSALS: Final = (
    *("date", "kind", "asset", "account", "amount", "proceeds", "cost_basis", "gain", "term", "missing", "transaction"),
)
_LOTS: Final = (
    *("date", "kind", "asset", "account", "acquired", "rule", "amount", "cost_basis", "term", "lot", "transaction"),
)
_INCOME: Final = ("date", "kind", "asset", "account", "amount", "value", "transaction")
_HOLDINGS: Final = ("asset", "amount", "cost_basis", "price", "price_state", "price_source", "value")
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
_TERMS: Final = ("Short", "Long", "")


def disposals_csv(*, page: TaxYear) -> str:
    """Return the year's disposals as rows of a file, exact, one per disposal."""
    rows = (
        (
            *_head(row),
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
    return _csv(_DISPOSALS, rows)


def lots_csv(*, page: TaxYear) -> str:
    """Return the lots, or the matches, that the year's disposals used, one per row."""
    return _csv(_LOTS, (cells for row in page.disposals for cells in _used(row)))


def form_8949_csv(*, page: TaxYear) -> str:
    """Return the year's disposals in the columns of Form 8949: a row per lot, in cents, short term first, by date."""
    rows = [(row.at, cells) for row in page.disposals for cells in _lots_8949(row)]
    ordered = sorted(rows, key=lambda one: (_TERMS.index(one[1][0]), one[0]))
    return _csv(_FORM_8949, (cells for _at, cells in ordered))


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
    return _csv(_INCOME, rows)


def holdings_csv(*, holdings: Mapping[str, Any]) -> str:
    """Return what was held at the end of a year, with what it had cost and what it was worth."""
    return _csv(_HOLDINGS, ([str(row[name] or "") for name in _HOLDINGS] for row in holdings["results"]))


def _head(row: DisposalRow) -> tuple[str, str, str, str]:
    return row.at.date().isoformat(), row.kind, row.asset, row.account or ""


def _used(row: DisposalRow) -> Iterator[tuple[str, ...]]:
    for piece in row.pieces:
        acquired = piece.acquired_at.date().isoformat() if piece.acquired_at else ""
        figures = (money.plain(piece.amount), money.plain(piece.cost))
        yield (*_head(row), acquired, "", *figures, piece.term, piece.lot, row.tx)
    for match in row.matches:
        figures = (match["amount"], match["cost_basis"])
        yield (*_head(row), match["date"] or "", match["rule"], *figures, "", "", row.tx)
    if row.missing:
        yield (*_head(row), "", "missing", money.plain(row.missing), "0", "short" if row.term else "", "", row.tx)


def _lots_8949(row: DisposalRow) -> Iterator[tuple[str, ...]]:
    """Yield a row per lot; proceeds are shared by amount, and the last lot takes what rounding left.

    A loss that was denied stands as an adjustment with code W. An average has no term, and one row for all of it.
    """
    parts = _parts_8949(row)
    left, denied = row.proceeds, row.gain - (row.proceeds - row.cost)
    for place, (term, acquired, amount, cost) in enumerate(parts, start=1):
        is_last = place == len(parts)
        share = left if is_last else money.divide(row.proceeds * amount, row.amount or Decimal(1))
        left -= share
        proceeds, basis = _cents(share), _cents(cost)
        adjustment = _cents(denied) if is_last else NOTHING
        yield (
            term,
            f"{money.plain(amount)} {row.asset}",
            acquired,
            _american(row.at),
            f"{proceeds:f}",
            f"{basis:f}",
            "W" if adjustment else "",
            f"{adjustment:f}" if adjustment else "",
            f"{proceeds - basis + adjustment:f}",
        )


def _parts_8949(row: DisposalRow) -> list[tuple[str, str, Decimal, Decimal]]:
    parts = [(piece.term.capitalize(), _american(piece.acquired_at), piece.amount, piece.cost) for piece in row.pieces]
    if row.missing and row.term:
        parts.append(("Short", "VARIOUS", row.missing, NOTHING))
    if not parts:
        parts.append(("Short" if row.term else "", "VARIOUS", row.amount, row.cost))
    return parts


def _american(at: datetime | None) -> str:
    return f"{at:%m/%d/%Y}" if at else "VARIOUS"


def _cents(number: Decimal) -> Decimal:
    return money.rounded(number, digits=2)


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
