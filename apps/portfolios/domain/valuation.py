"""What holdings are worth: amounts times prices, each priced, pending or unpriced; what is not known is none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from apps.core.money import multiply

_ZERO: Final = Decimal(0)


class PriceState(StrEnum):
    """Whether a price is known, on its way, or not to be had."""

    PRICED = "priced"
    PENDING = "pending"
    UNPRICED = "unpriced"


@dataclass(frozen=True, slots=True)
class PriceTag:
    """A price with where and when it is from; `value` is there exactly when it is priced."""

    state: PriceState
    value: Decimal | None = None
    source: str = ""
    at_ms: int | None = None

    def __post_init__(self) -> None:
        if (self.value is not None) != (self.state is PriceState.PRICED):
            raise ValueError("A price has a value exactly when it is priced.")


@dataclass(frozen=True, slots=True)
class Valued:
    """An amount of an asset with its price and its worth."""

    asset: str
    amount: Decimal
    price: PriceTag
    value: Decimal | None


def valued(amounts: Mapping[str, Decimal], prices: Mapping[str, PriceTag]) -> list[Valued]:
    """Return what each amount is worth; one without a price has no worth, and nothing of nothing is worth nothing."""
    rows = []
    for asset, amount in amounts.items():
        price = prices.get(asset, PriceTag(PriceState.UNPRICED))
        known = None if price.value is None else multiply(amount, price.value)
        rows.append(Valued(asset, amount, price, known if amount else _ZERO))
    return rows


def worth(rows: Iterable[Valued]) -> Decimal:
    """Return the sum of what is priced."""
    return sum((row.value for row in rows if row.value is not None), _ZERO)


def shares(values: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return the fraction of the whole that each value is, largest first; empty where the whole is not above zero."""
    whole = sum(values.values(), _ZERO)
    if whole <= 0:
        return {}
    ordered = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    return {name: value / whole for name, value in ordered}


def concentration(values: Mapping[str, Decimal]) -> Decimal | None:
    """Return the sum of squared shares (Herfindahl): 1 for one asset alone, 1/n for n equal ones."""
    parts = shares({name: value for name, value in values.items() if value > 0})
    return sum((part * part for part in parts.values()), _ZERO) if parts else None
