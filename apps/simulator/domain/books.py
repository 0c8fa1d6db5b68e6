"""What an account did, and what it holds for that reason; balances are the sum of the entries and of nothing else."""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import TypeVar

from apps.simulator.domain.entries import Entry, Maker, Posted, effects, total
from apps.simulator.domain.lives import PAST_ENDS, WEEK_MS, Life, Prices
from apps.simulator.domain.shapes import Account, Deposit, Fill, PostedTradeError, Reward, Side, Withdrawal

Kind = TypeVar("Kind", Fill, Deposit, Withdrawal, Reward)
_BY_TIME = attrgetter("ts", "number")


class Book:
    """One account's entries in the order of time: what it did by itself, and what was posted."""

    def __init__(self, seed: int, account: Account, prices: Prices) -> None:
        self._life, self._maker = Life(seed, account, prices), Maker(seed, account)
        self._fills: list[Fill] = []
        self._deposits: list[Deposit] = []
        self._withdrawals: list[Withdrawal] = []
        self._rewards: list[Reward] = []
        self._weeks = 0
        self._add(self._life.past())

    def _add(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, Fill):
                insort(self._fills, entry, key=_BY_TIME)
            elif isinstance(entry, Withdrawal):
                insort(self._withdrawals, entry, key=_BY_TIME)
            elif isinstance(entry, Deposit):
                insort(self._deposits, entry, key=_BY_TIME)
            else:
                insort(self._rewards, entry, key=_BY_TIME)

    def _until(self, entries: Sequence[Kind], now_ms: int) -> Sequence[Kind]:
        while PAST_ENDS + self._weeks * WEEK_MS <= now_ms:
            self._add(self._life.standing_order(self._weeks))
            self._weeks += 1
        return entries[: bisect_right(entries, now_ms, key=attrgetter("ts"))]

    def fills(self, now_ms: int) -> Sequence[Fill]:
        """Return every trade up to now, oldest first."""
        return self._until(self._fills, now_ms)

    def deposits(self, now_ms: int) -> Sequence[Deposit]:
        """Return every deposit up to now, oldest first."""
        return self._until(self._deposits, now_ms)

    def withdrawals(self, now_ms: int) -> Sequence[Withdrawal]:
        """Return every withdrawal up to now, oldest first."""
        return self._until(self._withdrawals, now_ms)

    def rewards(self, now_ms: int) -> Sequence[Reward]:
        """Return every reward up to now, oldest first."""
        return self._until(self._rewards, now_ms)

    def balances(self, now_ms: int) -> dict[str, Decimal]:
        """Return what is held now."""
        lists = (self.fills(now_ms), self.deposits(now_ms), self.withdrawals(now_ms), self.rewards(now_ms))
        return total(entry for entries in lists for entry in entries)

    def post(self, posted: Posted) -> Fill:
        """Append a trade, or raise PostedTradeError where the account cannot pay for it."""
        fill = self._maker.fill(posted)
        held = self.balances(posted.ts)
        spent = fill.quote if fill.side is Side.BUY else fill.base
        change = sum((amount for asset, amount in effects(fill) if asset == spent), Decimal())
        if held.get(spent, Decimal()) + change < 0:
            raise PostedTradeError(f"The account holds {held.get(spent, Decimal()):f} {spent}; this takes {-change:f}.")
        self._add([fill])
        return fill
