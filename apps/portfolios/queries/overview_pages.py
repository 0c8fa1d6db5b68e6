"""The portfolio at a glance: every holding with its price, source and age, the sums under the total, where it lies."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from apps.core import money
from apps.core.cache import RedisOutage
from apps.markets import queries as markets
from apps.markets.models import Asset
from apps.portfolios.domain.valuation import concentration, shares
from apps.portfolios.models import Account, AccountKind, BookedResult, Holding, Portfolio
from apps.portfolios.queries.ways import ways_of

NOTHING: Final = Decimal(0)
CHAINS: Final = Decimal(1)
COLORS: Final = 6
#: So many holdings stand on the page at first; a few more are no reason to leave them out.
SHOWN: Final = 50
FEW: Final = 10
_HELD: Final = (
    *("asset", "amount", "cost_basis", "price", "price_state", "price_source", "price_at", "value"),
    "accounts",
)


@dataclass(frozen=True, slots=True)
class HoldingRow:
    """One asset of a portfolio; `path` names the instruments its price follows, each with a minus where inverted."""

    asset: str
    title: str
    kind: str
    amount: Decimal
    cost: Decimal
    price: Decimal | None
    price_state: str
    price_source: str
    price_at: datetime | None
    value: Decimal | None
    accounts: Mapping[str, str]
    path: str = ""
    change_24h: Decimal | None = None

    @property
    def unrealised(self) -> Decimal | None:
        """Return what would be gained if it were sold now, without fees."""
        return None if self.value is None else self.value - self.cost

    @property
    def gain(self) -> Decimal | None:
        """Return the unrealized gain as a fraction of the cost; nothing where there was next to no cost."""
        if self.unrealised is None or self.cost < Decimal("0.01"):
            return None
        return money.divide(self.unrealised, self.cost)

    @property
    def average_cost(self) -> Decimal | None:
        """Return what one of it cost."""
        return money.divide(self.cost, self.amount) if self.amount > 0 else None


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the whole: its name, its value, its fraction, and where its bar begins, in percent."""

    name: str
    value: Decimal
    share: Decimal
    start: Decimal
    color: str

    @property
    def width(self) -> str:
        """Return the width of its bar in percent."""
        return f"{self.share * 100:.2f}"


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the value is spread: its largest part, and over how many equal parts it would be spread as far."""

    largest: str
    share: Decimal
    equal_parts: Decimal


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """What the portfolio page says before any script runs."""

    rows: tuple[HoldingRow, ...]
    dust: tuple[HoldingRow, ...]
    total: Decimal
    cost: Decimal
    cost_unpriced: Decimal
    unpriced: int
    pending: int
    totals: Mapping[str, Decimal]
    by_account: tuple[Slice, ...]
    by_kind: tuple[Slice, ...]
    spread: Spread | None
    is_booking: bool
    has_entries: bool
    oldest: datetime | None

    @property
    def largest(self) -> tuple[HoldingRow, ...]:
        """Return the holdings that the page shows at first, by value."""
        return self.rows if len(self.rows) <= SHOWN + FEW else self.rows[:SHOWN]

    @property
    def rest(self) -> tuple[HoldingRow, ...]:
        """Return the holdings that it shows when they are asked for; every sum counts them."""
        return self.rows[len(self.largest) :]

    @property
    def is_known(self) -> bool:
        """Tell whether anything has a price, or nothing needs one."""
        return not self.rows or any(row.value is not None for row in self.rows)

    @property
    def unrealised(self) -> Decimal:
        """Return the unrealized gain of all that is priced."""
        return sum((row.unrealised for row in self.rows if row.unrealised is not None), NOTHING)

    @property
    def moved_today(self) -> Decimal | None:
        """Return by how much the prices of the last day changed the total."""
        known = [
            (row.value, row.change_24h) for row in self.rows if row.value is not None and row.change_24h is not None
        ]
        if not known:
            return None
        return sum((value - money.divide(value, CHAINS + change) for value, change in known if change > -1), NOTHING)


def overview_page(*, portfolio: Portfolio, now: datetime) -> OverviewPage:
    """Return what the page of a portfolio shows."""
    rows = sorted(_rows(portfolio, now), key=lambda row: (row.value is None, -(row.value or NOTHING), row.asset))
    priced = [row for row in rows if row.value is not None]
    booked = BookedResult.objects.filter(portfolio=portfolio, is_own=True).values_list("totals", flat=True).first()
    kinds = dict(Account.objects.filter(portfolio=portfolio).values_list("name", "kind"))
    return OverviewPage(
        rows=tuple(row for row in rows if row.amount),
        dust=tuple(row for row in rows if not row.amount),
        total=sum((row.value for row in priced if row.value is not None), NOTHING),
        cost=sum((row.cost for row in priced), NOTHING),
        cost_unpriced=sum((row.cost for row in rows if row.value is None), NOTHING),
        unpriced=sum(row.price_state == "unpriced" and row.amount != 0 for row in rows),
        pending=sum(row.price_state == "pending" and row.amount != 0 for row in rows),
        totals=_totals(booked or {}),
        by_account=_slices(_by_account(priced, kinds)),
        by_kind=_slices((row.kind, row.value or NOTHING) for row in priced),
        spread=_spread(priced),
        is_booking=portfolio.version != portfolio.booked_version,
        has_entries=portfolio.version > 0,
        oldest=min((row.price_at for row in priced if row.price_at and row.asset != portfolio.currency), default=None),
    )


def _rows(portfolio: Portfolio, now: datetime) -> Iterator[HoldingRow]:
    held = list(Holding.objects.filter(portfolio=portfolio).order_by().values_list(*_HELD))
    codes = [row[0] for row in held]
    known = Asset.objects.filter(symbol__in=codes).order_by().values_list("symbol", "name", "kind")
    names = {symbol: (name, kind) for symbol, name, kind in known}
    ways = ways_of(portfolio=portfolio, assets=codes, now=now)
    changes = _changes(ways)
    for asset, amount, cost, price, state, source, at, value, accounts in held:
        name, kind = names.get(asset, ("", ""))
        yield HoldingRow(
            asset=asset,
            title=name or asset,
            kind=kind,
            amount=Decimal(amount),
            cost=Decimal(cost),
            price=_number(price),
            price_state=state,
            price_source=source,
            price_at=at,
            value=_number(value),
            accounts=accounts,
            path=ways.get(asset, ""),
            change_24h=changes.get(asset),
        )


def _changes(ways: Mapping[str, str]) -> dict[str, Decimal]:
    """Return by what fraction the first instrument of each way changed in a day, as far as that is known."""
    first = {asset: way.split(",")[0].removeprefix("-") for asset, way in ways.items() if way}
    try:
        prices = markets.latest_prices(instruments=set(first.values()))
    except RedisOutage:
        return {}
    known = {asset: prices[name].change_24h for asset, name in first.items() if name in prices}
    return {asset: Decimal(change) for asset, change in known.items() if change is not None}


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _totals(booked: Mapping[str, object]) -> Mapping[str, Decimal]:
    return {name: Decimal(text) for name, text in booked.items() if isinstance(text, str)}


def _by_account(rows: Iterable[HoldingRow], kinds: Mapping[str, str]) -> Iterable[tuple[str, Decimal]]:
    for row in rows:
        for account, amount in row.accounts.items():
            if row.price is not None and (account in kinds or kinds.get(account) != AccountKind.WALLET):
                yield account, money.multiply(Decimal(amount), row.price)


def _spread(rows: Sequence[HoldingRow]) -> Spread | None:
    values = {row.asset: row.value for row in rows if row.value is not None and row.value > 0}
    squares = concentration(values)
    if not squares:
        return None
    largest, share = next(iter(shares(values).items()))
    return Spread(next(row.title for row in rows if row.asset == largest), share, money.divide(Decimal(1), squares))


def _slices(parts: Iterable[tuple[str, Decimal]]) -> tuple[Slice, ...]:
    """Return the parts by size, the smallest ones as one; what is below zero has no place in a bar."""
    sums: dict[str, Decimal] = {}
    for name, value in parts:
        sums[name] = sums.get(name, NOTHING) + value
    ordered = sorted(((name, value) for name, value in sums.items() if value > 0), key=lambda part: -part[1])
    shown, rest = ordered[:COLORS], ordered[COLORS:]
    if rest:
        shown.append(("", sum((value for _name, value in rest), NOTHING)))
    whole = sum((value for _name, value in shown), NOTHING)
    slices, start = [], NOTHING
    for place, (name, value) in enumerate(shown):
        part = money.divide(value, whole)
        color = str(place + 1) if place < COLORS else "o"
        slices.append(Slice(name, value, part, money.rounded(start * 100, digits=2), color))
        start += part
    return tuple(slices)
