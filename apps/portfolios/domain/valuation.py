"""How a value is spread over its parts: each part's share of the whole, and how concentrated it is."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from apps.portfolios.domain.measures.arithmetic import WIDE, total

_ZERO: Final = Decimal(0)


def shares(values: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return the fraction of the whole that each value is, largest first; empty where the whole is not above zero."""
    whole = total(values.values())
    if whole <= 0:
        return {}
    ordered = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    return {name: WIDE.divide(value, whole) for name, value in ordered}


def concentration(values: Mapping[str, Decimal]) -> Decimal | None:
    """Return the sum of squared shares (Herfindahl): 1 for one asset alone, 1/n for n equal ones."""
    parts = shares({name: value for name, value in values.items() if value > 0})
    return total(WIDE.multiply(part, part) for part in parts.values()) if parts else None
