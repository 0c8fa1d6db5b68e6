"""Exact fractions, rounded half-even once to 30 digits where a figure needs it, and printed in full."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

DIGITS = 30
ZERO = Fraction(0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadLineError(Exception):
    """A transaction that cannot be booked."""

    def __init__(self, code: str = "bad_line") -> None:
        self.code = code
        super().__init__(code)


def rounded(value: Fraction) -> Fraction:
    """Return the value half-even at 30 fraction digits."""
    return Fraction(round(value * 10**DIGITS), 10**DIGITS)


def share(cost: Fraction, part: Fraction, whole: Fraction) -> Fraction:
    """Return what a part of a whole carries of its cost; the whole carries all of it."""
    return cost if part == whole else rounded(cost * part / whole)


def read_number(raw: object) -> Fraction:
    """Return a number of a portable file exactly, at most 40 digits before and 30 after the point."""
    value = Fraction(Decimal(str(raw)))
    too_large = abs(value) >= 10**40
    too_fine = (value * 10**DIGITS).denominator != 1
    if too_large or too_fine:
        raise BadLineError("amount_too_long")
    return value


def printed(value: Fraction) -> str:
    """Print a number of at most 30 fraction digits without zeros at its end."""
    scaled = value * 10**DIGITS
    if scaled.denominator != 1:
        raise AssertionError(value)
    digits = str(abs(scaled.numerator)).rjust(DIGITS + 1, "0")
    text = f"{digits[:-DIGITS]}.{digits[-DIGITS:]}".rstrip("0").rstrip(".")
    return f"-{text}" if scaled < 0 else text


def read_time(raw: object) -> datetime:
    """Return a time of a portable file: ISO-8601, or integer milliseconds."""
    if isinstance(raw, int):
        return _EPOCH + timedelta(milliseconds=raw)
    return datetime.fromisoformat(str(raw)).astimezone(UTC)


def printed_time(at: datetime) -> str:
    """Print a time as ISO-8601 in UTC with Z."""
    return at.isoformat().replace("+00:00", "Z")
