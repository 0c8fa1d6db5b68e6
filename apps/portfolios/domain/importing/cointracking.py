"""CoinTracking: the trade table. Its amounts have the fee in them; its exchanges become accounts of the same names."""

from decimal import Decimal
from typing import Final

from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.layouts import Layout
from apps.portfolios.domain.importing.numbers import exact_sum
from apps.portfolios.domain.importing.problems import LineError
from apps.portfolios.domain.importing.reading import (
    Line,
    Reading,
    asset_named,
    line_by_line,
    unknown_kind,
    unsupported_kind,
)
from apps.portfolios.domain.importing.shapes import Leg, Origin

_TRADES: Final = frozenset({"trade", "swap (non taxable)", "swap"})
_INCOME: Final = {
    "income": "income", "income (non taxable)": "income", "other income": "income", "staking": "staking",
    "masternode": "staking", "mining": "mining", "mining (commercial)": "mining", "minting": "staking",
    "airdrop": "airdrop", "airdrop (non taxable)": "airdrop", "interest income": "interest",
    "lending income": "interest", "dividends income": "dividend", "reward / bonus": "reward", "reward/bonus": "reward",
    "gift/tip": "gift", "hard fork": "fork", "fork": "fork",
}  # fmt: skip
_SPENDS: Final = frozenset({
    "spend", "donation", "gift", "lost", "stolen", "expense", "expense (non taxable)", "gift (non taxable)",
})  # fmt: skip
_CHARGES: Final = frozenset({"other fee", "fee", "settlement fee"})
_UNSUPPORTED: Final = frozenset({
    "borrowing fee", "derivatives / futures profit", "derivatives / futures loss", "margin profit", "margin loss",
    "margin fee", "lending deposit", "provide liquidity", "remove liquidity", "receive lp token", "return lp token",
    "loan", "collateral", "liquidity out", "liquidity in", "receive loan", "repay loan",
})  # fmt: skip


def read_line(reading: Reading, line: Line) -> list[EntryDraft]:
    """Read a line of the trade table."""
    word = line.required("type")
    kind = word.lower()
    if kind in _UNSUPPORTED:
        raise unsupported_kind(word, "type")
    bought = _leg(reading, line, ("buy", "buy amount"), ("cur.", "buy currency"))
    sold = _leg(reading, line, ("sell", "sell amount"), ("cur.#2", "sell currency"))
    fee = _leg(reading, line, ("fee", "fee amount"), ("cur.#3", "fee currency"))
    origin = _origin(reading, line, kind, bought, sold, fee)
    if kind in _TRADES:
        return _trade(reading, origin, _needed(sold, "sell"), _needed(bought, "buy"), fee)
    if kind == "withdrawal":
        return _withdrawal(reading, origin, _needed(sold, "sell"), fee)
    if kind == "deposit":
        return [shapes.arrived(reading, origin, _needed(bought, "buy"))]
    if kind in _INCOME:
        return shapes.earned(reading, origin, _needed(bought, "buy"), _INCOME[kind])
    if kind in _SPENDS or kind in _CHARGES:
        book = shapes.spent if kind in _SPENDS else shapes.charged
        return [book(reading, origin, _needed(sold, "sell"))]
    raise unknown_kind(word, "type")


def _trade(reading: Reading, origin: Origin, sold: Leg, bought: Leg, fee: Leg | None) -> list[EntryDraft]:
    """Take the fee out of the amount that has it in it; a fee in a third coin stands beside."""
    if fee and fee.asset == sold.asset:
        sold = shapes.plus(sold, fee.amount.copy_negate())
    elif fee and fee.asset == bought.asset:
        bought = shapes.plus(bought, fee.amount)
    return shapes.exchanged(reading, origin, sold, bought, (fee,) if fee else ())


def _withdrawal(reading: Reading, origin: Origin, sold: Leg, fee: Leg | None) -> list[EntryDraft]:
    if fee and fee.asset == sold.asset:
        arrives = exact_sum((sold.amount, fee.amount.copy_negate()))
        return [shapes.left(reading, origin, Leg(sold.asset, arrives), fee.amount)]
    draft = shapes.left(reading, origin, sold)
    return [draft, shapes.charged(reading, shapes.beside(origin, "fee"), fee)] if fee else [draft]


def _needed(leg: Leg | None, side: str) -> Leg:
    if leg is None:
        raise LineError("cell_missing", f'The column "{side}" is empty.', field=side)
    return leg


def _leg(reading: Reading, line: Line, amounts: tuple[str, ...], assets: tuple[str, ...]) -> Leg | None:
    amount = reading.optional(line, *amounts)
    if amount is None or (not amount and amounts[0] == "fee"):
        return None
    return Leg(asset_named(line.required(*assets), field_name=assets[0]), Decimal(amount).copy_abs())


def _origin(reading: Reading, line: Line, kind: str, *legs: Leg | None) -> Origin:
    at_us, tx_hash = reading.moment(line, "date", "trade date"), line.text("tx-id", "txid")
    facts = [fact for leg in legs for fact in ((leg.asset, leg.amount) if leg else ("",))]
    external_id = reading.fingerprint(at_us, kind, line.text("exchange"), tx_hash, *facts)
    note = line.text("comment") or line.text("group", "trade group")
    return Origin(at_us, external_id, line.text("exchange") or reading.account, note=note, tx_hash=tx_hash)


LAYOUTS: Final = (
    Layout("cointracking", "trade table", ("type", "buy", "cur.", "sell", "cur.#2", "date"), line_by_line(read_line)),
    Layout(
        "cointracking", "trade table",
        ("type", "buy amount", "buy currency", "sell amount", "sell currency", "date"), line_by_line(read_line),
    ),
)  # fmt: skip
