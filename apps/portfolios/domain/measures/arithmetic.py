"""Exact figures: decimals wide enough that rounding happens once, at the end, to 30 fraction digits."""

from collections.abc import Iterable
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from fractions import Fraction
from typing import Final

from apps.core.money import MAX_FRACTION_DIGITS

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
#: Wide enough for products of the longest amounts and for thousands of linked days.
WIDE: Final = Context(
    prec=200,
    rounding=ROUND_HALF_EVEN,
    Emin=MIN_EMIN,
    Emax=MAX_EMAX,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
_LAST_DIGIT: Final = ONE.scaleb(-MAX_FRACTION_DIGITS)


def settled(number: Decimal) -> Decimal:
    """Return a computed figure rounded half-even to 30 fraction digits, without zeros at its end."""
    if int(number.as_tuple().exponent) < -MAX_FRACTION_DIGITS:
        number = WIDE.quantize(number, _LAST_DIGIT)
    return WIDE.normalize(number)


def figure(number: Decimal | None) -> str | None:
    """Print a figure in plain notation, however large; what is not defined stays None."""
    if number is None:
        return None
    text = format(settled(number), "f")
    return "0" if text == "-0" else text


def ratio(upper: Decimal, lower: Decimal) -> Decimal:
    """Return the quotient as exactly as it is worked with."""
    return WIDE.divide(upper, lower)


def total(numbers: Iterable[Decimal]) -> Decimal:
    """Return the exact sum."""
    result = ZERO
    for number in numbers:
        result = WIDE.add(result, number)
    return result


def from_fraction(number: Fraction) -> Decimal:
    """Return a ratio of whole numbers as a decimal."""
    return WIDE.divide(Decimal(number.numerator), Decimal(number.denominator))
