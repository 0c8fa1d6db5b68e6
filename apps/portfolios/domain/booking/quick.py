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
from apps.portfolios.domain.booking.scaled import product
from apps.portfolios.domain.transactions import DEFAULT_ACCOUNT, JsonNumber, parse_entry, parse_moment

Raw = dict[str, object]

_POWERS: Final = {digits: int(10 ** (MAX_FRACTION_DIGITS - digits)) for digits in range(MAX_FRACTION_DIGITS + 1)}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US: Final = 86_400_000_000
_FIRST_DAY: Final = -700_000
_LAST_DAY: Final = 2_900_000
_FEE_LESS: Final = (None, "0")


class _UnusualError(Exception):
    """Something that only the long way can judge."""


class LineReader:
    """Turns raw transactions into lines; names that come often are kept once."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._builders: Final[Mapping[object, Callable[[Raw], Line]]] = {
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
            kind = raw.get("type")
            build = self._builders.get(kind) if type(kind) is str else None
            if build is not None:
                try:
                    return build(raw)
                except _UnusualError:
                    pass
        return line_of(parse_entry(raw, index=index))

    def _buy(self, raw: Raw) -> Buy:
        at_us, identity, quote, account = self._head(raw)
        amount = _positive(raw.get("amount"))
        asset = self._name(raw.get("asset"))
        return Buy(at_us, identity, quote, account, asset, amount, _value(raw, amount), self._fee(raw))

    def _sell(self, raw: Raw) -> Sell:
        at_us, identity, quote, account = self._head(raw)
        amount = _positive(raw.get("amount"))
        asset = self._name(raw.get("asset"))
        return Sell(at_us, identity, quote, account, asset, amount, _value(raw, amount), self._fee(raw))

    def _trade(self, raw: Raw) -> Trade:
        at_us, identity, quote, account = self._head(raw)
        side = raw.get("fee_on")
        if side not in (None, "in", "out"):
            raise _UnusualError
        out_amount, in_amount = _positive(raw.get("out_amount")), _positive(raw.get("in_amount"))
        out_asset, in_asset = self._name(raw.get("out_asset")), self._name(raw.get("in_asset"))
        value, fee = _optional(raw.get("value")), self._fee(raw)
        return Trade(
            at_us, identity, quote, account, out_asset, out_amount, in_asset, in_amount, value, fee, side == "out"
        )

    def _income(self, raw: Raw) -> Income:
        at_us, identity, quote, account = self._plain_head(raw)
        amount = _positive(raw.get("amount"))
        asset, kind = self._name(raw.get("asset")), self._optional_name(raw.get("kind")) or ""
        return Income(at_us, identity, quote, account, asset, amount, _value(raw, amount), kind)

    def _spend(self, raw: Raw) -> Spend:
        at_us, identity, quote, account = self._plain_head(raw)
        amount = _positive(raw.get("amount"))
        return Spend(at_us, identity, quote, account, self._name(raw.get("asset")), amount, _value(raw, amount))

    def _charge(self, raw: Raw) -> Charge:
        at_us, identity, quote, account = self._plain_head(raw)
        amount = _positive(raw.get("amount"))
        return Charge(at_us, identity, quote, account, self._name(raw.get("asset")), amount, _value(raw, amount))

    def _transfer(self, raw: Raw) -> Transfer:
        at_us, identity, quote, _ = self._head(raw)
        account, to_account = self._name(raw.get("from_account")), self._name(raw.get("to_account"))
        amount, received = _positive(raw.get("amount")), _optional(raw.get("received"))
        if received is None:
            received = amount
        if received > amount:
            raise _UnusualError
        asset, value = self._name(raw.get("asset")), _optional(raw.get("fee_value"))
        fee = self._fee(raw)
        return Transfer(at_us, identity, quote, account, to_account, asset, amount, received, value, fee)

    def _head(self, raw: Raw) -> tuple[int, str, str | None, str]:
        identity, account, quote = raw.get("id"), raw.get("account"), raw.get("quote")
        if type(identity) is not str or not identity:
            raise _UnusualError
        place = DEFAULT_ACCOUNT if account is None else self._name(account)
        return _time(raw.get("ts")), identity, None if quote is None else self._name(quote), place

    def _plain_head(self, raw: Raw) -> tuple[int, str, str | None, str]:
        if raw.get("fee") not in _FEE_LESS:
            raise _UnusualError
        return self._head(raw)

    def _fee(self, raw: Raw) -> Fee | None:
        amount, value, name = raw.get("fee"), raw.get("fee_value"), raw.get("fee_asset")
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

    def _optional_name(self, text: object) -> str | None:
        return None if text is None else self._name(text)


def _time(at: object) -> int:
    if type(at) is str:
        try:
            since = datetime.fromisoformat(at) - _EPOCH
        except (TypeError, ValueError, OverflowError):
            raise _UnusualError from None
        if _FIRST_DAY < since.days < _LAST_DAY:
            return since.days * _DAY_US + since.seconds * 1_000_000 + since.microseconds
    elif type(at) is JsonNumber:
        return parse_moment(at)
    raise _UnusualError


def _value(raw: Raw, amount: int) -> int | None:
    price, value = raw.get("price"), raw.get("value")
    of_one = None if price is None else _number(price)
    if value is not None:
        return _number(value)
    return None if of_one is None else product(of_one, amount)


def _optional(text: object) -> int | None:
    return None if text is None else _number(text)


def _positive(text: object) -> int:
    number = _number(text)
    if not number:
        raise _UnusualError
    return number


def _number(text: object) -> int:
    if type(text) is not str and type(text) is not JsonNumber:
        raise _UnusualError
    whole, _, fraction = text.partition(".")
    digits = whole + fraction
    if not digits.isdigit() or not digits.isascii() or len(whole) > MAX_INTEGER_DIGITS:
        raise _UnusualError
    power = _POWERS.get(len(fraction))
    if power is None:
        raise _UnusualError
    return int(digits) * power
