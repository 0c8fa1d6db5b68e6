"""Coinbase: the transactions of a retail account, and the account statement and fills of Pro and Advanced.

Vaults, savings and staking of one Coinbase account are one account here, so moves between them need no entry.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from apps.core.money import multiply
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.joining import Move, exchanges_of
from apps.portfolios.domain.importing.layouts import Layout
from apps.portfolios.domain.importing.numbers import parse_number
from apps.portfolios.domain.importing.pairs import split_pair
from apps.portfolios.domain.importing.problems import LineError
from apps.portfolios.domain.importing.reading import (
    ImportedRow,
    Line,
    Reading,
    asset_named,
    line_by_line,
    refused,
    rows_of,
    unknown_kind,
)
from apps.portfolios.domain.importing.shapes import Leg, Origin

_BUYS: Final = frozenset({"buy", "advanced trade buy", "advance trade buy"})
_SALES: Final = frozenset({"sell", "advanced trade sell", "advance trade sell"})
_INCOME: Final = {
    "staking income": "staking", "rewards income": "reward", "reward income": "reward", "inflation reward": "staking",
    "coinbase earn": "reward", "learning reward": "reward", "interest payout": "interest", "incentives rewards payout":
    "reward", "subscription rebate": "reward", "subscription rebates (24 hours)": "reward", "airdrop": "airdrop",
    "credit card reward": "reward", "card buy back": "reward", "incentive": "reward", "fork": "fork",
}  # fmt: skip
_ARRIVALS: Final = frozenset({"receive", "deposit"})
_DEPARTURES: Final = frozenset({"send", "withdrawal"})
_OWN: Final = frozenset({"pro withdrawal", "pro deposit", "exchange deposit", "exchange withdrawal", "prime deposit"})
_SPENDS: Final = frozenset({"card spend", "donation", "gift", "order", "paid for an order"})
_INTERNAL: Final = frozenset({
    "retail staking transfer", "retail unstaking transfer", "vault withdrawal", "vault deposit", "cash to savings",
    "savings to cash", "asset migration", "retail eth2 deprecation", "staking transfer", "unstaking transfer",
})  # fmt: skip
_CONVERTED: Final = re.compile(r"Converted\s+([\d.,]+)\s+(\S+)\s+to\s+([\d.,]+)\s+(\S+)", re.IGNORECASE)
#: A column that some exports have; an older Pro statement has none.
_HASHES: Final = ("transaction hash", "tx hash", "txhash", "crypto transaction hash")
_SPOT: Final = re.compile(r"([a-z]{3,5}) spot price at transaction")


def read_transaction(reading: Reading, line: Line) -> list[EntryDraft]:
    """Read a line of the retail transactions."""
    word = line.required("transaction type")
    kind = word.lower()
    asset = reading.asset(line, "asset")
    amount = reading.number(line, "quantity transacted").copy_abs()
    origin = _origin(reading, line, kind, asset, amount)
    leg = Leg(asset, amount)
    if kind in _BUYS or kind in _SALES:
        return _trade(reading, line, origin, leg, buys=kind in _BUYS)
    if kind == "convert":
        return _conversion(reading, line, origin, leg)
    if kind in _INCOME:
        return shapes.earned(reading, origin, leg, _INCOME[kind], _value(reading, line))
    if kind in _INTERNAL:
        return []
    return _movement(reading, line, origin, leg, word)


def _movement(reading: Reading, line: Line, origin: Origin, leg: Leg, word: str) -> list[EntryDraft]:
    """Read what comes or goes."""
    kind = word.lower()
    if kind in _SPENDS:
        return [shapes.spent(reading, origin, leg, _value(reading, line))]
    if kind in _ARRIVALS:
        return [shapes.arrived(reading, origin, leg)]
    if kind in _DEPARTURES:
        return [shapes.left(reading, origin, leg)]
    if kind in _OWN:
        gives = reading.number(line, "quantity transacted") < 0
        comes = not gives and kind in {"pro withdrawal", "exchange withdrawal"}
        return [shapes.arrived(reading, origin, leg) if comes else shapes.left(reading, origin, leg)]
    raise unknown_kind(word, "transaction type")


def _trade(reading: Reading, line: Line, origin: Origin, leg: Leg, *, buys: bool) -> list[EntryDraft]:
    money = _money(reading, line)
    fee = reading.optional(line, "fees and/or spread", "fees", f"{money.lower()} fees")
    fees = (Leg(money, fee.copy_abs()),) if fee else ()
    other = Leg(money, _subtotal(reading, line))
    pair = (other, leg) if buys else (leg, other)
    return shapes.exchanged(reading, origin, *pair, fees)


def _subtotal(reading: Reading, line: Line) -> Decimal:
    found = reading.optional(line, "subtotal", f"{_money(reading, line).lower()} subtotal")
    if found is None:
        raise LineError("cell_missing", 'The column "subtotal" is empty.', field="subtotal")
    return found.copy_abs()


def _conversion(reading: Reading, line: Line, origin: Origin, leg: Leg) -> list[EntryDraft]:
    """Read a conversion, which Coinbase tells in words: Converted 0.5 ETH to 800 USDC."""
    found = _CONVERTED.search(line.text("notes"))
    if found is None:
        raise LineError("conversion_unclear", "The notes do not say what was converted to what.", field="notes")
    out, received = (
        Leg(asset_named(found[place + 1]), parse_number(found[place], style=reading.numbers)) for place in (1, 3)
    )
    if leg.asset != out.asset:
        return []
    fee = reading.optional(line, "fees and/or spread", "fees")
    fees = (Leg(_money(reading, line), fee.copy_abs()),) if fee else ()
    value = _value(reading, line) if _money(reading, line) == reading.currency else None
    return shapes.exchanged(reading, origin, Leg(leg.asset, leg.amount), received, fees, value)


def _money(reading: Reading, line: Line) -> str:
    """Return the money of a line's prices; old exports have it in the names of their columns."""
    stated = line.text("price currency", "spot price currency")
    if stated:
        return asset_named(stated, field_name="price currency")
    for column in line.columns:
        if found := _SPOT.fullmatch(column):
            return found[1].upper()
    return reading.currency


def _value(reading: Reading, line: Line) -> Decimal | None:
    """Return what a line was worth, if the export states it in the portfolio's money."""
    if _money(reading, line) != reading.currency:
        return None
    found = reading.optional(line, "subtotal", f"{reading.currency.lower()} subtotal")
    return found.copy_abs() if found else None


def _origin(reading: Reading, line: Line, *facts: object) -> Origin:
    at_us = reading.moment(line, "timestamp")
    external_id = line.text("id") or reading.fingerprint(at_us, *facts)
    return Origin(at_us, external_id, reading.account, note=line.text("notes"), tx_hash=line.text(*_HASHES))


def read_statement(reading: Reading, lines: Sequence[Line]) -> list[ImportedRow]:
    """Return what became of a Pro account statement; match and fee lines of one trade are joined."""
    rows: list[ImportedRow] = []
    trades: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        if line.text("type").lower() in {"match", "fee", "conversion"}:
            key = (line.text("order id"), line.text("trade id") or line.text("transfer id", "time", "timestamp"))
            trades.setdefault(key, []).append(line)
        else:
            rows.extend(rows_of(_read_movement, reading, line))
    for key, members in trades.items():
        rows.extend(_matched(reading, key, members))
    return rows


def _matched(reading: Reading, key: tuple[str, str], lines: list[Line]) -> list[ImportedRow]:
    try:
        moves = [_move(reading, line) for line in lines]
        at_us = min(reading.moment(line, "time", "timestamp") for line in lines)
        rows: list[ImportedRow] = []
        for place, exchange in enumerate(exchanges_of(moves), start=1):
            external_id = ":".join((key[1], *([] if place == 1 else [str(place)])))
            origin = Origin(at_us, external_id, reading.account, note=f"order {key[0]}" if key[0] else "")
            reading.number_of_line = exchange.line_number
            drafts = shapes.exchanged(reading, origin, exchange.out, exchange.received, exchange.fees)
            rows.extend(ImportedRow(exchange.line_number, draft) for draft in drafts)
    except LineError as error:
        return [refused(line, error) for line in lines]
    return rows


def _move(reading: Reading, line: Line) -> Move:
    asset = reading.asset(line, "amount/balance unit")
    return Move(line, asset, reading.number(line, "amount"), line.text("type").lower() == "fee")


def _read_movement(reading: Reading, line: Line) -> list[EntryDraft]:
    kind, asset = line.required("type"), reading.asset(line, "amount/balance unit")
    amount, at_us = reading.number(line, "amount"), reading.moment(line, "time", "timestamp")
    external_id = line.text("transfer id") or reading.fingerprint(at_us, kind, asset, amount)
    origin = Origin(at_us, external_id, reading.account, note=kind, tx_hash=line.text(*_HASHES))
    if kind.lower() == "deposit":
        return [shapes.arrived(reading, origin, Leg(asset, amount))]
    if kind.lower() == "withdrawal":
        return [shapes.left(reading, origin, Leg(asset, amount.copy_negate()))]
    if kind.lower() == "rebate":
        return shapes.earned(reading, origin, Leg(asset, amount), "reward")
    raise unknown_kind(kind, "type")


def read_fill(reading: Reading, line: Line) -> list[EntryDraft]:
    """Read a line of the fills of Pro or Advanced."""
    base, quote = split_pair(line.required("product"))
    amount, price = reading.positive(line, "size"), reading.positive(line, "price")
    money = line.text("price/fee/total unit").upper() or quote
    fee, at_us = reading.optional(line, "fee"), reading.moment(line, "created at", "time")
    total = multiply(amount, price)
    side = line.required("side").upper()
    legs = shapes.sides(side, Leg(base, amount), Leg(money, total), field="side")
    external_id = line.text("trade id") or reading.fingerprint(at_us, side, base, amount, price)
    origin = Origin(at_us, external_id, reading.account, note=f"{side} {base}/{quote}")
    return shapes.exchanged(reading, origin, *legs, (Leg(money, fee.copy_abs()),) if fee else ())


LAYOUTS: Final = (
    Layout(
        "coinbase",
        "transactions",
        ("timestamp", "transaction type", "asset", "quantity transacted"),
        line_by_line(read_transaction),
    ),
    Layout("coinbase", "Pro account", ("type", "amount", "balance", "amount/balance unit"), read_statement),
    Layout("coinbase", "Pro fills", ("product", "side", "created at", "size", "price", "fee"), line_by_line(read_fill)),
)
