"""The short way from a well-formed transaction to a line; whatever is unusual goes the long way, with its checks."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from apps.core.money import MAX_FRACTION_DIGITS, MAX_INTEGER_DIGITS
from apps.portfolios.domain.booking.lines import (
    Buy,
    Charge,
    Fee,
    Income,
    Line,
    Sell,
    Spend,
    Trade,
    Transfer,
    line_of,
)
from apps.portfolios.domain.booking.reading import Repeated
from apps.portfolios.domain.booking.scaled import half_even
from apps.portfolios.domain.booking.tuples import made
from apps.portfolios.domain.transactions import (
    DEFAULT_ACCOUNT,
    WITHIN_HOUR,
    EntryError,
    JsonNumber,
    parse_entry,
    parse_moment,
)

Raw = dict[str, object]
Get = Callable[[str], object]

#: By how much the digits of a number with so many fraction digits are multiplied.
_POWERS: Final = tuple(int(10 ** (MAX_FRACTION_DIGITS - digits)) for digits in range(MAX_FRACTION_DIGITS + 1))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US: Final = 86_400_000_000
_FIRST_DAY: Final = -700_000
_LAST_DAY: Final = 2_900_000
_FEE_LESS: Final = (None, "0")
_HOUR: Final = len("1970-01-01T00:")
_LAST_SECOND: Final = "59:59Z"


class _UnusualError(Exception):
    """Something that only the long way can judge."""


class LineReader:
    """Turns raw transactions into lines; names, and hours of the clock, that come often are read once."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._hours: dict[str, int] = {}
        self._seconds = {rest: second * 1_000_000 for second, rest in enumerate(WITHIN_HOUR)}
        self._builders: Final[Mapping[object, Callable[[Get], Line]]] = {
            "buy": self._buy,
            "sell": self._sell,
            "trade": self._trade,
            "income": self._income,
            "spend": self._spend,
            "fee": self._charge,
            "transfer": self._transfer,
        }

    def line(self, raw: object, *, index: int) -> Line:
        """Return the line that the raw transaction spells, or raise `EntryError`."""
        if type(raw) is dict:
            get = raw.get
            kind = get("type")
            build = self._builders.get(kind) if type(kind) is str else None
            if build is not None:
                try:
                    return build(get)
                except _UnusualError:
                    pass
        elif isinstance(raw, Repeated):
            raise EntryError(code="duplicate_key", message=f"The line names {raw.key} twice.", field=raw.key)
        return line_of(parse_entry(raw, index=index))

    def _buy(self, get: Get) -> Buy:
        return made(Buy, self._charged(get))

    def _sell(self, get: Get) -> Sell:
        return made(Sell, self._charged(get))

    def _trade(self, get: Get) -> Trade:
        side = get("fee_on")
        if side not in (None, "in", "out"):
            raise _UnusualError
        out_asset, in_asset = self._name(get("out_asset")), self._name(get("in_asset"))
        out_amount, in_amount = _positive(get("out_amount")), _positive(get("in_amount"))
        coins = (out_asset, out_amount, in_asset, in_amount)
        return made(Trade, (*self._head(get), *coins, _optional(get("value")), self._fee(get), side == "out"))

    def _income(self, get: Get) -> Income:
        kind = get("kind")
        return made(Income, (*self._feeless(get), "" if kind is None else self._name(kind)))

    def _spend(self, get: Get) -> Spend:
        return made(Spend, self._feeless(get))

    def _charge(self, get: Get) -> Charge:
        return made(Charge, self._feeless(get))

    def _transfer(self, get: Get) -> Transfer:
        at_us, identity, quote, _ = self._head(get)
        account, to_account = self._name(get("from_account")), self._name(get("to_account"))
        amount, received = _positive(get("amount")), _optional(get("received"))
        if received is None:
            received = amount
        if received > amount:
            raise _UnusualError
        asset, value = self._name(get("asset")), _optional(get("fee_value"))
        return Transfer(at_us, identity, quote, account, to_account, asset, amount, received, value, self._fee(get))

    def _head(self, get: Get) -> tuple[int, str, str | None, str]:
        identity, account, quote = get("id"), get("account"), get("quote")
        if type(identity) is not str or not identity:
            raise _UnusualError
        place = DEFAULT_ACCOUNT if account is None else self._name(account)
        return self._time(get("ts")), identity, None if quote is None else self._name(quote), place

    def _feeless(self, get: Get) -> tuple[object, ...]:
        if get("fee") not in _FEE_LESS:
            raise _UnusualError
        return self._priced(get)

    def _priced(self, get: Get) -> tuple[object, ...]:
        """Return what tells of one asset against money, but for the fee."""
        digits, places = _digits(get("amount"))
        if not digits:
            raise _UnusualError
        price, value = get("price"), get("value")
        worth = None if value is None else _number(value)
        if price is not None:
            of_one, more = _digits(price)
            if value is None:
                worth = _product(digits * of_one, places + more)
        at_us, identity, quote, account = self._head(get)
        return at_us, identity, quote, account, self._name(get("asset")), digits * _POWERS[places], worth

    def _charged(self, get: Get) -> tuple[object, ...]:
        """Return the same with the fee."""
        at_us, identity, quote, account, asset, amount, worth = self._priced(get)
        return at_us, identity, quote, account, asset, amount, worth, self._fee(get)

    def _fee(self, get: Get) -> Fee | None:
        amount, value, name = get("fee"), get("fee_value"), get("fee_asset")
        if amount is None and value is None and name is None:
            return None
        fee = None if amount is None else _number(amount)
        worth = None if value is None else _number(value)
        asset = None if name is None else self._name(name)
        return Fee(asset, fee, worth) if fee else None

    def _name(self, text: object) -> str:
        if type(text) is not str:
            raise _UnusualError
        known = self._names.get(text)
        if known is not None:
            return known
        if not text or text != text.strip():
            raise _UnusualError
        self._names[text] = text
        return text

    def _time(self, at: object) -> int:
        """Return microseconds after 1970; a time to the second in UTC is known by its hour and the rest of it."""
        if type(at) is not str:
            if type(at) is int or type(at) is JsonNumber:
                return parse_moment(at)
            raise _UnusualError
        rest = self._seconds.get(at[_HOUR:])
        if rest is None:
            return _moment(at)
        hour = self._hours.get(at[:_HOUR])
        if hour is None:
            hour = self._hours[at[:_HOUR]] = _moment(at[:_HOUR] + _LAST_SECOND) - self._seconds[_LAST_SECOND]
        return hour + rest


def _moment(text: str) -> int:
    try:
        since = datetime.fromisoformat(text) - _EPOCH
    except (TypeError, ValueError, OverflowError):
        raise _UnusualError from None
    if _FIRST_DAY < since.days < _LAST_DAY:
        return since.days * _DAY_US + since.seconds * 1_000_000 + since.microseconds
    raise _UnusualError


def _optional(text: object) -> int | None:
    return None if text is None else _number(text)


def _positive(text: object) -> int:
    number = _number(text)
    if not number:
        raise _UnusualError
    return number


def _number(text: object) -> int:
    digits, places = _digits(text)
    return digits * _POWERS[places]


def _digits(text: object) -> tuple[int, int]:
    """Return the number without its point, and how many of its digits stand behind the point."""
    if type(text) is not str and type(text) is not JsonNumber:
        raise _UnusualError
    whole, _, fraction = text.partition(".")
    digits, places = whole + fraction, len(fraction)
    if not digits.isdigit() or not digits.isascii() or len(whole) > MAX_INTEGER_DIGITS or places > MAX_FRACTION_DIGITS:
        raise _UnusualError
    return int(digits), places


def _product(digits: int, places: int) -> int:
    """Return the number scaled; one with too many fraction digits is rounded half-even, once."""
    if places <= MAX_FRACTION_DIGITS:
        return digits * _POWERS[places]
    return half_even(digits, 10 ** (places - MAX_FRACTION_DIGITS))
