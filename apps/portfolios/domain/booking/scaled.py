"""The engine's numbers: integers scaled by 10^30, one way of rounding, and their plain text."""

from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Final

from apps.core.money import MAX_FRACTION_DIGITS

SCALE: Final = 10**MAX_FRACTION_DIGITS

#: Where the point belongs in the digits of a scaled number.
_POINT: Final = -MAX_FRACTION_DIGITS

_EXACT: Final = Context(prec=120, traps=[Inexact, InvalidOperation])


def scaled(number: Decimal) -> int:
    """Return the checked number times 10^30; one with more fraction digits raises `decimal.Inexact`."""
    return int(_EXACT.to_integral_exact(_EXACT.scaleb(number, MAX_FRACTION_DIGITS)))


def half_even(numerator: int, denominator: int) -> int:
    """Return the quotient of two integers, the second above zero, rounded half-even."""
    quotient, remainder = divmod(numerator, denominator)
    if not remainder:
        return quotient
    twice = remainder + remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def product(left: int, right: int) -> int:
    """Return the product of two scaled numbers, rounded half-even once where it is longer than 30 digits."""
    return half_even(left * right, SCALE)


def text(number: int) -> str:
    """Print a scaled number in full: no exponent, no zeros at the end, no minus before zero."""
    digits = str(number)
    if number >= SCALE:
        fraction, whole = digits[_POINT:].rstrip("0"), digits[:_POINT]
        return f"{whole}.{fraction}" if fraction else whole
    if number < 0:
        return f"-{text(-number)}"
    fraction = digits.zfill(MAX_FRACTION_DIGITS).rstrip("0")
    return f"0.{fraction}" if fraction else "0"
