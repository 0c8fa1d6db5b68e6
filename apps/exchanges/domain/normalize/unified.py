"""Rows in ccxt's own shape, of venues that have no reader of their own here."""

from decimal import Decimal
from typing import Any, Final

from apps.core.money import multiply
from apps.exchanges.domain.normalize.shaping import Desk, Reader, needed, number, optional, split, traded, unknown, word
from apps.exchanges.domain.reading import Stream, VenueRow
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.shapes import Leg

_DONE: Final = "ok"


def _trade(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    base, quote = split(needed(told, "symbol").partition(":")[0])
    side, amount = needed(told, "side").lower(), number(told, "amount")
    if side not in {"buy", "sell"}:
        raise unknown(side)
    cost = optional(told, "cost") or multiply(number(told, "price"), amount)
    fee = _fee(desk, told)
    origin = desk.origin(row, note=f"{side} {base}/{quote}")
    return traded(desk, origin, buys=side == "buy", base=desk.leg(base, amount), quote=desk.leg(quote, cost), fee=fee)


def _fee(desk: Desk, told: Any) -> Leg | None:  # noqa: ANN401 - a payload
    fee = told.get("fee")
    if not isinstance(fee, dict) or fee.get("cost") in {None, ""} or not fee.get("currency"):
        return None
    return desk.leg(needed(fee, "currency"), number(fee, "cost"))


def _deposit(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    if needed(told, "status") != _DONE:
        return []
    leg = desk.leg(needed(told, "currency"), number(told, "amount"))
    return [shapes.arrived(desk.reading, _origin(desk, row), leg)]


def _withdrawal(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    if needed(told, "status") != _DONE:
        return []
    fee = _fee(desk, told)
    leg = desk.leg(needed(told, "currency"), number(told, "amount"))
    taken = fee.amount if fee is not None and fee.asset == leg.asset else Decimal(0)
    return [shapes.left(desk.reading, _origin(desk, row), leg, taken)]


def _origin(desk: Desk, row: VenueRow) -> shapes.Origin:
    told = row.payload
    return desk.origin(row, note=word(told, "network"), tx_hash=word(told, "txid"), address=word(told, "address"))


READERS: Final[dict[Stream, Reader]] = {
    Stream.TRADES: _trade,
    Stream.DEPOSITS: _deposit,
    Stream.WITHDRAWALS: _withdrawal,
}
