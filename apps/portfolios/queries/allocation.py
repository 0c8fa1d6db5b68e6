"""Where a portfolio's value lies: by asset, by account, by kind of asset, and how concentrated it is."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from apps.core.money import multiply
from apps.markets.models import Asset
from apps.portfolios.domain.measures import settled
from apps.portfolios.domain.measures.arithmetic import WIDE, total
from apps.portfolios.domain.valuation import concentration, shares
from apps.portfolios.models import Holding, Portfolio

UNKNOWN_KIND: Final = "crypto"
_LARGEST: Final = 5


class AllocationBy(StrEnum):
    """What the parts are."""

    ASSET = "asset"
    ACCOUNT = "account"
    KIND = "kind"


@dataclass(frozen=True, slots=True)
class AllocationPart:
    """One part; its share is of what is priced and above zero."""

    name: str
    value: Decimal
    share: Decimal | None


@dataclass(frozen=True, slots=True)
class Allocation:
    """The parts of a portfolio, largest first; `concentration` is 1 for one part alone and 1/n for n equal ones."""

    currency: str
    by: AllocationBy
    parts: tuple[AllocationPart, ...]
    total: Decimal
    concentration: Decimal | None
    largest_five: Decimal | None
    unpriced: tuple[str, ...]


def allocation(*, portfolio: Portfolio, by: AllocationBy) -> Allocation:
    """Return where the value of a portfolio lies, from its holdings as they were last valued."""
    rows = list(Holding.objects.filter(portfolio=portfolio))
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for name, value in _parts(rows, by):
        sums[name] = WIDE.add(sums[name], value)
    above = {name: value for name, value in sums.items() if value > 0}
    fractions = shares(above)
    ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    return Allocation(
        currency=portfolio.currency,
        by=by,
        parts=tuple(
            AllocationPart(name, settled(value), settled(fractions[name]) if name in fractions else None)
            for name, value in ordered
            if value
        ),
        total=settled(total(sums.values())),
        concentration=None if (found := concentration(above)) is None else settled(found),
        largest_five=settled(total(list(fractions.values())[:_LARGEST])) if fractions else None,
        unpriced=tuple(sorted(row.asset for row in rows if row.price is None and Decimal(row.amount))),
    )


def _parts(rows: list[Holding], by: AllocationBy) -> Iterator[tuple[str, Decimal]]:
    priced = [row for row in rows if row.value is not None and row.price is not None]
    kinds = dict(Asset.objects.filter(symbol__in=[row.asset for row in priced]).values_list("symbol", "kind"))
    for row in priced:
        if by is AllocationBy.ACCOUNT:
            for account, amount in row.accounts.items():
                yield account, multiply(Decimal(amount), Decimal(row.price or 0))
        else:
            name = row.asset if by is AllocationBy.ASSET else kinds.get(row.asset, UNKNOWN_KIND)
            yield name, Decimal(row.value or 0)
