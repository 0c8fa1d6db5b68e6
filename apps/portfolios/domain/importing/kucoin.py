"""KuCoin: spot trades and orders, the account ledger, deposits and withdrawals.

All accounts of one KuCoin user (main, trading, earn) are one account here, so moves between them need no entry.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.joining import Exchange, Move, exchanges_of
from apps.portfolios.domain.importing.layouts import Layout
from apps.portfolios.domain.importing.numbers import exact_sum
from apps.portfolios.domain.importing.pairs import split_pair
from apps.portfolios.domain.importing.problems import LineError, quoted
from apps.portfolios.domain.importing.reading import (
    ImportedRow,
    Line,
    Reading,
    asset_named,
    line_by_line,
    refused,
    rows_of,
    unknown_kind,
    unsupported_kind,
)
from apps.portfolios.domain.importing.shapes import Leg, Origin

_DONE: Final = frozenset({"success", "deal", "done", "filled", "completed", ""})
_TIMES: Final = ("tradecreatedat", "filled time", "ordercreatedat", "order time")
_TRADES: Final = frozenset(
    {"spot", "exchange", "trade", "trade exchange", "convert", "convert market", "trade_exchange"}
)
_INTERNAL: Final = frozenset({
    "transfer", "main transfer", "inner transfer", "asset transfer", "sub transfer", "subaccount transfer",
    "staking", "earn subscription", "earn redemption", "kucoin earn subscription", "kucoin earn redemption",
    "pool-x staking", "soft staking", "lending", "redemption",
})  # fmt: skip
_INCOME: Final = {
    "rewards": "reward", "reward": "reward", "kcs bonus": "reward", "kcs pay fees bonus": "reward",
    "airdrop": "airdrop",
    "distribution": "airdrop", "earn profit": "staking", "kucoin earn interest": "interest",
    "staking profits": "staking",
    "soft staking profits": "staking", "referral bonus": "reward", "fee refunds using kcs": "reward",
    "rebate": "reward",
    "fiat reward": "reward", "lending interest": "interest", "other rewards": "reward", "interest": "interest",
}  # fmt: skip
_UNSUPPORTED: Final = frozenset({"margin", "futures", "borrowings", "repayment", "cross margin", "isolated margin"})


def read_trade(reading: Reading, line: Line) -> list[EntryDraft]:
    """Read a fill or a filled order."""
    if line.text("status").lower() not in _DONE:
        return []
    base, quote = split_pair(line.required("symbol"))
    amount = reading.number(line, "filled amount", "dealsize", "size")
    total = reading.number(line, "filled volume", "dealfunds", "funds")
    if not amount and not total:
        return []
    fee = reading.optional(line, "fee") or Decimal(0)
    fee_asset = asset_named(line.text("fee currency", "feecurrency") or quote)
    at_us = reading.moment(line, *(name for name in _TIMES if name in line.columns))
    side = line.required("side").lower()
    legs = shapes.sides(side, Leg(base, amount), Leg(quote, total), field="side")
    order = line.text("order id", "orderid", "id")
    external_id = line.text("trade id", "tradeid") or reading.fingerprint(
        order, at_us, side, base, quote, amount, total, fee, fee_asset
    )
    origin = Origin(at_us, external_id, reading.account, note=f"{side} {base}/{quote}")
    return shapes.exchanged(reading, origin, *legs, (Leg(fee_asset, fee),))


def read_movement(reading: Reading, line: Line) -> list[EntryDraft]:
    """Read a deposit or a withdrawal."""
    if line.text("status").lower() not in _DONE:
        return []
    leaves = "withdrawal address/account" in line.columns or "withdrawal address" in line.columns
    asset, amount = reading.asset(line, "coin"), reading.positive(line, "amount")
    at_us, tx_hash = reading.moment(line, "time"), line.text("hash")
    address = line.text("deposit address", "withdrawal address/account", "withdrawal address")
    external_id = reading.fingerprint("out" if leaves else "in", at_us, asset, amount, tx_hash)
    origin = Origin(at_us, external_id, reading.account, line.text("remarks"), tx_hash, address)
    if leaves:
        return [shapes.left(reading, origin, Leg(asset, amount), reading.optional(line, "fee"))]
    return [shapes.arrived(reading, origin, Leg(asset, amount))]


def read_ledger(reading: Reading, lines: Sequence[Line]) -> list[ImportedRow]:
    """Return what became of the account ledger; the lines of a trade are joined by their time."""
    rows: list[ImportedRow] = []
    trades: dict[str, list[Line]] = {}
    for line in lines:
        word = line.text("remark").lower()
        if word in _TRADES:
            trades.setdefault(line.text("time"), []).append(line)
        elif word in _INTERNAL:
            rows.append(ImportedRow(line.number, note="internal"))
        else:
            rows.extend(rows_of(_read_ledger_line, reading, line))
    for members in trades.values():
        rows.extend(_joined(reading, members))
    return rows


def _read_ledger_line(reading: Reading, line: Line) -> list[EntryDraft]:
    word, leg = line.required("remark"), Leg(reading.asset(line, "currency"), reading.number(line, "amount").copy_abs())
    at_us, comes = reading.moment(line, "time"), _comes(line)
    origin = Origin(at_us, reading.fingerprint(at_us, word.lower(), comes, *_facts(leg)), reading.account, note=word)
    if word.lower() in _INCOME and comes:
        return shapes.earned(reading, origin, leg, _INCOME[word.lower()])
    if word.lower() in {"deposit", "fiat deposit"} and comes:
        return [shapes.arrived(reading, origin, leg)]
    if word.lower() in {"withdrawal", "withdraw", "fiat withdrawal"} and not comes:
        fee = reading.optional(line, "fee") or Decimal(0)
        arrives = Leg(leg.asset, exact_sum((leg.amount, fee.copy_negate())))
        return [shapes.left(reading, origin, arrives, fee)]
    if word.lower() in _UNSUPPORTED:
        raise unsupported_kind(word, "remark")
    raise unknown_kind(word, "remark")


def _comes(line: Line) -> bool:
    side = line.required("side").lower()
    if side not in {"deposit", "withdrawal", "in", "out"}:
        raise LineError("kind_unknown", f"{quoted(side)} is neither Deposit nor Withdrawal.", field="side")
    return side in {"deposit", "in"}


def _joined(reading: Reading, lines: list[Line]) -> list[ImportedRow]:
    """Return the exchanges of one moment, or refuse all of its lines."""
    try:
        moves = [move for line in lines for move in _moves(reading, line)]
        at_us = reading.moment(lines[0], "time")
        rows: list[ImportedRow] = []
        for exchange in exchanges_of(moves):
            origin = Origin(at_us, reading.fingerprint(at_us, *_exchange_facts(exchange)), reading.account)
            reading.number_of_line = exchange.line_number
            drafts = shapes.exchanged(reading, origin, exchange.out, exchange.received, exchange.fees)
            rows.extend(ImportedRow(exchange.line_number, draft) for draft in drafts)
    except LineError as error:
        return [refused(line, error) for line in lines]
    return rows


def _moves(reading: Reading, line: Line) -> list[Move]:
    """Return the moves of a ledger line, whose amount has the fee in it."""
    asset, amount = reading.asset(line, "currency"), reading.number(line, "amount").copy_abs()
    fee = reading.optional(line, "fee") or Decimal(0)
    signed = amount if _comes(line) else amount.copy_negate()
    moves = [Move(line, asset, exact_sum((signed, fee)))]
    return [*moves, Move(line, asset, fee.copy_negate(), is_fee=True)] if fee else moves


def _exchange_facts(exchange: Exchange) -> list[object]:
    return [fact for leg in (exchange.out, exchange.received, *exchange.fees) for fact in _facts(leg)]


def _facts(leg: Leg) -> tuple[object, ...]:
    return leg.asset, leg.amount


_READ_TRADES: Final = line_by_line(read_trade)
_READ_MOVEMENTS: Final = line_by_line(read_movement)
LAYOUTS: Final = (
    Layout("kucoin", "spot trades", ("tradecreatedat", "symbol", "side", "size", "funds"), _READ_TRADES),
    Layout("kucoin", "spot orders", ("ordercreatedat", "symbol", "side", "dealsize", "dealfunds"), _READ_TRADES),
    Layout("kucoin", "filled orders", ("symbol", "side", "filled amount", "filled volume", "fee"), _READ_TRADES),
    Layout("kucoin", "account ledger", ("account type", "currency", "side", "amount", "time", "remark"), read_ledger),
    Layout("kucoin", "withdrawals", ("coin", "amount", "time", "hash", "withdrawal address/account"), _READ_MOVEMENTS),
    Layout("kucoin", "deposits", ("coin", "amount", "time", "hash", "deposit address"), _READ_MOVEMENTS),
)
