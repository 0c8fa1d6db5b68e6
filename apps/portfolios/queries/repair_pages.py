"""What would make the figures exact: everything that is missing, each with what mends it, the dearest first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from apps.core import money
from apps.portfolios.models import (
    Holding,
    Portfolio,
    PortfolioValue,
    Transaction,
    TransactionQuerySet,
    Valuation,
    ValueState,
)
from apps.portfolios.queries.completeness import unmatched_legs
from apps.portfolios.queries.holding_pages import is_id
from apps.portfolios.queries.parts import Part, number_within, part_of

#: So many things of a kind stand on one page.
MOST_SHOWN: Final = 50
#: The lists that may be longer than a page.
REPAIR_PARTS: Final = ("balances", "purchases", "legs", "unpriced")
NOTHING: Final = Decimal(0)
_RELATED: Final = ("account", "from_account", "to_account", "valuation")


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

    purchases: Part[MissingPurchase]
    negatives: tuple[NegativeBalance, ...]
    legs: Part[OpenLeg]
    unpriced: Part[Transaction]
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


def repair_page(*, portfolio: Portfolio, missing: Sequence[Mapping[str, str]], asked: Mapping[str, int]) -> RepairPage:
    """Return what is missing of a booked ledger and what mends it, of each long list the part that is asked for."""
    held = list(Holding.objects.filter(portfolio=portfolio))
    prices = {row.asset: Decimal(row.price) for row in held if row.price is not None}
    waiting = Valuation.objects.filter(portfolio=portfolio).exclude(state=ValueState.PRICED).values("pk")
    legs = _part(portfolio, unmatched_legs(portfolio=portfolio), asked["legs"])
    return RepairPage(
        purchases=_purchases(portfolio, missing, prices, asked["purchases"]),
        negatives=tuple(_negatives(held)),
        legs=legs.of(_by_worth(OpenLeg(leg, _worth(prices, leg.asset, leg.amount)) for leg in legs)),
        unpriced=_part(portfolio, Transaction.objects.filter(pk__in=waiting), asked["unpriced"]),
        holdings=tuple(row for row in held if row.price_state == ValueState.UNPRICED and Decimal(row.amount)),
    )


def _part(portfolio: Portfolio, rows: TransactionQuerySet, number: int) -> Part[Transaction]:
    """Return one part of a portfolio's standing transactions, newest first."""
    rows = rows.filter(portfolio=portfolio).standing()
    total = rows.order_by().count()
    number = number_within(number=number, total=total, length=MOST_SHOWN)
    start = (number - 1) * MOST_SHOWN
    found = rows.select_related(*_RELATED).newest_first()[start : start + MOST_SHOWN] if total else ()
    shown = Part(tuple(found), number, total, MOST_SHOWN)
    for row in shown:
        row.portfolio = portfolio
    return shown


def _purchases(
    portfolio: Portfolio, missing: Sequence[Mapping[str, str]], prices: Mapping[str, Decimal], number: int
) -> Part[MissingPurchase]:
    """Return one part of what had no purchase, the dearest of all first.

    A deposit from outside that found too little stands among the transfers without a partner.
    """
    arrivals = _arrivals(portfolio, [_entry_id(row) for row in missing])
    rows = [row for row in missing if _entry_id(row) not in arrivals]
    worths = [_worth(prices, row["asset"], Decimal(row["missing"])) for row in rows]
    order = sorted(range(len(rows)), key=lambda place: -(worths[place] or NOTHING))
    part = part_of(rows=order, number=number, length=MOST_SHOWN)
    ids = [one for place in part if is_id(text=(one := _entry_id(rows[place])))]
    found = Transaction.objects.filter(portfolio=portfolio, pk__in=ids)
    entries = {str(entry.pk): entry for entry in found.select_related("account", "from_account", "to_account")}
    return part.of(
        [
            MissingPurchase(
                asset=rows[place]["asset"],
                account=rows[place]["account"] or "",
                missing=Decimal(rows[place]["missing"]),
                worth=worths[place],
                entry=entries.get(_entry_id(rows[place])),
            )
            for place in part
        ]
    )


def _arrivals(portfolio: Portfolio, ids: Iterable[str]) -> set[str]:
    """Return which of these are deposits from outside."""
    wanted = {one for one in ids if is_id(text=one)}
    if not wanted:
        return set()
    rows = Transaction.objects.filter(portfolio=portfolio).loose().filter(from_account=None)
    return wanted & {str(pk) for pk in rows.order_by().values_list("pk", flat=True)}


def _entry_id(row: Mapping[str, str]) -> str:
    return row["tx"].split(":", 1)[0]


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
