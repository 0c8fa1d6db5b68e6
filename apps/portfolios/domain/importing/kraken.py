"""Kraken: ledgers, whose lines share a reference per event, and trades.

Spot, staking and earn wallets of one Kraken account are one account here, so moves between them need no entry.
"""

import re
from collections.abc import Sequence
from typing import Final

from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.joining import Move, exchanges_of
from apps.portfolios.domain.importing.layouts import Layout
from apps.portfolios.domain.importing.numbers import exact_sum
from apps.portfolios.domain.importing.pairs import split_pair
from apps.portfolios.domain.importing.problems import LineError
from apps.portfolios.domain.importing.reading import (
    ImportedRow,
    Line,
    Reading,
    line_by_line,
    refused,
    rows_of,
    unknown_kind,
    unsupported_kind,
)
from apps.portfolios.domain.importing.shapes import Leg, Origin

#: Kraken's own names of old coins and of money: XXBT, ZUSD.
_NAMES: Final = {
    "XBT": "BTC", "XXBT": "BTC", "XDG": "DOGE", "XXDG": "DOGE", "ETH2": "ETH", "XETH": "ETH", "XETC": "ETC",
    "XLTC": "LTC", "XMLN": "MLN", "XREP": "REP", "XXLM": "XLM", "XXMR": "XMR", "XXRP": "XRP", "XZEC": "ZEC",
    "ZAUD": "AUD", "ZCAD": "CAD", "ZEUR": "EUR", "ZGBP": "GBP", "ZJPY": "JPY", "ZUSD": "USD", "ZCHF": "CHF",
}  # fmt: skip
#: Endings that tell where a coin is held: staked, earning, parachain, on hold.
_HELD: Final = re.compile(r"\d{0,3}\.(?:S|M|F|B|P|T|HOLD)")
_EXCHANGES: Final = frozenset({"trade", "spend", "receive", "sale", "conversion"})
_INCOME: Final = {
    ("staking", ""): "staking", ("dividend", ""): "staking", ("reward", ""): "reward", ("airdrop", ""): "airdrop",
    ("earn", "reward"): "staking", ("earn", "bonus"): "reward", ("invite bonus", ""): "reward",
    ("credit", ""): "reward", ("transfer", ""): "airdrop", ("reward", "bonus"): "reward",
    ("staking", "reward"): "staking",
}  # fmt: skip
_INTERNAL: Final = frozenset({
    ("transfer", "spottostaking"), ("transfer", "stakingfromspot"), ("transfer", "stakingtospot"),
    ("transfer", "spotfromstaking"), ("transfer", "spottofutures"), ("transfer", "spotfromfutures"),
    ("earn", "allocation"), ("earn", "deallocation"), ("earn", "autoallocation"), ("earn", "autoallocate"),
    ("earn", "migration"), ("deposit", "allocation"), ("withdrawal", "allocation"),
})  # fmt: skip
_UNSUPPORTED: Final = frozenset({"margin", "rollover", "settled", "margintrade", "adjustment", "custodytransfer"})


def read_ledgers(reading: Reading, lines: Sequence[Line]) -> list[ImportedRow]:
    """Return what became of the lines of the ledgers; lines of an exchange are joined by their reference."""
    rows: list[ImportedRow] = []
    groups: dict[str, list[Line]] = {}
    for line in lines:
        if line.text("type").lower() not in _EXCHANGES:
            rows.extend(_single(reading, line))
        elif reference := line.text("refid"):
            groups.setdefault(reference, []).append(line)
        else:
            rows.append(refused(line, LineError("cell_missing", 'The column "refid" is empty.', field="refid")))
    for reference, members in groups.items():
        rows.extend(_joined(reading, reference, members))
    return rows


def _single(reading: Reading, line: Line) -> list[ImportedRow]:
    kind = _kind(line)
    if kind in _INTERNAL:
        return [ImportedRow(line.number, note="internal")]
    if "txid" in line.columns and not line.text("txid") and not line.text("balance"):
        return [ImportedRow(line.number, note="pending")]
    return rows_of(_read_single, reading, line)


def _kind(line: Line) -> tuple[str, str]:
    return line.text("type").lower(), line.text("subtype").lower()


def _read_single(reading: Reading, line: Line) -> list[EntryDraft]:
    kind, subtype = _kind(line)
    amount = reading.number(line, "amount")
    fee = reading.optional(line, "fee")
    asset = asset_of(reading.asset(line, "asset"))
    reference = line.required("refid", "txid")
    origin = Origin(reading.moment(line, "time"), reference, reading.account, note=f"{kind} {subtype}".strip())
    if (kind, subtype) in _INCOME:
        net = amount if fee is None else exact_sum((amount, fee.copy_negate()))
        return shapes.earned(reading, origin, Leg(asset, net), _INCOME[kind, subtype])
    if kind == "deposit":
        deposit = shapes.arrived(reading, origin, Leg(asset, amount))
        return [deposit, shapes.charged(reading, _fee_origin(origin), Leg(asset, fee))] if fee else [deposit]
    if kind == "withdrawal":
        return [shapes.left(reading, origin, Leg(asset, amount.copy_negate()), fee)]
    if kind in _UNSUPPORTED:
        raise unsupported_kind(kind, "type")
    raise unknown_kind(f"{line.text('type')} {line.text('subtype')}".strip(), "type")


def _fee_origin(origin: Origin) -> Origin:
    return Origin(origin.at_us, f"{origin.external_id}:fee", origin.account, note=origin.note)


def _joined(reading: Reading, reference: str, lines: list[Line]) -> list[ImportedRow]:
    """Return the entry of the lines of one reference, or refuse them all."""
    try:
        moves = [move for line in lines for move in _moves(reading, line)]
        origin = Origin(min(reading.moment(line, "time") for line in lines), reference, reading.account)
        rows: list[ImportedRow] = []
        for place, exchange in enumerate(exchanges_of(moves), start=1):
            named = origin if place == 1 else Origin(origin.at_us, f"{reference}:{place}", origin.account)
            reading.number_of_line = exchange.line_number
            drafts = shapes.exchanged(reading, named, exchange.out, exchange.received, exchange.fees)
            first = exchange.line_number
            rows.extend(ImportedRow(first, draft) for draft in drafts)
    except LineError as error:
        return [refused(line, error) for line in lines]
    return rows


def _moves(reading: Reading, line: Line) -> list[Move]:
    asset = asset_of(reading.asset(line, "asset"))
    amount = reading.number(line, "amount")
    fee = reading.optional(line, "fee")
    moves = [Move(line, asset, amount)] if amount else []
    return [*moves, Move(line, asset, fee.copy_negate(), is_fee=True)] if fee else moves


def asset_of(symbol: str) -> str:
    """Return the common symbol of a coin that Kraken names in its own way."""
    bare = _HELD.sub("", symbol) if "." in symbol else symbol
    return _NAMES.get(bare, bare)


def read_trade(reading: Reading, line: Line) -> list[EntryDraft]:
    """Read a line of the trades export; its id is the reference that the ledgers have for the same trade."""
    base, quote = (asset_of(asset) for asset in split_pair(line.required("pair")))
    amount, cost = reading.positive(line, "vol"), reading.positive(line, "cost")
    fee = reading.optional(line, "fee")
    if reading.optional(line, "margin"):
        raise unsupported_kind("margin", "margin")
    side = line.required("type").lower()
    legs = shapes.sides(side, Leg(base, amount), Leg(quote, cost), field="type")
    origin = Origin(reading.moment(line, "time"), line.required("txid"), reading.account, note=f"{side} {base}/{quote}")
    return shapes.exchanged(reading, origin, *legs, (Leg(quote, fee),) if fee else ())


LAYOUTS: Final = (
    Layout("kraken", "ledgers", ("refid", "time", "type", "asset", "amount", "fee"), read_ledgers),
    Layout("kraken", "trades", ("txid", "pair", "time", "type", "cost", "fee", "vol"), line_by_line(read_trade)),
)
