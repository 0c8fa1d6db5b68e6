"""rotki: history events, and the generic files of trades and events. Its locations become accounts."""

from collections.abc import Sequence
from typing import Final

from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.joining import Move, exchanges_of
from apps.portfolios.domain.importing.layouts import Layout
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
    unsupported_kind,
)
from apps.portfolios.domain.importing.shapes import Leg, Origin

_INCOME: Final = {
    "staking": "staking", "income": "income", "airdrop": "airdrop", "interest": "interest", "gift": "gift",
    "reward": "reward", "dividends income": "dividend", "dividend": "dividend", "mining": "mining",
    "donation received": "gift", "grant": "income", "lending income": "interest",
}  # fmt: skip
_SPENDS: Final = frozenset({"loss", "expense", "spend", "donation", "lost", "stolen"})
_TRADES: Final = frozenset({"trade", "multi trade", "swap"})
_SIDES: Final = {"spend": -1, "receive": 1, "fee": -1}
#: Event types and subtypes of history events that stand alone.
_EVENTS: Final = {
    ("deposit", "deposit asset"): "arrives", ("withdrawal", "remove asset"): "leaves",
    ("exchange transfer", "receive"): "arrives", ("exchange transfer", "spend"): "leaves",
    ("receive", "none"): "arrives", ("receive", ""): "arrives", ("spend", "none"): "spend", ("spend", ""): "spend",
    ("spend", "payment"): "spend", ("spend", "donate"): "spend", ("loss", "none"): "spend", ("loss", "hack"): "spend",
    ("spend", "fee"): "fee", ("deposit", "fee"): "fee", ("withdrawal", "fee"): "fee",
    ("exchange transfer", "fee"): "fee",
    ("staking", "reward"): "staking", ("receive", "reward"): "reward", ("receive", "airdrop"): "airdrop",
    ("receive", "interest"): "interest", ("receive", "cashback"): "cashback",
    ("staking", "block production"): "staking",
    ("staking", "mev reward"): "staking", ("receive", "payment"): "income", ("receive", "donate"): "gift",
}  # fmt: skip
_SILENT: Final = frozenset({"informational", "staking deposit asset", "staking remove asset"})


def read_generic_trade(reading: Reading, line: Line) -> list[EntryDraft]:
    """Read a line of the generic trades."""
    base, quote = reading.asset(line, "base currency"), reading.asset(line, "quote currency")
    bought, sold = reading.positive(line, "buy amount"), reading.positive(line, "sell amount")
    side = line.required("type").lower()
    coin, money = (Leg(base, bought), Leg(quote, sold)) if side == "buy" else (Leg(base, sold), Leg(quote, bought))
    legs = shapes.sides(side, coin, money, field="type")
    fee = _fee(reading, line)
    origin = _origin(reading, line, side, base, quote, bought, sold, *(fee.asset, fee.amount) if fee else ())
    return shapes.exchanged(reading, origin, *legs, (fee,) if fee else ())


def read_generic_event(reading: Reading, line: Line) -> list[EntryDraft]:
    """Read a line of the generic events."""
    word = line.required("type")
    kind, fee = word.lower(), _fee(reading, line)
    leg = Leg(reading.asset(line, "currency", "asset"), reading.positive(line, "amount"))
    origin = _origin(reading, line, kind, leg.asset, leg.amount)
    beside = [shapes.charged(reading, shapes.beside(origin, "fee"), fee)] if fee else []
    if kind == "withdrawal":
        own = fee is not None and fee.asset == leg.asset
        return [shapes.left(reading, origin, leg, fee.amount if fee and own else None), *([] if own else beside)]
    if kind == "deposit":
        return [shapes.arrived(reading, origin, leg), *beside]
    if kind in _INCOME:
        return [*shapes.earned(reading, origin, leg, _INCOME[kind]), *beside]
    if kind in _SPENDS:
        return [shapes.spent(reading, origin, leg), *beside]
    raise unknown_kind(word, "type")


def _fee(reading: Reading, line: Line) -> Leg | None:
    amount = reading.optional(line, "fee")
    return Leg(reading.asset(line, "fee currency"), amount.copy_abs()) if amount else None


def _origin(reading: Reading, line: Line, *facts: object) -> Origin:
    at_us, account = reading.moment(line, "timestamp"), line.text("location") or reading.account
    external_id = reading.fingerprint(at_us, account, *facts)
    return Origin(at_us, external_id, account, note=line.text("description"))


def read_events(reading: Reading, lines: Sequence[Line]) -> list[ImportedRow]:
    """Return what became of exported history events; the events of a trade are joined by their group."""
    rows: list[ImportedRow] = []
    trades: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        kind, subtype = _kind(line)
        if kind in _TRADES:
            group = line.text("group_identifier", "event_identifier", "timestamp")
            trades.setdefault((line.text("location"), group), []).append(line)
        elif kind in _SILENT or f"{kind} {subtype}" in _SILENT:
            rows.append(ImportedRow(line.number, note="internal"))
        else:
            rows.extend(rows_of(_read_event, reading, line))
    for (_location, group), members in trades.items():
        rows.extend(_joined(reading, group, members))
    return rows


def _kind(line: Line) -> tuple[str, str]:
    kind, subtype = line.text("event_type"), line.text("event_subtype")
    return kind.lower().replace("_", " "), subtype.lower().replace("_", " ")


def _read_event(reading: Reading, line: Line) -> list[EntryDraft]:
    kind, subtype = _kind(line)
    what = _EVENTS.get((kind, subtype))
    if kind == "margin":
        raise unsupported_kind(kind, "event_type")
    if what is None:
        raise unknown_kind(f"{kind} {subtype}".strip(), "event_type")
    leg, origin = _event_leg(reading, line), _event_origin(reading, line, line.text("identifier"))
    if what == "arrives":
        return [shapes.arrived(reading, origin, leg)]
    if what == "leaves":
        return [shapes.left(reading, origin, leg)]
    if what in {"spend", "fee"}:
        return [(shapes.spent if what == "spend" else shapes.charged)(reading, origin, leg)]
    return shapes.earned(reading, origin, leg, what)


def _event_leg(reading: Reading, line: Line) -> Leg:
    return Leg(asset_named(line.required("asset_symbol", "asset")), reading.number(line, "amount", "amount").copy_abs())


def _event_origin(reading: Reading, line: Line, external_id: str) -> Origin:
    at_us, leg = reading.moment(line, "timestamp"), _event_leg(reading, line)
    account = line.text("location_label", "location") or reading.account
    return Origin(
        at_us, external_id or reading.fingerprint(at_us, account, *_kind(line), leg.asset, leg.amount), account,
        note=line.text("user_notes", "notes"), tx_hash=line.text("tx_hash", "tx_ref"), address=line.text("address"),
    )  # fmt: skip


def _joined(reading: Reading, group: str, lines: list[Line]) -> list[ImportedRow]:
    """Return the entry of one trade, or refuse all of its events."""
    try:
        moves = [_move(reading, line) for line in lines]
        rows: list[ImportedRow] = []
        for place, exchange in enumerate(exchanges_of(moves), start=1):
            first = min((move.line for move in exchange.moves), key=lambda line: line.number)
            origin = _event_origin(reading, first, group if place == 1 else f"{group}:{place}")
            reading.number_of_line = exchange.line_number
            drafts = shapes.exchanged(reading, origin, exchange.out, exchange.received, exchange.fees)
            rows.extend(ImportedRow(first.number, draft) for draft in drafts)
    except LineError as error:
        return [refused(line, error) for line in lines]
    return rows


def _move(reading: Reading, line: Line) -> Move:
    _kind_word, subtype = _kind(line)
    if subtype not in _SIDES:
        raise unknown_kind(f"trade {subtype}".strip(), "event_subtype")
    leg = _event_leg(reading, line)
    amount = leg.amount if _SIDES[subtype] > 0 else leg.amount.copy_negate()
    return Move(line, leg.asset, amount, is_fee=subtype == "fee")


LAYOUTS: Final = (
    Layout(
        "rotki", "generic trades", ("location", "base currency", "quote currency", "type", "buy amount", "sell amount"),
        line_by_line(read_generic_trade),
    ),
    Layout(
        "rotki", "generic events", ("type", "location", "amount", "fee", "fee currency", "timestamp"),
        line_by_line(read_generic_event),
    ),
    Layout(
        "rotki", "history events", ("timestamp", "location", "asset", "amount", "event_type", "event_subtype"),
        read_events,
    ),
)  # fmt: skip
