"""KuCoin's books: what lies in which of its accounts, which trades are classic, the ledger with what was left."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import NamedTuple

from apps.simulator.domain.shapes import Account, Fill
from apps.simulator.gateways.desk import Desk
from apps.simulator.gateways.figures import DIGITS

MOVED_AT = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000)
"""when every account moved to the high-frequency system"""
_NOTHING = Decimal(0)
_CENTS = Decimal("0.01")


class Row(NamedTuple):
    """One line of a ledger; amount carries its sign and includes the fee."""

    number: int
    balance: Decimal
    ts: int
    asset: str
    amount: Decimal
    fee: Decimal
    biz_type: str
    context: dict[str, str]
    high_frequency: bool


class Change(NamedTuple):
    """One change before it knows its number and the balance after it."""

    ts: int
    asset: str
    amount: Decimal
    fee: Decimal
    biz_type: str
    context: dict[str, str]
    high_frequency: bool


def is_classic(fill: Fill) -> bool:
    """Return whether a trade was made before the account moved to the high-frequency system."""
    return fill.ts < MOVED_AT


def split(amount: Decimal) -> dict[str, Decimal]:
    """Return how much of a balance lies in which account: funding, the old trading one, the high-frequency one."""
    with localcontext(prec=DIGITS):
        main = (amount / 4).quantize(_CENTS, rounding=ROUND_DOWN)
        trade = (amount / 8).quantize(_CENTS, rounding=ROUND_DOWN)
        return {"main": main, "trade": trade, "trade_hf": amount - main - trade}


def hex_id(*parts: object) -> str:
    """Return an id of 24 hexadecimal digits that depends on nothing but its parts."""
    return hashlib.blake2b(":".join(map(str, parts)).encode(), digest_size=12).hexdigest()


class Books:
    """The ledgers of all accounts, written again only when something new has happened."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._written: dict[str, tuple[list[Change], list[Row]]] = {}

    def rows(self, account: Account) -> list[Row]:
        """Return the whole ledger of an account, oldest first."""
        with localcontext(prec=DIGITS):
            changes = sorted(_changes(self._desk, account), key=lambda item: item.ts)
            known, rows = self._written.get(account.api_key, ([], []))
            if known != changes:
                rows = _write(changes)
                self._written[account.api_key] = (changes, rows)
        return rows


def _write(changes: list[Change]) -> list[Row]:
    balances: dict[str, Decimal] = {}
    written = []
    for number, change in enumerate(changes, start=1):
        after = balances.get(change.asset, _NOTHING) + change.amount
        balances[change.asset] = after
        written.append(Row(number, after, *change))
    return written


def _changes(desk: Desk, account: Account) -> Iterator[Change]:
    for deposit in desk.deposits(account):
        context = {"orderId": deposit.id, "txId": deposit.txid}
        yield Change(deposit.ts, deposit.asset, deposit.amount, _NOTHING, "Deposit", context, high_frequency=False)
    for item in desk.withdrawals(account):
        context = {"orderId": item.id, "txId": item.txid}
        taken = -item.amount - item.fee
        yield Change(item.ts, item.asset, taken, item.fee, "Withdrawal", context, high_frequency=False)
    for reward in desk.rewards(account):
        context = {"orderId": reward.id, "description": reward.kind}
        yield Change(
            reward.ts, reward.asset, reward.amount, _NOTHING, _reward(reward.kind), context, high_frequency=True
        )
    for fill in desk.fills(account):
        yield from _legs(fill)


def _reward(kind: str) -> str:
    return "Airdrop/Fork" if kind == "airdrop" else "Staking Profits"


def _legs(fill: Fill) -> Iterator[Change]:
    """Yield both sides of a trade; the fee is part of the side it was paid in, or a line of its own."""
    sign = 1 if fill.side == "buy" else -1
    legs = {fill.base: sign * fill.amount, fill.quote: -sign * fill.cost}
    legs.setdefault(fill.fee_asset, _NOTHING)
    fast = not is_classic(fill)
    context = {"symbol": f"{fill.base}-{fill.quote}", "orderId": fill.order_id, "tradeId": fill.id}
    for asset, amount in legs.items():
        fee = fill.fee if asset == fill.fee_asset else _NOTHING
        yield Change(fill.ts, asset, amount - fee, fee, "TRADE_EXCHANGE" if fast else "Exchange", context, fast)
