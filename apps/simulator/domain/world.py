"""The world: what every venue would answer at a given moment, a pure function of seed, time and what was posted."""

from collections.abc import Sequence
from decimal import Decimal

from apps.simulator.domain.shapes import (
    Account,
    Candle,
    Currency,
    Deposit,
    Fill,
    Market,
    PublicTrade,
    Reward,
    Side,
    Ticker,
    Withdrawal,
    WorldEvent,
)


class World:
    """Four venues, their markets and accounts. Times are milliseconds since 1970, ranges are [from, to)."""

    def __init__(self, seed: int, *, history_days: int = 365, ticks_per_second: float = 4.0) -> None:
        self.seed = seed
        self.history_days = history_days
        self.ticks_per_second = ticks_per_second

    # --- markets ---------------------------------------------------------------------------------------------------
    def currencies(self, venue: str) -> Sequence[Currency]:
        """Return every currency of a venue."""
        raise NotImplementedError

    def markets(self, venue: str, now_ms: int) -> Sequence[Market]:
        """Return the markets in the venue's list now, busiest first; one delisted within a day is `halted`."""
        raise NotImplementedError

    def market(self, venue: str, symbol: str, now_ms: int) -> Market:
        """Return one market of the list by its symbol (BTC/USDT), or raise UnknownSymbolError."""
        raise NotImplementedError

    def ticker(self, venue: str, symbol: str, now_ms: int) -> Ticker:
        """Return the ticker as of now; cheap enough to ask for on every push."""
        raise NotImplementedError

    def candles(
        self, venue: str, symbol: str, timeframe_ms: int, from_ms: int, to_ms: int, now_ms: int
    ) -> list[Candle]:
        """Return candles that open in [from, to), oldest first; the one that holds `now` is still growing.

        A timeframe divides a day, or is whole days (weeks begin on Monday). Minutes older than the history are absent.
        """
        raise NotImplementedError

    def trades(self, venue: str, symbol: str, from_ms: int, now_ms: int, limit: int) -> list[PublicTrade]:
        """Return public trades since `from`, oldest first, at most `limit`; use from=now-60_000 for the latest."""
        raise NotImplementedError

    def events(self, now_ms: int) -> list[WorldEvent]:
        """Return what happened out of the ordinary up to now, oldest first."""
        raise NotImplementedError

    # --- accounts --------------------------------------------------------------------------------------------------
    def accounts(self, venue: str) -> Sequence[Account]:
        """Return the accounts of a venue."""
        raise NotImplementedError

    def account_by_key(self, venue: str, api_key: str) -> Account | None:
        """Return whose key this is."""
        raise NotImplementedError

    def balances(self, account: Account, now_ms: int) -> dict[str, Decimal]:
        """Return what the account holds, zero balances left out; exactly the sum of everything below."""
        raise NotImplementedError

    def fills(self, account: Account, now_ms: int) -> Sequence[Fill]:
        """Return every trade up to now, oldest first."""
        raise NotImplementedError

    def deposits(self, account: Account, now_ms: int) -> Sequence[Deposit]:
        """Return every deposit up to now, oldest first."""
        raise NotImplementedError

    def withdrawals(self, account: Account, now_ms: int) -> Sequence[Withdrawal]:
        """Return every withdrawal up to now, oldest first."""
        raise NotImplementedError

    def rewards(self, account: Account, now_ms: int) -> Sequence[Reward]:
        """Return every reward up to now, oldest first."""
        raise NotImplementedError

    def post_trade(self, account: Account, symbol: str, side: Side, amount: Decimal, now_ms: int) -> Fill:
        """Trade at the present price; raise PostedTradeError where the account cannot."""
        raise NotImplementedError
