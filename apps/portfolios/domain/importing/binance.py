"""Binance: the transaction history, whose lines of one second are joined, and the trade history.

All wallets of one Binance account (spot, funding, earn) are one account here, so moves between them need no entry.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from apps.core.money import plain
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.binance_kinds import Kind, kind_of
from apps.portfolios.domain.importing.joining import Move, exchanges_of
from apps.portfolios.domain.importing.layouts import Layout
from apps.portfolios.domain.importing.numbers import parse_number
from apps.portfolios.domain.importing.pairs import split_pair
from apps.portfolios.domain.importing.problems import LineError, quoted
from apps.portfolios.domain.importing.reading import (
    ImportedRow,
    Line,
    Reading,
    asset_named,
    line_by_line,
    refused,
)
from apps.portfolios.domain.importing.shapes import Leg, Origin
from apps.portfolios.domain.importing.times import DateStyle

_JOINED: Final = {
    Kind.TRADE: Kind.TRADE,
    Kind.TRADE_FEE: Kind.TRADE,
    Kind.CONVERT: Kind.CONVERT,
    Kind.DUST: Kind.DUST,
    Kind.SWAP: Kind.SWAP,
}
_SPENDS: Final = frozenset({"transaction buy", "transaction spend"})
_SELLS: Final = frozenset({"transaction sold", "transaction revenue"})
_UNIT: Final = re.compile(r"[A-Za-z]\w*$")


@dataclass(frozen=True, slots=True)
class _Item:
    """One line of the transaction history, read."""

    line: Line
    at_us: int
    kind: Kind
    income: str
    word: str
    leg: Leg


def read_history(reading: Reading, lines: Sequence[Line]) -> list[ImportedRow]:
    """Return what became of the lines of a transaction history."""
    reading = replace(reading, dates=reading.dates if reading.dates is not DateStyle.AUTO else DateStyle.YMD)
    rows: list[ImportedRow] = []
    groups: dict[tuple[int, Kind], list[_Item]] = {}
    broken: set[tuple[int, Kind]] = set()
    for line in lines:
        try:
            item = _item(reading, line)
        except LineError as error:
            rows.append(refused(line, error))
            broken.update(_would_join(reading, line))
            continue
        family = _JOINED.get(item.kind)
        if family is None:
            rows.extend(_single(reading, item))
        else:
            groups.setdefault((item.at_us, family), []).append(item)
    for key, items in groups.items():
        rows.extend(_joined(reading, items, broken=key in broken))
    return rows


def _item(reading: Reading, line: Line) -> _Item:
    operation = line.required("operation")
    kind, income = kind_of(operation)
    leg = Leg(reading.asset(line, "coin"), reading.number(line, "change"))
    return _Item(line, reading.moment(line, "utc_time", "time"), kind, income, operation.lower(), leg)


def _would_join(reading: Reading, line: Line) -> list[tuple[int, Kind]]:
    """Return the events that an unreadable line may be a part of; they must not be booked without it."""
    try:
        kind, _income = kind_of(line.required("operation"))
        at_us = reading.moment(line, "utc_time", "time")
    except LineError:
        return []
    return [(at_us, _JOINED[kind])] if kind in _JOINED else []


def _single(reading: Reading, item: _Item) -> list[ImportedRow]:
    if item.kind is Kind.INTERNAL:
        return [ImportedRow(item.line.number, note="internal")]
    reading.number_of_line = item.line.number
    try:
        drafts = _standing_alone(reading, item)
    except LineError as error:
        return [refused(item.line, error)]
    if not drafts:
        return [ImportedRow(item.line.number, note="nothing_to_book")]
    return [ImportedRow(item.line.number, draft) for draft in drafts]


def _standing_alone(reading: Reading, item: _Item) -> list[EntryDraft]:
    origin, leg = _origin(reading, [item]), item.leg
    if item.kind is Kind.INCOME:
        return shapes.earned(reading, origin, leg, item.income)
    if not leg.amount:
        return []
    if item.kind is Kind.CASH:
        for_money = shapes.bought if leg.amount > 0 else shapes.sold
        return [for_money(reading, origin, Leg(leg.asset, leg.amount.copy_abs()))]
    if item.kind is Kind.DEPOSIT:
        return [shapes.arrived(reading, origin, leg)]
    taken = Leg(leg.asset, leg.amount.copy_negate())
    if taken.amount < 0:
        raise LineError("sign_unexpected", f"{quoted(item.word)} should take {leg.asset}, but here it gives.")
    if item.kind is Kind.WITHDRAWAL:
        return [shapes.left(reading, origin, taken)]
    book = shapes.spent if item.kind is Kind.SPEND else shapes.charged
    return [book(reading, origin, taken)]


def _joined(reading: Reading, items: list[_Item], *, broken: bool) -> list[ImportedRow]:
    """Return the entries of one second, or refuse all of its lines."""
    if broken:
        error = LineError("event_incomplete", "Another line of the same exchange cannot be read.")
        return [refused(item.line, error) for item in items]
    try:
        exchanges = [exchange for part in _sides(items) for exchange in exchanges_of(_moves(part))]
        rows: list[ImportedRow] = []
        by_line = {id(item.line): item for item in items}
        for exchange in exchanges:
            members = [by_line[id(move.line)] for move in exchange.moves]
            origin = _origin(reading, members)
            reading.number_of_line = exchange.line_number
            drafts = shapes.exchanged(reading, origin, exchange.out, exchange.received, exchange.fees)
            rows.extend(ImportedRow(exchange.line_number, draft) for draft in drafts)
    except LineError as error:
        return [refused(item.line, error) for item in items]
    return rows


def _sides(items: list[_Item]) -> list[list[_Item]]:
    """Tell purchases from sales of the same second by their words; fees go with the only one, or with their coin."""
    buys = [item for item in items if item.word in _SPENDS]
    sales = [item for item in items if item.word in _SELLS]
    others = [item for item in items if item.word not in _SPENDS and item.word not in _SELLS]
    if not buys or not sales or any(item.kind is not Kind.TRADE_FEE for item in others):
        return [items]
    bought = {item.leg.asset for item in buys if item.leg.amount > 0}
    sold = {item.leg.asset for item in sales if item.leg.amount > 0}
    for fee in others:
        if (fee.leg.asset in bought) == (fee.leg.asset in sold):
            return [items]
        (buys if fee.leg.asset in bought else sales).append(fee)
    return [buys, sales]


def _moves(items: list[_Item]) -> list[Move]:
    return [Move(item.line, item.leg.asset, item.leg.amount, item.kind is Kind.TRADE_FEE) for item in items]


def _origin(reading: Reading, items: list[_Item]) -> Origin:
    """Return the origin of an event; its id is made of all of its lines, in whatever order the file has them."""
    facts = sorted(f"{item.word}\x1e{item.leg.asset}\x1e{plain(item.leg.amount)}" for item in items)
    external_id = reading.fingerprint(items[0].at_us, *facts)
    words = ", ".join(sorted({item.line.text("operation") for item in items}))
    return Origin(items[0].at_us, external_id, reading.account, note=words)


def read_trade(reading: Reading, line: Line) -> list[EntryDraft]:
    """Read a line of the trade history: a pair, a side, and amounts that may carry their unit."""
    base, quote = split_pair(line.required("pair", "market"))
    amount, _ = _with_unit(reading, line, (base,), "executed", "amount")
    total, _ = _with_unit(reading, line, (quote,), "total", "amount")
    at_us = reading.moment(line, "date", "time")
    fee, unit = _with_unit(reading, line, (base, quote), "fee")
    fee_asset = asset_named(unit or line.text("fee coin") or quote)
    side = line.required("side", "type").upper()
    legs = shapes.sides(side, Leg(base, amount), Leg(quote, total), field="side")
    external_id = reading.fingerprint(at_us, side, base, quote, amount, total, fee, fee_asset)
    origin = Origin(at_us, external_id, reading.account, note=f"{side} {base}/{quote}")
    return shapes.exchanged(reading, origin, *legs, (Leg(fee_asset, fee),))


def _with_unit(reading: Reading, line: Line, units: tuple[str, ...], *names: str) -> tuple[Decimal, str]:
    """Return a number and the unit written behind it: 0.5ETH, and 1001INCH where the coin is 1INCH."""
    text = line.required(*names).upper()
    unit = next((unit for unit in units if text.endswith(unit)), "")
    if not unit and (found := _UNIT.search(text)):
        unit = found[0]
    return parse_number(text[: len(text) - len(unit)], style=reading.numbers, field=names[0]), unit


_READ_TRADES: Final = line_by_line(read_trade)
LAYOUTS: Final = (
    Layout("binance", "transaction history", ("operation", "coin", "change", "account"), read_history),
    Layout("binance", "trade history", ("pair", "side", "price", "executed", "amount", "fee"), _READ_TRADES),
    Layout("binance", "trade history", ("market", "type", "price", "amount", "total", "fee coin"), _READ_TRADES),
)
