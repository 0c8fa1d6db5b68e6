"""Transactions as the engine reads them: one small tuple per kind, amounts as scaled integers."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from apps.portfolios.domain.booking.scaled import product, scaled
from apps.portfolios.domain.transactions import Entry, EntryType


class Fee(NamedTuple):
    """A fee that goes with a line; the asset None is the money of account."""

    asset: str | None
    amount: int
    value: int | None


class Buy(NamedTuple):
    """An asset acquired for money."""

    at_us: int
    id: str
    quote: str | None
    account: str
    asset: str
    amount: int
    value: int | None
    fee: Fee | None


class Sell(NamedTuple):
    """An asset disposed of for money."""

    at_us: int
    id: str
    quote: str | None
    account: str
    asset: str
    amount: int
    value: int | None
    fee: Fee | None


class Trade(NamedTuple):
    """A coin against a coin."""

    at_us: int
    id: str
    quote: str | None
    account: str
    out_asset: str
    out_amount: int
    in_asset: str
    in_amount: int
    value: int | None
    fee: Fee | None
    fee_on_out: bool


class Income(NamedTuple):
    """An asset received as income."""

    at_us: int
    id: str
    quote: str | None
    account: str
    asset: str
    amount: int
    value: int | None
    kind: str


class Spend(NamedTuple):
    """An asset given away at a stated value."""

    at_us: int
    id: str
    quote: str | None
    account: str
    asset: str
    amount: int
    value: int | None


class Charge(NamedTuple):
    """A stand-alone fee."""

    at_us: int
    id: str
    quote: str | None
    account: str
    asset: str
    amount: int
    value: int | None


class Transfer(NamedTuple):
    """A move between own accounts."""

    at_us: int
    id: str
    quote: str | None
    account: str
    to_account: str
    asset: str
    amount: int
    received: int
    value: int | None
    fee: Fee | None


class Split(NamedTuple):
    """A redenomination."""

    at_us: int
    id: str
    quote: str | None
    asset: str
    ratio: int


class ReturnOfCapital(NamedTuple):
    """Money that lowers cost."""

    at_us: int
    id: str
    quote: str | None
    account: str
    asset: str
    value: int


class Opening(NamedTuple):
    """The opening balance of an average pool."""

    at_us: int
    id: str
    quote: str | None
    account: str
    asset: str
    amount: int
    value: int


Line = Buy | Sell | Trade | Income | Spend | Charge | Transfer | Split | ReturnOfCapital | Opening


def line_of(entry: Entry) -> Line:
    """Return the entry as the engine reads it; a product longer than 30 digits is rounded half-even once."""
    return _BUILDERS[entry.type](entry)


def _number(entry: Entry, name: str) -> int | None:
    number = getattr(entry, name)
    return None if number is None else scaled(number)


def _amount(entry: Entry, name: str = "amount") -> int:
    number = _number(entry, name)
    return 0 if number is None else number


def _value(entry: Entry) -> int | None:
    if entry.value is not None:
        return scaled(entry.value)
    if entry.price is not None:
        return product(scaled(entry.price), _amount(entry))
    return None


def _fee(entry: Entry) -> Fee | None:
    return Fee(entry.fee_asset, scaled(entry.fee), _number(entry, "fee_value")) if entry.fee else None


def _buy(entry: Entry) -> Buy:
    amount, value, fee = _amount(entry), _value(entry), _fee(entry)
    return Buy(entry.at_us, entry.id, entry.quote, entry.account, entry.asset or "", amount, value, fee)


def _sell(entry: Entry) -> Sell:
    amount, value, fee = _amount(entry), _value(entry), _fee(entry)
    return Sell(entry.at_us, entry.id, entry.quote, entry.account, entry.asset or "", amount, value, fee)


def _trade(entry: Entry) -> Trade:
    return Trade(
        at_us=entry.at_us,
        id=entry.id,
        quote=entry.quote,
        account=entry.account,
        out_asset=entry.out_asset or "",
        out_amount=_amount(entry, "out_amount"),
        in_asset=entry.in_asset or "",
        in_amount=_amount(entry, "in_amount"),
        value=_value(entry),
        fee=_fee(entry),
        fee_on_out=entry.fee_on == "out",
    )


def _income(entry: Entry) -> Income:
    amount, value, kind = _amount(entry), _value(entry), entry.kind or ""
    return Income(entry.at_us, entry.id, entry.quote, entry.account, entry.asset or "", amount, value, kind)


def _spend(entry: Entry) -> Spend:
    amount, value = _amount(entry), _value(entry)
    return Spend(entry.at_us, entry.id, entry.quote, entry.account, entry.asset or "", amount, value)


def _charge(entry: Entry) -> Charge:
    amount, value = _amount(entry), _value(entry)
    return Charge(entry.at_us, entry.id, entry.quote, entry.account, entry.asset or "", amount, value)


def _transfer(entry: Entry) -> Transfer:
    amount = _amount(entry)
    return Transfer(
        at_us=entry.at_us,
        id=entry.id,
        quote=entry.quote,
        account=entry.from_account or "",
        to_account=entry.to_account or "",
        asset=entry.asset or "",
        amount=amount,
        received=amount if entry.received is None else scaled(entry.received),
        value=_number(entry, "fee_value"),
        fee=_fee(entry),
    )


def _split(entry: Entry) -> Split:
    return Split(entry.at_us, entry.id, entry.quote, entry.asset or "", _amount(entry, "ratio"))


def _return_of_capital(entry: Entry) -> ReturnOfCapital:
    value = _amount(entry, "value")
    return ReturnOfCapital(entry.at_us, entry.id, entry.quote, entry.account, entry.asset or "", value)


def _opening(entry: Entry) -> Opening:
    amount, value = _amount(entry), _amount(entry, "value")
    return Opening(entry.at_us, entry.id, entry.quote, entry.account, entry.asset or "", amount, value)


_BUILDERS: Final[Mapping[EntryType, Callable[[Entry], Line]]] = {
    EntryType.BUY: _buy,
    EntryType.SELL: _sell,
    EntryType.TRADE: _trade,
    EntryType.INCOME: _income,
    EntryType.SPEND: _spend,
    EntryType.FEE: _charge,
    EntryType.TRANSFER: _transfer,
    EntryType.SPLIT: _split,
    EntryType.RETURN_OF_CAPITAL: _return_of_capital,
    EntryType.POOL_OPENING: _opening,
}
