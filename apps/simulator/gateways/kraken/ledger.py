"""Kraken's ledger of an account: every change of every balance and what was left; staked coins have their own name."""

import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from typing import NamedTuple

from apps.simulator.domain.shapes import Account, Fill
from apps.simulator.gateways.desk import Desk
from apps.simulator.gateways.figures import DIGITS

NOTHING = Decimal(0)


class Entry(NamedTuple):
    """One change of one balance."""

    id: str
    refid: str
    ts: int
    kind: str
    subtype: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal


class Change(NamedTuple):
    """One change before it knows its id and the balance after it."""

    ts: int
    refid: str
    kind: str
    subtype: str
    asset: str
    amount: Decimal
    fee: Decimal


class Ledger:
    """The ledgers of all accounts, written again only when something new has happened."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._written: dict[str, tuple[list[Change], list[Entry]]] = {}

    def entries(self, account: Account) -> list[Entry]:
        """Return the ledger of an account, oldest first."""
        with localcontext(prec=DIGITS):
            changes = sorted(_changes(self._desk, account), key=lambda item: item.ts)
            known, entries = self._written.get(account.api_key, ([], []))
            if known != changes:
                entries = _write(changes)
                self._written[account.api_key] = (changes, entries)
        return entries


def _write(changes: list[Change]) -> list[Entry]:
    balances: dict[str, Decimal] = {}
    written: list[Entry] = []
    for number, change in enumerate(changes):
        after = balances.get(change.asset, NOTHING) + change.amount - change.fee
        balances[change.asset] = after
        written.append(Entry(_identity(change, number), change.refid, *_middle(change), after))
    return written


def flavors(desk: Desk, account: Account) -> dict[str, Decimal]:
    """Return the balances as Kraken keeps them: what was earned by staking lies in ADA.S, the rest in ADA."""
    held = dict(desk.balances(account))
    with localcontext(prec=DIGITS):
        for asset, earned in _earned(desk, account).items():
            staked = min(earned, held.get(asset, NOTHING))
            if staked > 0:
                held[asset] -= staked
                held[f"{asset}.S"] = staked
    return {asset: amount for asset, amount in held.items() if amount}


def _earned(desk: Desk, account: Account) -> Mapping[str, Decimal]:
    earned: dict[str, Decimal] = {}
    for reward in desk.rewards(account):
        if reward.kind == "staking":
            earned[reward.asset] = earned.get(reward.asset, NOTHING) + reward.amount
    return earned


def _changes(desk: Desk, account: Account) -> Iterator[Change]:
    for deposit in desk.deposits(account):
        yield Change(deposit.ts, deposit.id, "deposit", "", deposit.asset, deposit.amount, NOTHING)
    for withdrawal in desk.withdrawals(account):
        yield Change(
            withdrawal.ts, withdrawal.id, "withdrawal", "", withdrawal.asset, -withdrawal.amount, withdrawal.fee
        )
    for reward in desk.rewards(account):
        staked = reward.kind == "staking"
        asset = f"{reward.asset}.S" if staked else reward.asset
        kind, subtype = ("staking", "") if staked else ("earn", "reward")
        yield Change(reward.ts, reward.id, kind, subtype, asset, reward.amount, NOTHING)
    for fill in desk.fills(account):
        yield from _legs(fill)


def _legs(fill: Fill) -> Iterator[Change]:
    """Yield both sides of a trade; the fee stands with the side it was paid in, or alone."""
    sign = 1 if fill.side == "buy" else -1
    legs = {fill.base: sign * fill.amount, fill.quote: -sign * fill.cost}
    legs.setdefault(fill.fee_asset, NOTHING)
    for asset, amount in legs.items():
        fee = fill.fee if asset == fill.fee_asset else NOTHING
        yield Change(fill.ts, fill.id, "trade", "tradespot", asset, amount, fee)


def _middle(change: Change) -> tuple[int, str, str, str, Decimal, Decimal]:
    return change.ts, change.kind, change.subtype, change.asset, change.amount, change.fee


def _identity(change: Change, number: int) -> str:
    seed = f"{change.refid}:{change.asset}:{change.kind}:{number if change.kind != 'trade' else ''}"
    text = hashlib.blake2b(seed.encode(), digest_size=9).hexdigest().upper()[:16]
    return f"L{text[:5]}-{text[5:10]}-{text[10:16]}"
