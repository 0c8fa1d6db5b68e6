"""One asset of a portfolio: its lots, what was sold of them, and where the figures come from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db.models import Case, Count, F, Min, Q, Sum, When
from django.db.models.functions import Coalesce

from apps.core import money
from apps.core.models import AmountField
from apps.markets.models import Asset
from apps.portfolios.domain.policy import Fees, Policy
from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.models import Holding, Portfolio, Transaction
from apps.portfolios.queries.ledger import naming
from apps.portfolios.queries.overview_pages import HoldingRow, OverviewPage

NOTHING: Final = Decimal(0)
MOST_DISPOSALS: Final = 60
MOST_LOTS: Final = 100
MOST_NAMED: Final = 6
#: Lots of one disposal that stand on a page, as its template cuts them.
PIECES_SHOWN: Final = 40


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
    def more_pieces(self) -> int:
        """Count the lots behind those that a page shows."""
        return max(0, len(self.pieces) - PIECES_SHOWN)

    @property
    def entry(self) -> str:
        """Return the id of the transaction behind it; a fee is named after its transaction."""
        found = self.tx.split(":", 1)[0]
        return found if is_id(text=found) else ""


@dataclass(frozen=True, slots=True)
class AssetBooking:
    """What a booking says of one asset: its newest disposals, as many lots as a page bears, and sums over all."""

    lots: tuple[Mapping[str, Any], ...]
    more_lots: int
    more_amount: Decimal
    more_cost: Decimal
    disposals: tuple[Mapping[str, Any], ...]
    more_disposals: int
    realised: Decimal
    income: Decimal
    missing: Decimal


@dataclass(frozen=True, slots=True)
class HoldingPage:
    """What the page of one asset shows."""

    asset: str
    row: HoldingRow | None
    booked: AssetBooking
    lots: tuple[LotRow, ...]
    disposals: tuple[DisposalRow, ...]
    fees: Decimal
    fees_inside: bool
    first_at: datetime | None
    entries: int

    @property
    def rest(self) -> Decimal:
        """Return what the asset made besides what its price would bring now."""
        beside = NOTHING if self.fees_inside else self.fees
        return self.booked.realised + self.booked.income - beside

    @property
    def made(self) -> Decimal | None:
        """Return what the asset made in all; nothing where it has no price."""
        unrealised = NOTHING if self.row is None else self.row.unrealised
        return None if unrealised is None else self.rest + unrealised


def asset_booking(*, booked: Mapping[str, Any], asset: str, lots: int = MOST_LOTS) -> AssetBooking:
    """Return what a booking says of one asset, with at most so many lots."""
    disposals = [one for one in booked["disposals"] if one["asset"] == asset]
    open_lots = [one for one in booked["remaining_lots"] if one["asset"] == asset]
    return AssetBooking(
        lots=tuple(open_lots[:lots]),
        more_lots=max(0, len(open_lots) - lots),
        more_amount=_sum(open_lots[lots:], "amount"),
        more_cost=_sum(open_lots[lots:], "cost_basis"),
        disposals=tuple(disposals[::-1][:MOST_DISPOSALS]),
        more_disposals=max(0, len(disposals) - MOST_DISPOSALS),
        realised=_sum(disposals, "gain"),
        income=_sum((one for one in booked["income"] if one["asset"] == asset), "value"),
        missing=_sum((one for one in booked["missing"] if one["asset"] == asset), "missing"),
    )


def holding_page(
    *, portfolio: Portfolio, page: OverviewPage, booked: AssetBooking, asset: str, policy: Policy, now: datetime
) -> HoldingPage | None:
    """Return what the page of one asset shows, or nothing where the ledger never named it."""
    named = Transaction.objects.filter(portfolio=portfolio).standing().filter(naming(assets=(asset,)))
    found = named.order_by().aggregate(count=Count("pk"), first=Min("at"))
    if not found["count"]:
        return None
    row = next((one for one in (*page.rows, *page.dust) if one.asset == asset), None)
    price = row.price if row else None
    return HoldingPage(
        asset=asset,
        row=row,
        booked=booked,
        lots=tuple(_lot(one, price, policy, now) for one in booked.lots),
        disposals=tuple(disposal_of(row=one) for one in booked.disposals),
        fees=_fees(portfolio, asset),
        fees_inside=policy.fees is Fees.BASIS,
        first_at=found["first"],
        entries=found["count"],
    )


def holdings_named(*, portfolio: Portfolio, words: str) -> list[tuple[str, str]]:
    """Return the assets that a portfolio holds or held and that words mean, each with its title; the closest first."""
    wanted = words.strip().lower().replace("\0", "")
    if not wanted:
        return []
    codes = list(Holding.objects.filter(portfolio=portfolio).values_list("asset", flat=True))
    titles = dict(Asset.objects.filter(symbol__in=codes).exclude(name="").values_list("symbol", "name"))
    named = [(code, titles.get(code, code)) for code in codes]
    found = [one for one in named if wanted in one[0].lower() or wanted in one[1].lower()]
    found.sort(key=lambda one: (one[0].lower() != wanted, not one[0].lower().startswith(wanted), one[0]))
    return found[:MOST_NAMED]


def _fees(portfolio: Portfolio, asset: str) -> Decimal:
    """Return what was paid in fees where the asset was bought, sold or moved, as far as that is known."""
    rows = Transaction.objects.filter(portfolio=portfolio).standing()
    rows = rows.filter(Q(asset=asset) | Q(in_asset=asset) | Q(out_asset=asset)).order_by()
    own = ("", portfolio.currency)
    told = Coalesce("fee_value", "valuation__fee_value", Decimal(0), output_field=AmountField())
    in_money = Q(fee__isnull=False, fee_asset__in=own, quote__in=own)
    beside = Case(When(in_money, then=F("fee")), default=told, output_field=AmountField())
    alone = Coalesce("value", F("amount") * F("price"), "valuation__value", Decimal(0), output_field=AmountField())
    worth = Case(When(type=EntryType.FEE.value, then=alone), default=beside, output_field=AmountField())
    return rows.aggregate(all=Sum(worth, output_field=AmountField()))["all"] or NOTHING


def _sum(rows: Iterable[Mapping[str, Any]], name: str) -> Decimal:
    return sum((Decimal(one[name]) for one in rows), NOTHING)


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
