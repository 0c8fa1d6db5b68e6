"""The generic format: our own columns, those of section 6 of the contract, as CSV or as portable JSON.

`deposit` and `withdrawal` are taken as words for a transfer from and to the outside. A mapped file comes down to these
same columns; there `pair` names two coins at once.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from apps.core.money import multiply
from apps.portfolios.domain.drafts import ACCOUNTS, AMOUNTS, OUTSIDE, REMARKS, EntryDraft, checked_draft, draft_of
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.layouts import Layout
from apps.portfolios.domain.importing.pairs import split_pair
from apps.portfolios.domain.importing.problems import ImportRefusedError, LineError, Problem
from apps.portfolios.domain.importing.reading import ImportedRow, Line, Reading, line_by_line, unknown_kind
from apps.portfolios.domain.importing.rules import FileRules, rules_of
from apps.portfolios.domain.importing.shapes import Leg, Origin
from apps.portfolios.domain.transactions import EntryError, EntryType, JsonNumber

ASSETS: Final = ("asset", "fee_asset", "out_asset", "in_asset", "quote")
TEXTS: Final = ("kind", "fee_on", "account", *ACCOUNTS, *REMARKS)
TIMES: Final = ("ts", "time", "date", "timestamp")
MOVEMENTS: Final = ("deposit", "withdrawal")
_SHAPE: Final = (*AMOUNTS, *ASSETS, "kind", "fee_on", *ACCOUNTS, *REMARKS)
FIELDS: Final = ("ts", "type", "pair", *AMOUNTS, *ASSETS, *TEXTS, "id")
TYPES: Final = (*(one.value for one in EntryType), *MOVEMENTS)


def read_line(reading: Reading, line: Line) -> list[EntryDraft]:
    """Read a line of the generic format."""
    word = line.required("type")
    kind = word.lower()
    if kind not in TYPES:
        raise unknown_kind(word, "type")
    columns = line.columns
    at_us = reading.moment(line, *[name for name in TIMES if name in columns])
    raw: dict[str, object] = {"type": kind, "account": reading.account}
    raw |= {name: text for name in TEXTS if name in columns and (text := line.text(name))}
    raw |= {name: reading.asset(line, name) for name in ASSETS if name in columns and line.text(name)}
    numbers = {name: reading.optional(line, name) for name in AMOUNTS if name in columns}
    raw |= {name: number for name, number in numbers.items() if number is not None}
    _name_coins(raw, line.text("pair"))
    _name_outside(raw, kind)
    raw["id"] = line.text("external_id") or line.text("id") or _own_id(reading, raw, at_us)
    if kind in {"buy", "sell"} and raw.get("quote", reading.currency) != reading.currency:
        return _other_money(reading, raw, at_us)
    return [_checked(reading, raw, at_us)]


def _own_id(reading: Reading, raw: dict[str, object], at_us: int) -> str:
    """Return an id made of what happened; remarks may be written anew."""
    facts = [fact for name in sorted(raw) if name not in REMARKS for fact in (name, raw[name])]
    return reading.fingerprint(at_us, *facts)


def _checked(reading: Reading, raw: dict[str, object], at_us: int) -> EntryDraft:
    """Return the draft of these fields, or raise `LineError` with the reason of the ledger."""
    fields = {name: raw[name] for name in _SHAPE if name in raw}
    draft = EntryDraft(
        at_us=at_us, type=EntryType(str(raw["type"])), source=reading.source, account=str(raw["account"]),
        external_id=str(raw["id"]), sequence=reading.sequence, **fields,  # type: ignore[arg-type]
    )  # fmt: skip
    try:
        return checked_draft(draft)
    except EntryError as error:
        raise LineError(error.code, error.message, field=error.field) from error


def _drafted(reading: Reading, raw: object, index: int = 0) -> EntryDraft:
    try:
        return draft_of(raw, source=reading.source, index=index)
    except EntryError as error:
        raise LineError(error.code, error.message, field=error.field) from error


def _name_coins(raw: dict[str, object], pair: str) -> None:
    """Take a pair apart: what is bought or sold, and the money for it."""
    if pair:
        base, quote = split_pair(pair)
        raw.setdefault("asset", base)
        raw.setdefault("quote", quote)
        if raw.get("fee"):
            raw.setdefault("fee_asset", quote)


def _name_outside(raw: dict[str, object], kind: str) -> None:
    """Name the other side of a movement that has only one."""
    own, other = ("to_account", "from_account") if kind == "deposit" else ("from_account", "to_account")
    if kind in MOVEMENTS:
        raw["type"] = EntryType.TRANSFER.value
        raw.setdefault(own, raw["account"])
    if raw["type"] == EntryType.TRANSFER:
        raw.setdefault(other, OUTSIDE)
        raw.setdefault(own, OUTSIDE)


def _other_money(reading: Reading, raw: dict[str, object], at_us: int) -> list[EntryDraft]:
    """Return a purchase or sale against a money that is not the portfolio's: a trade whose value is looked up."""
    amount, price, value = (_number(raw, name) for name in ("amount", "price", "value"))
    total = value if value is not None or price is None or amount is None else multiply(amount, price)
    if amount is None or total is None:
        raise LineError("field_missing", "Give the amount, and its price or value.", field="value")
    coin, money = Leg(str(raw.get("asset", "")), amount), Leg(str(raw["quote"]), total)
    fee = _number(raw, "fee")
    fees = (Leg(str(raw.get("fee_asset", money.asset)), fee),) if fee else ()
    origin = Origin(at_us, str(raw["id"]), str(raw["account"]), *(str(raw.get(name, "")) for name in REMARKS))
    pair = (money, coin) if raw["type"] == "buy" else (coin, money)
    return shapes.exchanged(reading, origin, *pair, fees)


def _number(raw: dict[str, object], name: str) -> Decimal | None:
    found = raw.get(name)
    return found if isinstance(found, Decimal) else None


class Portable(NamedTuple):
    """A portable file: its transactions, and the rules that they were booked by, where it tells them."""

    listed: Sequence[object]
    rules: FileRules


def portable_of(text: str, *, currency: str) -> Portable | None:
    """Return what a portable file holds, or None where the text is no such file.

    One whose values are told in another money is refused: a number of euros is no number of dollars.
    """
    try:
        found = json.loads(text, parse_float=JsonNumber, parse_int=JsonNumber)
    except (ValueError, RecursionError):
        return None
    listed = found.get("transactions") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        return None
    money = found.get("quote") or currency
    if money != currency:
        told = f"This file tells its values in {str(money)[:20]}, this portfolio in {currency}."
        message = f"{told} Import it into a portfolio of that money."
        raise ImportRefusedError("money_differs", message)
    return Portable(listed, rules_of(found))


def read_portable(reading: Reading, listed: Sequence[object]) -> list[ImportedRow]:
    """Return what became of the transactions of a portable file, numbered from one."""
    rows: list[ImportedRow] = []
    for number, raw in enumerate(listed, start=1):
        try:
            rows.append(ImportedRow(number, _drafted(reading, raw, number - 1)))
        except LineError as error:
            rows.append(ImportedRow(number, error=Problem(error.code, error.message, error.field)))
    return rows


LAYOUTS: Final = tuple(
    Layout("generic", "columns of Coinsphere", (time, "type", *columns), line_by_line(read_line))
    for time in TIMES
    for columns in (("asset", "amount"), ("out_asset", "out_amount", "in_asset", "in_amount"))
)
