"""How exchanges write numbers and times: exact text, never a float on the way."""

from datetime import UTC, datetime
from decimal import Decimal

DIGITS = 80
"""how many digits sums are made with, so that none is ever rounded"""


def fixed(value: Decimal | str, digits: int) -> str:
    """Write a number with at least so many digits after the point; more are kept, never rounded."""
    text = value if isinstance(value, str) else format(value, "f")
    whole, _, fraction = text.partition(".")
    fraction = fraction.ljust(digits, "0")
    return f"{whole}.{fraction}" if fraction else whole


def short(value: Decimal | str) -> str:
    """Write a number without trailing zeros."""
    text = value if isinstance(value, str) else format(value, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def moment(milliseconds: int) -> datetime:
    """Return milliseconds since 1970 as a UTC time."""
    return datetime.fromtimestamp(milliseconds // 1000, tz=UTC).replace(microsecond=milliseconds % 1000 * 1000)


def iso(milliseconds: int) -> str:
    """Write a time as 2026-11-21T12:00:00.123456Z."""
    return moment(milliseconds).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def iso_seconds(milliseconds: int) -> str:
    """Write a time as 2026-11-21T12:00:00Z."""
    return moment(milliseconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(milliseconds: int) -> str:
    """Write a time as seconds with three digits, without going through a float."""
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"
