"""Coinbase: fills of Advanced Trade and the transactions of wallets as entries.

A conversion is told by two wallets, each its own side; so it becomes a sale and a purchase at the value that Coinbase
states for each. Vaults, savings and staking are one account here.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from apps.core.money import multiply
from apps.exchanges.domain.normalize.shaping import Desk, Reader, needed, number, optional, split, traded, unknown, word
from apps.exchanges.domain.reading import Stream, VenueRow
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.numbers import exact_sum
from apps.portfolios.domain.importing.problems import LineError
from apps.portfolios.domain.importing.shapes import Leg

_TOLD_ELSEWHERE: Final = frozenset({"advanced_trade_fill"})
_INCOME: Final = {
    "staking_reward": "staking",
    "inflation_reward": "staking",
    "interest": "interest",
    "earn_payout": "reward",
    "incentives_rewards_payout": "reward",
    "incentives_shared_clawback": "reward",
    "subscription_rebate": "reward",
    "clawback": "reward",
    "tx_reward": "reward",
    "airdrop": "airdrop",
    "cardbuyback": "reward",
}
_MOVES: Final = frozenset({
    "send", "request", "fiat_deposit", "fiat_withdrawal", "exchange_deposit", "exchange_withdrawal", "pro_deposit",
    "pro_withdrawal", "onchain_send", "receive", "derivatives_settlement", "sweep",
})  # fmt: skip
_INTERNAL: Final = frozenset({
    "transfer", "vault_withdrawal", "vault_deposit", "staking_transfer", "unstaking_transfer", "wrap_asset",
    "unwrap_asset", "retail_eth2_deprecation", "cash_to_savings", "savings_to_cash", "asset_migration",
    "intx_deposit", "intx_withdrawal",
})  # fmt: skip
_TRADED: Final = frozenset({"buy", "sell", "trade", "convert", "wrap", "retail_simple_dust"})
_SPENT: Final = frozenset({"cardspend", "order", "paid_for_an_order", "gift", "donation"})
_COUNTED: Final = frozenset({"completed", "confirmed", ""})


def _fill(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    base, quote = split(needed(told, "product_id"))
    price, size = number(told, "price"), number(told, "size")
    if told.get("size_in_quote") is True:
        raise LineError("size_in_quote", "This fill tells its size in money. Enter it by hand.", field="size")
    side = needed(told, "side").lower()
    if side not in {"buy", "sell"}:
        raise unknown(side)
    return traded(
        desk,
        desk.origin(row, note=f"{side} {base}/{quote}"),
        buys=side == "buy",
        base=desk.leg(base, size),
        quote=desk.leg(quote, multiply(price, size)),
        fee=desk.leg(quote, number(told, "commission")),
    )


def _transaction(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    kind = needed(told, "type").lower()
    if word(told, "status").lower() not in _COUNTED or kind in _TOLD_ELSEWHERE or kind in _INTERNAL:
        return []
    amount = number(told["amount"], "amount")
    asset = desk.coin(needed(told["amount"], "currency"))
    if not amount:
        return []
    origin = desk.origin(
        row, note=_title(told), tx_hash=_of(told, "network", "hash"), address=_of(told, "to", "address")
    )
    leg, value = Leg(asset, amount.copy_abs()), _value(desk, told)
    if kind in _INCOME and amount > 0:
        return shapes.earned(desk.reading, origin, leg, _INCOME[kind], value)
    if kind in _SPENT or kind in _INCOME:
        return [shapes.spent(desk.reading, origin, leg, value)]
    if kind in _MOVES:
        return _moved(desk, row, leg, comes=amount > 0)
    if kind in _TRADED:
        return [_side(desk, row, leg, value, comes=amount > 0)]
    raise unknown(kind)


def _moved(desk: Desk, row: VenueRow, leg: Leg, *, comes: bool) -> list[EntryDraft]:
    """Read what came or went; what the network took lies in the amount that left."""
    told = row.payload
    origin = desk.origin(
        row, note=_title(told), tx_hash=_of(told, "network", "hash"), address=_of(told, "to", "address")
    )
    if comes:
        return [shapes.arrived(desk.reading, origin, leg)]
    network = told.get("network")
    fee_told = network.get("transaction_fee") if isinstance(network, dict) else None
    fee = number(fee_told, "amount").copy_abs() if isinstance(fee_told, dict) else Decimal(0)
    arrives = exact_sum((leg.amount, fee.copy_negate()))
    if arrives <= 0 or (isinstance(fee_told, dict) and desk.coin(needed(fee_told, "currency")) != leg.asset):
        arrives, fee = leg.amount, Decimal(0)
    return [shapes.left(desk.reading, origin, Leg(leg.asset, arrives), fee)]


def _side(desk: Desk, row: VenueRow, leg: Leg, value: Decimal | None, *, comes: bool) -> EntryDraft:
    """Return one side of a conversion as a purchase or a sale."""
    origin = desk.origin(row, note=_title(row.payload))
    draft = (shapes.bought if comes else shapes.sold)(desk.reading, origin, leg)
    return draft if value is None else replace(draft, value=value)


def _value(desk: Desk, told: Any) -> Decimal | None:  # noqa: ANN401 - a payload
    """Return what Coinbase says it was worth, if it says so in the portfolio's money."""
    native = told.get("native_amount")
    if not isinstance(native, dict) or native.get("currency") != desk.reading.currency:
        return None
    return optional(native, "amount").copy_abs() or None


def _of(told: Any, name: str, field: str) -> str:  # noqa: ANN401 - a payload
    part = told.get(name)
    return word(part, field) if isinstance(part, dict) else ""


def _title(told: Any) -> str:  # noqa: ANN401 - a payload
    return word(told, "description") or _of(told, "details", "title") or word(told, "type")


READERS: Final[dict[Stream, Reader]] = {Stream.TRADES: _fill, Stream.LEDGER: _transaction}
