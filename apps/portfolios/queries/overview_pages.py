"""The portfolio at a glance: every holding with its price, source and age, the sums under the total, where it lies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from apps.core import money
from apps.markets import queries as markets
from apps.markets.models import Asset
from apps.portfolios.models import Account, AccountKind, BookedResult, Holding, Portfolio

NOTHING: Final = Decimal(0)
CHAINS: Final = Decimal(1)
COLORS: Final = 6


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
    is_booking: bool
    has_entries: bool
    oldest: datetime | None

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
    held = list(Holding.objects.filter(portfolio=portfolio))
    rows = sorted(_rows(held, portfolio, now), key=lambda row: (row.value is None, -(row.value or NOTHING), row.asset))
    priced = [row for row in rows if row.value is not None]
    booked = BookedResult.objects.filter(portfolio=portfolio, is_own=True).only("totals", "entries").first()
    kinds = dict(Account.objects.filter(portfolio=portfolio).values_list("name", "kind"))
    return OverviewPage(
        rows=tuple(row for row in rows if row.amount),
        dust=tuple(row for row in rows if not row.amount),
        total=sum((row.value for row in priced if row.value is not None), NOTHING),
        cost=sum((row.cost for row in priced), NOTHING),
        cost_unpriced=sum((row.cost for row in rows if row.value is None), NOTHING),
        unpriced=sum(row.price_state == "unpriced" and row.amount != 0 for row in rows),
        pending=sum(row.price_state == "pending" and row.amount != 0 for row in rows),
        totals=_totals(booked),
        by_account=_slices(_by_account(priced, kinds)),
        by_kind=_slices((row.kind, row.value or NOTHING) for row in priced),
        is_booking=portfolio.version != portfolio.booked_version,
        has_entries=portfolio.version > 0,
        oldest=min((row.price_at for row in priced if row.price_at and row.asset != portfolio.currency), default=None),
    )


def _rows(held: Iterable[Holding], portfolio: Portfolio, now: datetime) -> Iterable[HoldingRow]:
    held = list(held)
    codes = [row.asset for row in held]
    names = {asset.symbol: asset for asset in Asset.objects.filter(symbol__in=codes)}
    found = markets.rates(sources=codes, target=portfolio.currency, now=now) if codes else {}
    first = {code: rate.path[0].instrument for code, rate in found.items() if rate.path}
    prices = markets.latest_prices(instruments=set(first.values())) if first else {}
    for row in held:
        rate, known = found[row.asset], names.get(row.asset)
        ticker = prices.get(first.get(row.asset, ""))
        yield HoldingRow(
            asset=row.asset,
            title=known.name if known and known.name else row.asset,
            kind=known.kind if known else "",
            amount=Decimal(row.amount),
            cost=Decimal(row.cost_basis),
            price=_number(row.price),
            price_state=row.price_state,
            price_source=row.price_source,
            price_at=row.price_at,
            value=_number(row.value),
            accounts=row.accounts,
            path=",".join(f"{'-' if step.inverse else ''}{step.instrument}" for step in rate.path),
            change_24h=_number(ticker.change_24h) if ticker else None,
        )


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _totals(booked: BookedResult | None) -> Mapping[str, Decimal]:
    if booked is None:
        return {}
    return {name: Decimal(text) for name, text in booked.totals.items() if isinstance(text, str)}


def _by_account(rows: Iterable[HoldingRow], kinds: Mapping[str, str]) -> Iterable[tuple[str, Decimal]]:
    for row in rows:
        for account, amount in row.accounts.items():
            if row.price is not None and (account in kinds or kinds.get(account) != AccountKind.WALLET):
                yield account, money.multiply(Decimal(amount), row.price)


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
