"""KuCoin: fills, deposits, withdrawals and lines of its ledgers as entries.

All accounts of one KuCoin user are one account here. A conversion stands in the ledger as two lines of two coins that
nothing joins; so it becomes a sale and a purchase at the prices of that moment.
"""

from typing import Final

from apps.exchanges.domain.normalize.shaping import Desk, Reader, needed, number, optional, split, traded, unknown, word
from apps.exchanges.domain.reading import Stream, VenueRow
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.numbers import exact_sum

_DONE: Final = "SUCCESS"
#: Lines of the ledger that other streams tell, or that only move coins between accounts of the same person.
_TOLD_ELSEWHERE: Final = frozenset({
    "exchange", "trade exchange", "trade", "deposit", "withdrawal", "withdraw", "fiat deposit", "fiat withdrawal",
})  # fmt: skip
_INTERNAL: Final = frozenset({
    "transfer", "main transfer", "inner transfer", "asset transfer", "sub transfer", "subaccount transfer",
    "sub to main account", "main to sub account", "kucoin sub-account transfer", "trade hf transfer", "return fee",
    "staking", "earn subscription", "earn redemption", "kucoin earn subscription", "kucoin earn redemption",
    "kucoin earn", "pool-x staking", "soft staking", "lending", "redemption", "margin transfer",
})  # fmt: skip
_INCOME: Final = {
    "rewards": "reward", "reward": "reward", "kcs bonus": "reward", "kcs pay fees bonus": "reward",
    "referral bonus": "reward", "rebate": "reward", "fiat reward": "reward", "other rewards": "reward",
    "kcs pay fees": "reward", "refunded fees": "reward", "broker rebate": "reward",
    "airdrop": "airdrop", "airdrop/fork": "airdrop", "distribution": "airdrop", "spotlight": "airdrop",
    "earn profit": "staking", "staking profits": "staking", "soft staking profits": "staking",
    "kucoin earn profits": "interest", "kucoin earn interest": "interest", "lending interest": "interest",
    "interest": "interest",
}  # fmt: skip
_CONVERTED: Final = frozenset({"convert to kcs", "convert", "kucoin convert", "convert market", "instant exchange"})


def _fill(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    base, quote = split(needed(told, "symbol"))
    side = needed(told, "side").lower()
    if side not in {"buy", "sell"}:
        raise unknown(side)
    return traded(
        desk,
        desk.origin(row, note=f"{side} {base}/{quote}"),
        buys=side == "buy",
        base=desk.leg(base, number(told, "size")),
        quote=desk.leg(quote, number(told, "funds")),
        fee=desk.leg(word(told, "feeCurrency") or quote, exact_sum((number(told, "fee"), optional(told, "tax")))),
    )


def _deposit(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    if needed(told, "status").upper() != _DONE:
        return []
    return [
        shapes.arrived(desk.reading, _origin(desk, row), desk.leg(needed(told, "currency"), number(told, "amount")))
    ]


def _withdrawal(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    if needed(told, "status").upper() != _DONE:
        return []
    leg = desk.leg(needed(told, "currency"), number(told, "amount"))
    return [shapes.left(desk.reading, _origin(desk, row), leg, optional(told, "fee"))]


def _origin(desk: Desk, row: VenueRow) -> shapes.Origin:
    told = row.payload
    tx_hash = "" if told.get("isInner") is True else word(told, "walletTxId").partition("@")[0]
    return desk.origin(row, note=word(told, "remark", "chain"), tx_hash=tx_hash, address=word(told, "address"))


def _ledger(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    told = row.payload
    kind = " ".join(needed(told, "bizType").lower().replace("_", " ").split())
    if kind in _TOLD_ELSEWHERE or kind in _INTERNAL:
        return []
    leg = desk.leg(needed(told, "currency"), number(told, "amount").copy_abs())
    if not leg.amount:
        return []
    origin, comes = desk.origin(row, note=needed(told, "bizType")), needed(told, "direction").lower() == "in"
    if kind in _INCOME and comes:
        return shapes.earned(desk.reading, origin, leg, _INCOME[kind])
    if kind in _CONVERTED:
        return [(shapes.bought if comes else shapes.sold)(desk.reading, origin, leg)]
    raise unknown(kind)


READERS: Final[dict[Stream, Reader]] = {
    Stream.TRADES: _fill,
    Stream.DEPOSITS: _deposit,
    Stream.WITHDRAWALS: _withdrawal,
    Stream.LEDGER: _ledger,
}
