"""Koinly: the export of transactions and the universal format. Its wallets become accounts of the same names."""

from typing import Final

from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.layouts import Layout
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

_INCOME: Final = {
    "reward": "reward", "rewards": "reward", "staking": "staking", "staking reward": "staking", "airdrop": "airdrop",
    "mining": "mining", "fork": "fork", "lending interest": "interest", "loan interest": "interest",
    "interest": "interest", "other income": "income", "income": "income", "salary": "salary", "cashback": "cashback",
    "dividend": "dividend", "fee refund": "reward", "royalties": "income",
}  # fmt: skip
_SPENDS: Final = frozenset({"gift", "lost", "donation", "payment", "stolen", "theft", "burn", "spend", "expense"})
_CHARGES: Final = frozenset({"cost", "fee", "loan fee", "margin fee"})
_TRADES: Final = frozenset({"", "swap", "trade", "exchange", "wrap", "unwrap", "mint", "buy", "sell"})
_ARRIVALS: Final = frozenset({"", "gift", "deposit", "receive", "from pool", "remove funds"})
_DEPARTURES: Final = frozenset({"", "withdrawal", "send", "to pool", "add funds"})
_UNSUPPORTED: Final = frozenset({
    "realized gain", "realised gain", "realized p&l", "realised p&l", "margin loan", "margin repayment", "loan",
    "loan repayment", "liquidity in", "liquidity out", "margin trade", "futures",
})  # fmt: skip


def read_line(reading: Reading, line: Line) -> list[EntryDraft]:
    """Read a line: what was sent, what was received, the fee, and a label that says why."""
    label = line.text("tag", "label").lower().replace("_", " ")
    if label in {"ignored", "ignore"} or line.text("deleted").lower() == "true":
        return []
    if label in _UNSUPPORTED:
        raise unsupported_kind(label, "label")
    sent = _leg(reading, line, ("from amount", "sent amount"), ("from currency", "sent currency"))
    received = _leg(reading, line, ("to amount", "received amount"), ("to currency", "received currency"))
    fee = _leg(reading, line, ("fee amount",), ("fee currency",))
    origin = _origin(reading, line, label, sent, received, fee)
    if sent and received:
        return _both(reading, line, origin, label, (sent, received, fee))
    if received:
        return [*_incoming(reading, line, origin, label, received), *_fee_beside(reading, origin, fee)]
    if sent:
        return _outgoing(reading, line, origin, label, (sent, fee))
    if fee:
        return [shapes.charged(reading, origin, fee)]
    raise LineError("cell_missing", "Neither a sent nor a received amount is given.")


def _both(
    reading: Reading, line: Line, origin: Origin, label: str, legs: tuple[Leg, Leg, Leg | None]
) -> list[EntryDraft]:
    sent, received, fee = legs
    if sent.asset == received.asset:
        target = line.text("to wallet (read-only)", "receiving wallet") or origin.account
        if target == origin.account:
            raise LineError("same_account", "A transfer needs two different wallets.", field="to wallet")
        inside = fee.amount if fee and fee.asset == sent.asset and sent.amount == received.amount else None
        if inside is not None:
            sent = shapes.plus(sent, inside)
        beside = None if inside is not None else fee
        if beside and beside.asset == sent.asset:
            beside = None
        return [
            shapes.moved(reading, origin, sent, received.amount, target),
            *_fee_beside(reading, origin, beside),
        ]
    if label not in _TRADES and line.text("type").lower() not in _TRADES:
        raise unknown_kind(label, "label")
    return shapes.exchanged(reading, origin, sent, received, (fee,) if fee else (), _worth(reading, line))


def _incoming(reading: Reading, line: Line, origin: Origin, label: str, leg: Leg) -> list[EntryDraft]:
    if label in _INCOME:
        return shapes.earned(reading, origin, leg, _INCOME[label], _worth(reading, line))
    if label in _ARRIVALS:
        return [shapes.arrived(reading, origin, leg)]
    raise unknown_kind(label, "label")


def _outgoing(
    reading: Reading, line: Line, origin: Origin, label: str, legs: tuple[Leg, Leg | None]
) -> list[EntryDraft]:
    sent, fee = legs
    if label in _DEPARTURES:
        own = fee is not None and fee.asset == sent.asset
        draft = shapes.left(reading, origin, sent, fee.amount if fee and own else None)
        return [draft, *_fee_beside(reading, origin, None if own else fee)]
    if label in _SPENDS or label in _CHARGES:
        book = shapes.spent if label in _SPENDS else shapes.charged
        return [book(reading, origin, sent, _worth(reading, line)), *_fee_beside(reading, origin, fee)]
    raise unknown_kind(label, "label")


def _fee_beside(reading: Reading, origin: Origin, fee: Leg | None) -> list[EntryDraft]:
    return [shapes.charged(reading, shapes.beside(origin, "fee"), fee)] if fee else []


def _leg(reading: Reading, line: Line, amounts: tuple[str, ...], assets: tuple[str, ...]) -> Leg | None:
    amount = reading.optional(line, *amounts)
    if not amount:
        return None
    return Leg(asset_named(line.required(*assets).partition(";")[0], field_name=assets[0]), amount.copy_abs())


def _worth(reading: Reading, line: Line) -> "shapes.Worth":
    """Return the net worth that the file states, if it is in the portfolio's money."""
    money = line.text("net worth currency").partition(";")[0].upper()
    return reading.optional(line, "net worth amount") if money == reading.currency else None


def _origin(reading: Reading, line: Line, label: str, *legs: Leg | None) -> Origin:
    at_us = reading.moment(line, "date")
    facts = [fact for leg in legs for fact in ((leg.asset, leg.amount) if leg else ("",))]
    tx_hash = line.text("txhash")
    external_id = line.text("id (read-only)") or reading.fingerprint(at_us, label, tx_hash, *facts)
    wallets = ("from wallet (read-only)", "sending wallet", "to wallet (read-only)", "receiving wallet")
    return Origin(
        at_us, external_id, line.text(*wallets) or reading.account,
        note=line.text("description"), tx_hash=tx_hash, address=line.text("txdest"),
    )  # fmt: skip


LAYOUTS: Final = (
    Layout(
        "koinly", "transactions", ("date", "type", "from amount", "from currency", "to amount", "to currency"),
        line_by_line(read_line),
    ),
    Layout(
        "koinly", "universal", ("date", "sent amount", "sent currency", "received amount", "received currency"),
        line_by_line(read_line),
    ),
)  # fmt: skip
