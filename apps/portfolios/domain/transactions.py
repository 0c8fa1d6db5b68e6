"""One checked, exact transaction of the portable ledger format, and the way in and out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final

from apps.core.money import AmountError, parse_amount, plain

DEFAULT_ACCOUNT: Final = "default"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_NAIVE: Final = _EPOCH.replace(tzinfo=None)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND_US: Final = 1_000_000
_HOUR_US: Final = 3_600 * _SECOND_US
_HOUR_DIGITS: Final = len("1970-01-01T00:")
_SIXTY: Final = tuple(f"{number:02d}" for number in range(60))
#: The end of a time in UTC for every second of an hour.
WITHIN_HOUR: Final = tuple(f"{minute}:{second}Z" for minute in _SIXTY for second in _SIXTY)
_EARLIEST_US: Final = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LATEST_US: Final = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LONGEST_INTEGER: Final = 20


class EntryType(StrEnum):
    """What happened."""

    BUY = "buy"
    SELL = "sell"
    TRADE = "trade"
    INCOME = "income"
    SPEND = "spend"
    FEE = "fee"
    TRANSFER = "transfer"
    SPLIT = "split"
    RETURN_OF_CAPITAL = "return_of_capital"
    POOL_OPENING = "pool_opening"


class EntryError(ValueError):
    """A line that is no transaction; `code` is stable, `message` says what to change, `field` where."""

    def __init__(self, *, code: str, message: str, field: str = "", index: int = 0) -> None:
        self.code = code
        self.message = message
        self.field = field
        self.index = index
        super().__init__(message)


class JsonNumber(str):
    """A number of a JSON text exactly as it was written, so that no digit passes through a float."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One transaction: what is not part of its type is None; `value` excludes the fee."""

    id: str
    at_us: int
    type: EntryType
    account: str = DEFAULT_ACCOUNT
    asset: str | None = None
    amount: Decimal | None = None
    price: Decimal | None = None
    value: Decimal | None = None
    fee: Decimal | None = None
    fee_asset: str | None = None
    fee_value: Decimal | None = None
    fee_on: str | None = None
    out_asset: str | None = None
    out_amount: Decimal | None = None
    in_asset: str | None = None
    in_amount: Decimal | None = None
    kind: str | None = None
    received: Decimal | None = None
    from_account: str | None = None
    to_account: str | None = None
    ratio: Decimal | None = None
    quote: str | None = None

    @property
    def at(self) -> datetime:
        """The moment, in UTC."""
        return moment(self.at_us)


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of one type: names it needs, amounts above zero it needs, amounts it may have."""

    names: tuple[str, ...]
    positive: tuple[str, ...]
    optional: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    takes_fee: bool = False


_PRICED: Final = ("price", "value")
SHAPES: Final[Mapping[EntryType, Shape]] = {
    EntryType.BUY: Shape(("asset",), ("amount",), _PRICED, takes_fee=True),
    EntryType.SELL: Shape(("asset",), ("amount",), _PRICED, takes_fee=True),
    EntryType.TRADE: Shape(("out_asset", "in_asset"), ("out_amount", "in_amount"), ("value",), takes_fee=True),
    EntryType.INCOME: Shape(("asset",), ("amount",), _PRICED),
    EntryType.SPEND: Shape(("asset",), ("amount",), _PRICED),
    EntryType.FEE: Shape(("asset",), ("amount",), _PRICED),
    EntryType.TRANSFER: Shape(("asset", "from_account", "to_account"), ("amount",), ("received",), takes_fee=True),
    EntryType.SPLIT: Shape(("asset",), ("ratio",)),
    EntryType.RETURN_OF_CAPITAL: Shape(("asset",), (), needed=("value",)),
    EntryType.POOL_OPENING: Shape(("asset",), ("amount",), needed=("value",)),
}
_FEE_AMOUNTS: Final = ("fee", "fee_value")
_FEE_SIDES: Final = ("in", "out")
_AMOUNT_FIELDS: Final = (
    *("amount", "price", "value", "fee", "fee_value", "out_amount", "in_amount", "received", "ratio"),
)
_NAME_FIELDS: Final = (
    *("asset", "fee_asset", "fee_on", "out_asset", "in_asset", "kind", "from_account", "to_account", "quote"),
)


def parse_entry(raw: object, *, index: int = 0) -> Entry:
    """Return the transaction that the mapping spells, or raise `EntryError`; nothing is rounded or guessed."""
    if not isinstance(raw, Mapping):
        raise EntryError(code="not_an_object", message="A transaction is an object of named fields.", index=index)
    try:
        return _parsed(raw)
    except EntryError as error:
        error.index = index
        raise


def entry_as_portable(entry: Entry) -> dict[str, str]:
    """Return the transaction in the portable format: times and amounts as text, absent fields left out."""
    portable = {"id": entry.id, "ts": moment_text(entry.at_us), "type": entry.type.value}
    if entry.type not in {EntryType.TRANSFER, EntryType.SPLIT}:
        portable["account"] = entry.account
    for name in _NAME_FIELDS:
        text: str | None = getattr(entry, name)
        if text is not None:
            portable[name] = text
    for name in _AMOUNT_FIELDS:
        amount: Decimal | None = getattr(entry, name)
        if amount is not None:
            portable[name] = plain(amount)
    return portable


def moment(at_us: int) -> datetime:
    """Return the time that so many microseconds after 1970 stand for."""
    return _EPOCH + timedelta(microseconds=at_us)


def moment_text(at_us: int) -> str:
    """Print the time as ISO-8601 in UTC with Z."""
    hour, rest = divmod(at_us, _HOUR_US)
    second, part = divmod(rest, _SECOND_US)
    if part:
        return (_EPOCH_NAIVE + timedelta(microseconds=at_us)).isoformat() + "Z"
    return _hour_text(hour) + WITHIN_HOUR[second]


@lru_cache(maxsize=100_000)
def _hour_text(hour: int) -> str:
    return (_EPOCH_NAIVE + timedelta(hours=hour)).isoformat()[:_HOUR_DIGITS]


def microseconds(at: datetime) -> int:
    """Return the aware time as microseconds after 1970."""
    return (at - _EPOCH) // _MICROSECOND


def last_microsecond(year: int) -> int:
    """Return the last microsecond of a year in UTC, counted from 1970."""
    return microseconds(datetime(year, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC))


def parse_moment(value: object) -> int:
    """Return microseconds after 1970 of an ISO-8601 text (UTC unless it says otherwise) or integer milliseconds."""
    if isinstance(value, JsonNumber):
        value = int(value) if _is_integer(value) else None
    if isinstance(value, int) and not isinstance(value, bool):
        at_us = value * 1000
    elif isinstance(value, str):
        at_us = _microseconds_of_text(value)
    else:
        raise _bad_time()
    if not _EARLIEST_US <= at_us <= _LATEST_US:
        raise _bad_time()
    return at_us


def _parsed(raw: Mapping[object, object]) -> Entry:
    identity = _identity(raw)
    kind_of_entry = _type(raw)
    shape = SHAPES[kind_of_entry]
    if raw.get("ts") is None:
        raise _missing("ts")
    at_us = parse_moment(raw["ts"])
    names: dict[str, str | None] = {name: _name(raw, name, needed=True) for name in shape.names}
    names["quote"] = _name(raw, "quote", needed=False)
    if shape.takes_fee:
        names["fee_asset"] = _name(raw, "fee_asset", needed=False)
    if kind_of_entry is EntryType.TRADE:
        names["fee_on"] = _fee_side(raw)
    if kind_of_entry is EntryType.INCOME:
        names["kind"] = _name(raw, "kind", needed=False)
    amounts: dict[str, Decimal | None] = {name: _positive(raw, name) for name in shape.positive}
    amounts |= {name: _needed(raw, name) for name in shape.needed}
    amounts |= {name: _amount(raw, name) for name in shape.optional}
    amounts |= _fees(raw, shape=shape)
    if kind_of_entry is EntryType.TRANSFER:
        _check_received(amounts)
    account = _name(raw, "account", needed=False) or DEFAULT_ACCOUNT
    return Entry(id=identity, at_us=at_us, type=kind_of_entry, account=account, **names, **amounts)  # type: ignore[arg-type]


def _fees(raw: Mapping[object, object], *, shape: Shape) -> dict[str, Decimal | None]:
    if shape.takes_fee:
        return {name: _amount(raw, name) for name in _FEE_AMOUNTS}
    if _amount(raw, "fee"):
        raise EntryError(
            code="field_unexpected",
            message="This type takes no fee; enter the fee as a transaction of type fee.",
            field="fee",
        )
    return {}


def _check_received(amounts: Mapping[str, Decimal | None]) -> None:
    sent, received = amounts["amount"], amounts["received"]
    if sent is not None and received is not None and received > sent:
        raise EntryError(code="received_too_large", message="No more can arrive than was sent.", field="received")


def _identity(raw: Mapping[object, object]) -> str:
    value = raw.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or value == "":
        raise _missing("id")
    if not isinstance(value, str):
        raise _invalid("id")
    return str(value)


def _type(raw: Mapping[object, object]) -> EntryType:
    value = raw.get("type")
    if value is None:
        raise _missing("type")
    try:
        return EntryType(value)  # type: ignore[arg-type]
    except ValueError as error:
        known = ", ".join(EntryType)
        raise EntryError(code="type_unknown", message=f"The type is one of {known}.", field="type") from error


def _name(raw: Mapping[object, object], name: str, *, needed: bool) -> str | None:
    value = raw.get(name)
    if value is None or value == "":
        if needed:
            raise _missing(name)
        return None
    if not isinstance(value, str) or isinstance(value, JsonNumber) or value != value.strip():
        raise _invalid(name)
    return value


def _fee_side(raw: Mapping[object, object]) -> str | None:
    side = _name(raw, "fee_on", needed=False)
    if side is not None and side not in _FEE_SIDES:
        raise EntryError(code="field_invalid", message="fee_on is in or out.", field="fee_on")
    return side


def _amount(raw: Mapping[object, object], name: str) -> Decimal | None:
    value = raw.get(name)
    if value is None:
        return None
    try:
        number = parse_amount(value)  # type: ignore[arg-type]
    except AmountError as error:
        raise EntryError(code=error.code, message=error.message, field=name) from error
    if number < 0:
        raise EntryError(
            code="amount_negative", message="Amounts are zero or more; the type says which way they go.", field=name
        )
    return number


def _needed(raw: Mapping[object, object], name: str) -> Decimal:
    number = _amount(raw, name)
    if number is None:
        raise _missing(name)
    return number


def _positive(raw: Mapping[object, object], name: str) -> Decimal:
    number = _needed(raw, name)
    if not number:
        raise EntryError(code="amount_zero", message="Enter a number above zero.", field=name)
    return number


def _microseconds_of_text(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
        return microseconds(at if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise _bad_time() from error


def _is_integer(text: str) -> bool:
    digits = text.removeprefix("-")
    return len(digits) <= _LONGEST_INTEGER and digits.isascii() and digits.isdigit()


def _bad_time() -> EntryError:
    return EntryError(
        code="ts_invalid", message="Give the time as ISO-8601, or as whole milliseconds since 1970.", field="ts"
    )


def _missing(name: str) -> EntryError:
    return EntryError(code="field_missing", message=f"{name} is missing.", field=name)


def _invalid(name: str) -> EntryError:
    return EntryError(code="field_invalid", message=f"{name} is a text without spaces around it.", field=name)
