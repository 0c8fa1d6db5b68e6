"""A sale that is not made, as its page shows it: by method, with the lots that each would use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from apps.core import money
from apps.portfolios.domain.policy import Method, Policy
from apps.portfolios.domain.selling import SaleNote, SaleOutcome, UsedLot
from apps.portfolios.domain.transactions import moment
from apps.portfolios.models import Holding, Portfolio
from apps.portfolios.queries.holding_pages import is_id

MOST_LOTS: Final = 50


@dataclass(frozen=True, slots=True)
class SaleAnswer:
    """What selling would come to by each method, one's own first, and the terms of the sale."""

    asset: str
    account: str | None
    accounts: tuple[str, ...]
    amount: Decimal
    held: Decimal
    price: Decimal
    price_source: str
    price_at: datetime | None
    fee: Decimal
    proceeds: Decimal
    policy: Policy
    outcomes: tuple[SaleOutcome, ...]


@dataclass(frozen=True, slots=True)
class SaleLot:
    """A lot that would be used."""

    lot: str
    at: datetime
    amount: Decimal
    cost: Decimal
    term: str
    days_left: int

    @property
    def unit_cost(self) -> Decimal | None:
        """Return what one of it cost."""
        return money.divide(self.cost, self.amount) if self.amount else None

    @property
    def is_link(self) -> bool:
        """Tell whether the lot is named after a transaction of the ledger."""
        return is_id(text=self.lot)


@dataclass(frozen=True, slots=True)
class SaleRow:
    """What one method makes of the sale."""

    method: Method
    is_own: bool
    proceeds: Decimal
    cost: Decimal
    gain: Decimal
    short: Decimal | None
    long: Decimal | None
    days_left: int | None
    lots: tuple[SaleLot, ...]
    more_lots: int
    notes: tuple[SaleNote, ...]


@dataclass(frozen=True, slots=True)
class SalePage:
    """The sale, and every method's word on it, one's own first."""

    answer: SaleAnswer
    rows: tuple[SaleRow, ...]

    @property
    def own(self) -> SaleRow:
        """Return what one's own rules make of it."""
        return self.rows[0]

    @property
    def best(self) -> SaleRow:
        """Return the method with the least gain."""
        return min(self.rows, key=lambda row: row.gain)


@dataclass(frozen=True, slots=True)
class Sellable:
    """An asset that is held, how much of it, where, and at which price."""

    asset: str
    amount: Decimal
    price: Decimal | None
    accounts: Mapping[str, str]


def assets_to_sell(*, portfolio: Portfolio) -> tuple[Sellable, ...]:
    """Return the assets of which something is held, by name."""
    rows = Holding.objects.filter(portfolio=portfolio).order_by("asset")
    found = rows.values_list("asset", "amount", "price", "accounts")
    return tuple(
        Sellable(asset, Decimal(amount), None if price is None else Decimal(price), accounts)
        for asset, amount, price, accounts in found
        if Decimal(amount) > 0
    )


def sale_page(*, answer: SaleAnswer) -> SalePage:
    """Return a sale as its page shows it."""
    return SalePage(answer, tuple(_row(one) for one in answer.outcomes))


def _row(one: SaleOutcome) -> SaleRow:
    return SaleRow(
        method=one.method,
        is_own=one.is_own,
        proceeds=money.from_scaled(one.proceeds),
        cost=money.from_scaled(one.cost),
        gain=money.from_scaled(one.gain),
        short=None if one.short is None else money.from_scaled(one.short),
        long=None if one.long is None else money.from_scaled(one.long),
        days_left=one.days_left,
        lots=tuple(_lot(lot) for lot in one.lots[:MOST_LOTS]),
        more_lots=max(0, len(one.lots) - MOST_LOTS),
        notes=one.notes,
    )


def _lot(lot: UsedLot) -> SaleLot:
    return SaleLot(
        lot=lot.lot,
        at=moment(lot.at_us),
        amount=money.from_scaled(lot.amount),
        cost=money.from_scaled(lot.cost),
        term=lot.term.value,
        days_left=lot.days_left,
    )
