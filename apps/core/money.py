"""Exact money: currencies, amounts, parsing, printing, scaled integers. Free of Django and of floats."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Final

MAX_INTEGER_DIGITS: Final = 40
MAX_FRACTION_DIGITS: Final = 30
MINUS: Final = "\N{MINUS SIGN}"

_LONGEST_TEXT = 200
_LARGEST_EXPONENT = 1_000
_UNKNOWN_DIGITS = 8
_PRICE_FIGURES = 4
_PRICE_DIGITS = 12
_SYNTAX = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)
_EXACT = Context(prec=4_000, traps=[InvalidOperation, Overflow, Inexact])
_ROUNDING = Context(prec=4_000, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, Overflow])


class AmountError(ValueError):
    """A value that is no exact amount of money; `code` is stable, `message` says what to change."""

    def __init__(self, *, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class CurrencyMismatchError(AmountError):
    """Two amounts of different currencies were put together."""

    def __init__(self, *, left: str, right: str) -> None:
        super().__init__(code="currency_mismatch", message=f"{left} and {right} cannot be combined without a price.")


@dataclass(frozen=True, slots=True)
class Currency:
    """A unit of money: how many fraction digits it is shown with, and its sign if it has one."""

    code: str
    digits: int
    symbol: str = ""


_CURRENCIES: Final = {
    currency.code: currency
    for currency in (
        Currency("USD", 2, "$"),
        Currency("EUR", 2, "€"),
        Currency("GBP", 2, "£"),
        Currency("JPY", 0, "¥"),
        Currency("CNY", 2, "CN¥"),
        Currency("INR", 2, "₹"),
        Currency("KRW", 0, "₩"),
        Currency("AUD", 2, "A$"),
        Currency("CAD", 2, "C$"),
        Currency("NZD", 2, "NZ$"),
        Currency("HKD", 2, "HK$"),
        Currency("BRL", 2, "R$"),
        Currency("TRY", 2, "₺"),
        *(Currency(code, 2) for code in ("CHF", "SGD", "SEK", "NOK", "DKK", "PLN", "CZK", "ZAR", "MXN", "AED")),
        *(Currency(code, 0) for code in ("HUF", "CLP", "ISK", "VND")),
        Currency("BTC", 8, "₿"),
        Currency("ETH", 8),
        *(Currency(code, 8) for code in ("BNB", "SOL", "LTC", "BCH", "AVAX", "DOT", "LINK")),
        *(Currency(code, 6) for code in ("XRP", "ADA", "TRX", "ATOM")),
        *(Currency(code, 2) for code in ("USDT", "USDC", "DAI", "FDUSD")),
    )
}
_SHOWN_BY_CODE: Final = frozenset({"BTC"})


@dataclass(frozen=True, slots=True)
class Amount:
    """An immutable number of one currency; only like goes with like."""

    number: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.number, Decimal):
            raise AmountError(code="amount_type", message="An amount is a Decimal, never a float.")
        if not self.number.is_finite():
            raise AmountError(code="amount_not_finite", message="An amount must be a finite number.")
        if not self.currency or self.currency != self.currency.strip():
            raise AmountError(code="currency_missing", message="An amount needs a currency.")

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(_EXACT.add(self.number, self._alike(other)), self.currency)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(_EXACT.subtract(self.number, self._alike(other)), self.currency)

    def __mul__(self, factor: Decimal | int) -> "Amount":
        return Amount(multiply(self.number, parse_amount(factor)), self.currency)

    def __truediv__(self, divisor: Decimal | int) -> "Amount":
        return Amount(divide(self.number, parse_amount(divisor)), self.currency)

    def __neg__(self) -> "Amount":
        return Amount(self.number.copy_negate(), self.currency)

    def __abs__(self) -> "Amount":
        return Amount(self.number.copy_abs(), self.currency)

    def __bool__(self) -> bool:
        return bool(self.number)

    def __lt__(self, other: "Amount") -> bool:
        return self.number < self._alike(other)

    def __le__(self, other: "Amount") -> bool:
        return self.number <= self._alike(other)

    def __gt__(self, other: "Amount") -> bool:
        return self.number > self._alike(other)

    def __ge__(self, other: "Amount") -> bool:
        return self.number >= self._alike(other)

    def __str__(self) -> str:
        return f"{plain(self.number)} {self.currency}"

    def _alike(self, other: "Amount") -> Decimal:
        if self.currency != other.currency:
            raise CurrencyMismatchError(left=self.currency, right=other.currency)
        return other.number


def currency(code: str) -> Currency:
    """Return what is known of a currency; an unknown one is shown with eight digits and its code."""
    return _CURRENCIES.get(code) or Currency(code, _UNKNOWN_DIGITS)


def parse_amount(value: str | int | Decimal) -> Decimal:
    """Return the value exactly as given, or raise `AmountError`; nothing is ever rounded."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise AmountError(code="amount_type", message="Send the amount as text, for example 0.1; floats are not exact.")
    number = _parse_text(value) if isinstance(value, str) else Decimal(value)
    if not number.is_finite():
        raise AmountError(code="amount_not_finite", message="Enter a finite number.")
    if not fits(number):
        raise _too_long()
    return number


def fits(number: Decimal) -> bool:
    """Tell whether a finite number has at most 40 integer and 30 fraction digits, zeros at its ends not counted."""
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        return False
    significant = len(digits)
    while significant and digits[significant - 1] == 0:
        significant -= 1
        exponent += 1
    return not significant or (number.adjusted() < MAX_INTEGER_DIGITS and -exponent <= MAX_FRACTION_DIGITS)


def plain(number: Decimal) -> str:
    """Print a number in full: no exponent, no zeros at the end, no minus before zero."""
    if not number.is_finite():
        raise AmountError(code="amount_not_finite", message="Only a finite number can be printed.")
    if not number:
        return "0"
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise _too_long()
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """Return the product, exact where it has at most 30 fraction digits, else rounded half-even to 30."""
    return _to_thirty(_EXACT.multiply(left, right))


def divide(left: Decimal, right: Decimal) -> Decimal:
    """Return the quotient rounded half-even once, to 30 fraction digits."""
    if not right:
        raise AmountError(code="division_by_zero", message="Nothing can be divided by zero.")
    upper, lower = left.as_integer_ratio(), right.as_integer_ratio()
    numerator, denominator = upper[0] * lower[1], upper[1] * lower[0]
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    return from_scaled(_half_even(numerator * 10**MAX_FRACTION_DIGITS, denominator))


def to_scaled(number: Decimal, *, digits: int = MAX_FRACTION_DIGITS) -> int:
    """Return the number times 10^digits as an integer; a number with more fraction digits is refused."""
    if not number.is_finite():
        raise AmountError(code="amount_not_finite", message="Only a finite number can be scaled.")
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise _too_long()
    scaled = number.scaleb(digits, _EXACT)
    whole = int(scaled)
    if whole != scaled:
        raise AmountError(code="amount_too_long", message=f"Use at most {digits} digits after the point.")
    return whole


def from_scaled(scaled: int, *, digits: int = MAX_FRACTION_DIGITS) -> Decimal:
    """Return the exact number that an integer scaled by 10^digits stands for, without zeros at its end."""
    shortest = _EXACT.normalize(Decimal(scaled).scaleb(-digits, _EXACT))
    return _EXACT.quantize(shortest, Decimal(1)) if int(shortest.as_tuple().exponent) > 0 else shortest


def rounded(number: Decimal, *, digits: int) -> Decimal:
    """Return the number rounded half-even to so many fraction digits, for display and for nothing else."""
    return number.quantize(Decimal(1).scaleb(-digits), context=_ROUNDING)


def for_display(number: Decimal, *, code: str = "", signed: bool = False) -> str:
    """Print for people: the currency's digits, thousands, a true minus; `<$0.01` for what is smaller than shown."""
    digits = currency(code).digits if code else _digits_by_magnitude(number)
    return _shown(number, digits=digits, code=code, signed=signed)


def price_for_display(number: Decimal, *, code: str = "", signed: bool = False) -> str:
    """Print a unit price for people: the currency's digits, or four significant ones where that says more."""
    least = _digits_by_magnitude(number)
    usual = currency(code).digits if code in _CURRENCIES else least
    digits = usual if number.adjusted() >= 2 else max(usual, least)
    return _shown(number, digits=digits, code=code, signed=signed)


def percent_for_display(fraction: Decimal, *, digits: int = 2, signed: bool = True) -> str:
    """Print a fraction as a percentage for people: 0.0123 is +1.23%."""
    percent = rounded(fraction.scaleb(2, _EXACT), digits=digits)
    return f"{_sign(percent, signed=signed)}{abs(percent):,f}%"


def _parse_text(text: str) -> Decimal:
    if len(text) > _LONGEST_TEXT:
        raise _too_long()
    if text.strip("+-").lower() in {"nan", "snan", "inf", "infinity"}:
        raise AmountError(code="amount_not_finite", message="Enter a finite number.")
    if not _SYNTAX.fullmatch(text):
        raise AmountError(code="amount_syntax", message="Enter a number with a point, for example 1234.56.")
    return Decimal(text)


def _too_long() -> AmountError:
    limits = f"{MAX_INTEGER_DIGITS} digits before and {MAX_FRACTION_DIGITS} after the point"
    return AmountError(code="amount_too_long", message=f"Use at most {limits}; amounts are never rounded.")


def _to_thirty(number: Decimal) -> Decimal:
    exponent = number.as_tuple().exponent
    return rounded(number, digits=MAX_FRACTION_DIGITS) if int(exponent) < -MAX_FRACTION_DIGITS else number


def _half_even(numerator: int, denominator: int) -> int:
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    return quotient + (twice > denominator or (twice == denominator and quotient % 2 == 1))


def _digits_by_magnitude(number: Decimal) -> int:
    if not number or number.adjusted() >= 2:
        return 2
    if number.adjusted() >= 0:
        return _PRICE_FIGURES
    return min(_PRICE_FIGURES - 1 - number.adjusted(), _PRICE_DIGITS)


def _shown(number: Decimal, *, digits: int, code: str, signed: bool) -> str:
    known = currency(code)
    before = known.symbol if code not in _SHOWN_BY_CODE else ""
    after = f" {code}" if code and not before else ""
    figure = rounded(number, digits=digits)
    if number and not figure:
        least = Decimal(1).scaleb(-digits)
        return f"{MINUS if number < 0 else ''}<{before}{least:,f}{after}"
    return f"{_sign(figure, signed=signed)}{before}{abs(figure):,f}{after}"


def _sign(number: Decimal, *, signed: bool) -> str:
    if number < 0:
        return MINUS
    return "+" if signed and number else ""
