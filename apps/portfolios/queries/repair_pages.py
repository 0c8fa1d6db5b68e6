"""What would make the figures exact: everything that is missing, each with what mends it, the dearest first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from apps.core import money
from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.models import Holding, Portfolio, PortfolioValue, Transaction, Valuation, ValueState
from apps.portfolios.queries.completeness import unmatched_legs
from apps.portfolios.queries.holding_pages import is_id

MOST_SHOWN: Final = 100
NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class State:
    """How complete the figures are, and how many things of each kind are missing."""

    score: Decimal
    counts: Mapping[str, int]

    @property
    def issues(self) -> int:
        """Count what lowers the score."""
        return sum(count for code, count in self.counts.items() if code != "simulated_price")


@dataclass(frozen=True, slots=True)
class MissingPurchase:
    """A disposal or a transfer that found too little of a coin."""

    asset: str
    account: str
    missing: Decimal
    worth: Decimal | None
    entry: Transaction | None


@dataclass(frozen=True, slots=True)
class NegativeBalance:
    """An account that gave more of a coin than it ever had."""

    asset: str
    account: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """A transfer of which one side is not known, and what it is worth today."""

    entry: Transaction
    worth: Decimal | None


@dataclass(frozen=True, slots=True)
class RepairPage:
    """All that is missing of a portfolio's figures."""

    state: State
    purchases: tuple[MissingPurchase, ...]
    negatives: tuple[NegativeBalance, ...]
    legs: tuple[OpenLeg, ...]
    unpriced: tuple[Transaction, ...]
    holdings: tuple[Holding, ...]

    @property
    def is_clear(self) -> bool:
        """Tell whether nothing is to be mended."""
        return not (self.purchases or self.negatives or self.legs or self.unpriced or self.holdings)


def state_of(*, portfolio: Portfolio) -> State | None:
    """Return how complete a portfolio's figures are, nothing before they were ever made."""
    found = PortfolioValue.objects.filter(portfolio=portfolio).values_list("completeness", flat=True).first()
    return None if not found else state_from(found=found)


def state_from(*, found: Mapping[str, Any]) -> State:
    """Return a completeness as the pages show it."""
    return State(Decimal(found["score"]), {issue["code"]: issue["count"] for issue in found["issues"]})


def repair_page(*, portfolio: Portfolio, booked: Mapping[str, Any]) -> RepairPage:
    """Return what is missing of a booked ledger and what mends it."""
    held = list(Holding.objects.filter(portfolio=portfolio))
    prices = {row.asset: Decimal(row.price) for row in held if row.price is not None}
    values = Valuation.objects.filter(portfolio=portfolio).exclude(state=ValueState.PRICED)
    related = ("account", "from_account", "to_account", "valuation")
    waiting = Transaction.objects.filter(portfolio=portfolio, pk__in=values.values("pk")).standing()
    legs = list(unmatched_legs(portfolio=portfolio).select_related(*related).newest_first()[:MOST_SHOWN])
    unpriced = list(waiting.select_related(*related).newest_first()[:MOST_SHOWN])
    for row in (*legs, *unpriced):
        row.portfolio = portfolio
    return RepairPage(
        state=state_from(found=booked["completeness"]),
        purchases=tuple(_by_worth(_purchases(booked["missing"], prices, portfolio))),
        negatives=tuple(_negatives(held)),
        legs=tuple(_by_worth(OpenLeg(leg, _worth(prices, leg.asset, leg.amount)) for leg in legs)),
        unpriced=tuple(unpriced),
        holdings=tuple(row for row in held if row.price_state == ValueState.UNPRICED and Decimal(row.amount)),
    )


def _purchases(
    rows: Iterable[Mapping[str, str]], prices: Mapping[str, Decimal], portfolio: Portfolio
) -> Iterable[MissingPurchase]:
    rows = list(rows)[:MOST_SHOWN]
    ids = {row["tx"].split(":", 1)[0] for row in rows}
    found = Transaction.objects.filter(portfolio=portfolio, pk__in=[one for one in ids if is_id(text=one)])
    entries = {str(entry.pk): entry for entry in found.select_related("account", "from_account", "to_account")}
    for row in rows:
        missing, entry = Decimal(row["missing"]), entries.get(row["tx"].split(":", 1)[0])
        if entry is not None and entry.type == EntryType.TRANSFER and entry.from_account_id is None:
            continue  # a deposit from outside stands among the transfers without a partner
        yield MissingPurchase(
            asset=row["asset"],
            account=row["account"] or "",
            missing=missing,
            worth=_worth(prices, row["asset"], missing),
            entry=entry,
        )


def _negatives(held: Iterable[Holding]) -> Iterable[NegativeBalance]:
    for row in held:
        for account, amount in row.accounts.items():
            if Decimal(amount) < 0:
                yield NegativeBalance(row.asset, account, Decimal(amount))


def _worth(prices: Mapping[str, Decimal], asset: str, amount: Decimal | None) -> Decimal | None:
    return money.multiply(amount, prices[asset]) if amount is not None and asset in prices else None


_Row = TypeVar("_Row", MissingPurchase, OpenLeg)


def _by_worth(rows: Iterable[_Row]) -> list[_Row]:
    return sorted(rows, key=lambda row: -(row.worth or NOTHING))
