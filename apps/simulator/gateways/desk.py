"""What a venue's handlers work with: the world through this venue's eyes, with its faults already applied.

How a venue is plugged in: `gateways/<venue>.py` has one subclass of `Venue` (gateways/venue.py), made by the hub as
`Kraken(desk=desk)`, and asks `self.desk`, not the world. `desk.now()` is the venue's own clock, off by the clock_skew
fault (what its time endpoint says and what time stamps are checked against); `desk.time()` is the true time.
One middleware (gateways/control.py) counts requests by `venue.key_of(request)` and carries out every fault of an
answer, with `venue.failure("429" | "418" | "5xx")`; the desk applies revoke_key, delist, duplicate_trades, late_trade.
So a handler never looks at faults. The hub calls `venue.push(symbols)` with the markets that moved, several times a
second, and does ws_close and ws_silent to `venue.sockets`.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal

from apps.simulator.domain.faults import FaultBoard
from apps.simulator.domain.shapes import (
    Account,
    Candle,
    Currency,
    Deposit,
    Fill,
    Market,
    PublicTrade,
    Reward,
    Ticker,
    UnknownSymbolError,
    Withdrawal,
)
from apps.simulator.domain.world import World

PATH: ContextVar[str] = ContextVar("path", default="")
"""The path of the request under way; faults of state may be limited to some paths."""


@dataclass
class Desk:
    """One venue of the world at the present moment."""

    world: World
    venue: str
    time: Callable[[], int]
    """the true time in milliseconds"""
    faults: FaultBoard

    def now(self) -> int:
        """Return the venue's clock: what its time endpoint says and what it checks time stamps against."""
        return self.time() + self.faults.skew_ms(PATH.get(), self.time())

    # --- markets ---------------------------------------------------------------------------------------------------
    def currencies(self) -> Sequence[Currency]:
        """Return every currency of the venue."""
        return self.world.currencies(self.venue)

    def markets(self) -> Sequence[Market]:
        """Return the venue's list of markets, without those that a fault has delisted."""
        gone = self.faults.delisted(PATH.get(), self.time())
        return [market for market in self.world.markets(self.venue, self.time()) if market.symbol not in gone]

    def market(self, symbol: str) -> Market:
        """Return a market of the list by symbol (BTC/USDT), or raise UnknownSymbolError."""
        if symbol in self.faults.delisted(PATH.get(), self.time()):
            raise UnknownSymbolError(symbol)
        return self.world.market(self.venue, symbol, self.time())

    def ticker(self, symbol: str) -> Ticker:
        """Return a ticker, or raise UnknownSymbolError."""
        return self.world.ticker(self.venue, symbol, self.time())

    def candles(self, symbol: str, timeframe_ms: int, from_ms: int, to_ms: int) -> list[Candle]:
        """Return candles that open in [from, to), oldest first, the growing one included."""
        return self.world.candles(self.venue, symbol, timeframe_ms, from_ms, to_ms, self.time())

    def trades(self, symbol: str, from_ms: int, limit: int) -> list[PublicTrade]:
        """Return public trades since `from`, oldest first."""
        return self.world.trades(self.venue, symbol, from_ms, self.time(), limit)

    # --- accounts --------------------------------------------------------------------------------------------------
    def account(self, api_key: str) -> Account | None:
        """Return whose key this is; None for an unknown key and for one that a fault has revoked."""
        account = self.world.account_by_key(self.venue, api_key)
        if account is not None and self.faults.revoked(account.label, PATH.get(), self.time()):
            return None
        return account

    def balances(self, account: Account) -> dict[str, Decimal]:
        """Return what the account holds."""
        return self.world.balances(account, self.time())

    def fills(self, account: Account) -> Sequence[Fill]:
        """Return the account's trades, oldest first; twice each, or the newest withheld, when such a fault is on."""
        fills = list(self.world.fills(account, self.time()))
        if fills and self.faults.holding("late_trade", PATH.get(), self.time()):
            fills.pop()
        if self.faults.holding("duplicate_trades", PATH.get(), self.time()):
            fills = [fill for fill in fills for _ in range(2)]
        return fills

    def deposits(self, account: Account) -> Sequence[Deposit]:
        """Return the account's deposits, oldest first."""
        return self.world.deposits(account, self.time())

    def withdrawals(self, account: Account) -> Sequence[Withdrawal]:
        """Return the account's withdrawals, oldest first."""
        return self.world.withdrawals(account, self.time())

    def rewards(self, account: Account) -> Sequence[Reward]:
        """Return the account's rewards, oldest first."""
        return self.world.rewards(account, self.time())
