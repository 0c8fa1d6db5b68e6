"""One asset of a portfolio: its lots, what was sold of them, and where the figures come from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from apps.core import money
from apps.portfolios.domain.policy import Policy
from apps.portfolios.models import Portfolio, Transaction
from apps.portfolios.queries.overview_pages import HoldingRow, OverviewPage

NOTHING: Final = Decimal(0)
MOST_DISPOSALS: Final = 200


@dataclass(frozen=True, slots=True)
class LotRow:
    """What is left of one purchase, or of a pool, which has no date."""

    lot: str | None
    account: str | None
    amount: Decimal
    cost: Decimal
    acquired_at: datetime | None
    value: Decimal | None
    days_left: int | None

    @property
    def unrealised(self) -> Decimal | None:
        """Return what selling it now would gain, without fees."""
        return None if self.value is None else self.value - self.cost

    @property
    def unit_cost(self) -> Decimal | None:
        """Return what one of it cost."""
        return money.divide(self.cost, self.amount) if self.amount else None

    @property
    def is_link(self) -> bool:
        """Tell whether the lot is named after a transaction of the ledger."""
        return is_id(text=self.lot)


@dataclass(frozen=True, slots=True)
class PieceRow:
    """A lot, or a part of one, that a disposal used."""

    lot: str
    amount: Decimal
    cost: Decimal
    acquired_at: datetime | None
    term: str


@dataclass(frozen=True, slots=True)
class DisposalRow:
    """One disposal with the lots it used."""

    tx: str
    kind: str
    asset: str
    account: str | None
    at: datetime
    amount: Decimal
    proceeds: Decimal
    cost: Decimal
    gain: Decimal
    term: str
    missing: Decimal
    pieces: tuple[PieceRow, ...]
    matches: tuple[Mapping[str, str], ...]

    @property
    def parts(self) -> int:
        """Count the lots and matches it used."""
        return len(self.pieces) + len(self.matches)

    @property
    def entry(self) -> str:
        """Return the id of the transaction behind it; a fee is named after its transaction."""
        found = self.tx.split(":", 1)[0]
        return found if is_id(text=found) else ""


@dataclass(frozen=True, slots=True)
class HoldingPage:
    """What the page of one asset shows."""

    asset: str
    row: HoldingRow | None
    lots: tuple[LotRow, ...]
    disposals: tuple[DisposalRow, ...]
    more_disposals: int
    realised: Decimal
    missing: Decimal
    first_at: datetime | None
    entries: int


def holding_page(
    *, portfolio: Portfolio, page: OverviewPage, booked: Mapping[str, Any], asset: str, policy: Policy, now: datetime
) -> HoldingPage | None:
    """Return what the page of one asset shows, or nothing where the ledger never named it."""
    rows = Transaction.objects.filter(portfolio=portfolio).standing().filter(_names(asset))
    if not rows.exists():
        return None
    row = next((one for one in (*page.rows, *page.dust) if one.asset == asset), None)
    disposals = [disposal_of(row=one) for one in booked["disposals"] if one["asset"] == asset]
    price = row.price if row else None
    lots = [_lot(one, price, policy, now) for one in booked["remaining_lots"] if one["asset"] == asset]
    return HoldingPage(
        asset=asset,
        row=row,
        lots=tuple(lots),
        disposals=tuple(disposals[::-1][:MOST_DISPOSALS]),
        more_disposals=max(0, len(disposals) - MOST_DISPOSALS),
        realised=sum((one.gain for one in disposals), NOTHING),
        missing=sum((Decimal(one["missing"]) for one in booked["missing"] if one["asset"] == asset), NOTHING),
        first_at=rows.order_by("at").values_list("at", flat=True).first(),
        entries=rows.count(),
    )


def _names(asset: str) -> Q:
    return Q(asset=asset) | Q(in_asset=asset) | Q(out_asset=asset) | Q(fee_asset=asset)


def disposal_of(*, row: Mapping[str, Any]) -> DisposalRow:
    """Return a booked disposal as the pages show it."""
    return DisposalRow(
        tx=row["tx"],
        kind=row["kind"],
        asset=row["asset"],
        account=row["account"],
        at=_moment(row["ts"]),
        amount=Decimal(row["amount"]),
        proceeds=Decimal(row["proceeds"]),
        cost=Decimal(row["cost_basis"]),
        gain=Decimal(row["gain"]),
        term=row["term"] or "",
        missing=Decimal(row.get("missing", 0)),
        pieces=tuple(_pieces(row["lots"])),
        matches=tuple(row.get("matches", ())),
    )


def is_id(*, text: str | None) -> bool:
    """Tell whether a text is the id of a transaction."""
    try:
        return bool(text) and bool(UUID(text))
    except ValueError:
        return False


def _pieces(rows: Iterable[Mapping[str, str]]) -> Iterable[PieceRow]:
    for row in rows:
        yield PieceRow(
            lot=row["lot"],
            amount=Decimal(row["amount"]),
            cost=Decimal(row["cost_basis"]),
            acquired_at=_moment(row["acquired_at"]),
            term=row["term"],
        )


def _lot(row: Mapping[str, Any], price: Decimal | None, policy: Policy, now: datetime) -> LotRow:
    amount, acquired = Decimal(row["amount"]), row["acquired_at"]
    held_since = _moment(acquired) if acquired else None
    left = None if held_since is None else (held_since + timedelta(days=policy.long_days) - now).days
    return LotRow(
        lot=row["lot"],
        account=row["account"],
        amount=amount,
        cost=Decimal(row["cost_basis"]),
        acquired_at=held_since,
        value=None if price is None else money.multiply(amount, price),
        days_left=None if left is None else max(0, left + 1),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
