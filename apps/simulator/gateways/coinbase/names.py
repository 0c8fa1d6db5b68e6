"""How Coinbase writes ids, money and times."""

from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from apps.simulator.gateways.figures import iso, iso_seconds

__all__ = ["identity", "iso", "iso_seconds", "money", "value"]


def identity(*parts: object) -> str:
    """Return an id in the form of a UUID that depends on nothing but its parts."""
    return str(uuid5(NAMESPACE_URL, ":".join(map(str, parts))))


def money(amount: Decimal, currency: str) -> dict[str, str]:
    """Return an amount as the wallet paths write it."""
    return {"amount": format(amount, "f"), "currency": currency}


def value(amount: Decimal, currency: str) -> dict[str, str]:
    """Return an amount as the advanced trade paths write it."""
    return {"value": format(amount, "f"), "currency": currency}
