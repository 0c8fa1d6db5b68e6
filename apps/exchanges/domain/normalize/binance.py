"""Binance: fills, deposits, withdrawals, dividends, conversions, dust and fiat orders as entries."""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from apps.exchanges.domain.normalize.shaping import (
    Desk,
    Payload,
    Reader,
    needed,
    number,
    optional,
    split,
    traded,
    with_money,
    word,
)
from apps.exchanges.domain.reading import Stream, VenueRow
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.binance_kinds import Kind, kind_of
from apps.portfolios.domain.importing.numbers import exact_sum
from apps.portfolios.domain.importing.problems import LineError
from apps.portfolios.domain.importing.shapes import Leg

#: Deposits: credited (6) and done (1) are there; the others are on the way, or never come.
_ARRIVED: Final = frozenset({"1", "6"})
_SENT: Final = frozenset({"6"})
#: A deposit or withdrawal between two Binance users has this mark; there is no chain and no hash.
_WITHIN: Final = "1"
_DONE: Final = frozenset({"successful", "success", "completed", "finished", "processed"})
_CONVERTED: Final = "SUCCESS"
#: Words in what Binance says of a dividend, and the kind of income they mean; the first that fits counts.
_DIVIDENDS: Final = (
    ("airdrop", "airdrop"),
    ("distribution", "airdrop"),
    ("staking", "staking"),
    ("flexible", "interest"),
    ("locked", "interest"),
    ("savings", "interest"),
    ("interest", "interest"),
    ("launchpool", "interest"),
    ("mining", "mining"),
    ("rebate", "reward"),
    ("commission", "reward"),
    ("referral", "reward"),
)


def _trade(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    base, quote = split(row.symbol)
    side = "buy" if told.get("isBuyer") is True else "sell"
    return traded(
        desk,
        desk.origin(row, note=f"{side} {row.symbol}"),
        buys=side == "buy",
        base=desk.leg(base, number(told, "qty")),
        quote=desk.leg(quote, number(told, "quoteQty")),
        fee=desk.leg(needed(told, "commissionAsset"), number(told, "commission")),
    )


def _deposit(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    if needed_status(told) not in _ARRIVED:
        return []
    origin = desk.origin(row, note=_route(told), tx_hash=_hash(told), address=word(told, "address"))
    return [shapes.arrived(desk.reading, origin, desk.leg(needed(told, "coin"), number(told, "amount")))]


def _withdrawal(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    if needed_status(told) not in _SENT:
        return []
    origin = desk.origin(row, note=_route(told), tx_hash=_hash(told), address=word(told, "address"))
    leg = desk.leg(needed(told, "coin"), number(told, "amount"))
    return [shapes.left(desk.reading, origin, leg, optional(told, "transactionFee"))]


def needed_status(told: Payload) -> str:
    """Return the state of a transfer, zero included, or raise `LineError`."""
    value = told.get("status")
    if value is None or value == "":
        raise LineError("field_missing", "The exchange did not tell status.", field="status")
    return str(value)


def _route(told: Payload) -> str:
    if word(told, "transferType") == _WITHIN:
        return "within Binance"
    return word(told, "network")


def _hash(told: Payload) -> str:
    """Return the hash on the chain; a transfer within Binance has a number of Binance's in its place."""
    found = word(told, "txId")
    return "" if word(told, "transferType") == _WITHIN or " " in found else found


def _dividend(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    if word(told, "direction") == "-1":
        raise LineError("sign_unexpected", "Binance takes something back here. Enter it by hand.", field="direction")
    info = word(told, "enInfo")
    leg = desk.leg(needed(told, "asset"), number(told, "amount"))
    return shapes.earned(desk.reading, desk.origin(row, note=info), leg, income_of(info))


def income_of(info: str) -> str:
    """Return the kind of income that Binance means by what it says of a dividend."""
    try:
        kind, income = kind_of(info)
    except LineError:
        kind, income = Kind.INCOME, ""
    if kind is Kind.INCOME and income:
        return income
    lowered = info.lower()
    return next((income for sign, income in _DIVIDENDS if sign in lowered), "reward")


def _conversion(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    if needed(told, "orderStatus") != _CONVERTED:
        return []
    out = desk.leg(needed(told, "fromAsset"), number(told, "fromAmount"))
    received = desk.leg(needed(told, "toAsset"), number(told, "toAmount"))
    return with_money(desk, shapes.exchanged(desk.reading, desk.origin(row, note="Convert"), out, received))


def _dust(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    """Read one coin of a cleaning up: what arrived is told without the fee, which was taken from it."""
    told = row.payload
    fee, net = optional(told, "serviceChargeAmount"), number(told, "transferedAmount")
    target = word(told, "targetAsset") or "BNB"
    received = desk.leg(target, exact_sum((net, fee)))
    fees = (desk.leg(target, fee),) if fee else ()
    out = desk.leg(needed(told, "fromAsset"), number(told, "amount"))
    return with_money(desk, shapes.exchanged(desk.reading, desk.origin(row, note="small amounts"), out, received, fees))


def _fiat(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    if needed(told, "status").lower() not in _DONE:
        return []
    comes = word(told, "_type") == "0"
    return _fiat_order(desk, row, comes) if word(told, "_list") == "fiat_orders" else _card(desk, row, comes)


def _fiat_order(desk: Desk, row: VenueRow, comes: bool) -> list[EntryDraft]:  # noqa: FBT001 - a side, read at once
    """Read money that came from a bank or went there; what was taken for it lies between the two amounts."""
    told = row.payload
    money, fee = desk.coin(needed(told, "fiatCurrency")), optional(told, "totalFee")
    arrives = Leg(money, number(told, "amount"))
    origin = desk.origin(row, note=word(told, "method"))
    if comes:
        return [shapes.arrived(desk.reading, origin, arrives)]
    return [shapes.left(desk.reading, origin, arrives, fee)]


def _card(desk: Desk, row: VenueRow, buys: bool) -> list[EntryDraft]:  # noqa: FBT001 - a side, read at once
    """Read a coin bought with a card, or sold to one: the money never lies in the account."""
    told = row.payload
    money, coin = desk.coin(needed(told, "fiatCurrency")), desk.coin(needed(told, "cryptoCurrency"))
    origin = desk.origin(row, note=word(told, "paymentMethod"))
    paid, obtained = number(told, "sourceAmount"), number(told, "obtainAmount")
    fee = optional(told, "totalFee")
    leg = Leg(coin, obtained if buys else paid)
    draft = (shapes.bought if buys else shapes.sold)(desk.reading, origin, leg)
    if money != desk.reading.currency:
        return [draft]
    gross = exact_sum((paid, fee.copy_negate())) if buys else exact_sum((obtained, fee))
    return [_valued(draft, gross, fee)]


def _valued(draft: EntryDraft, value: Decimal, fee: Decimal) -> EntryDraft:
    return replace(draft, value=value, fee=fee or None, fee_asset=None)


READERS: Final[dict[Stream, Reader]] = {
    Stream.TRADES: _trade,
    Stream.DEPOSITS: _deposit,
    Stream.WITHDRAWALS: _withdrawal,
    Stream.REWARDS: _dividend,
    Stream.CONVERSIONS: _conversion,
    Stream.DUST: _dust,
    Stream.FIAT: _fiat,
}
