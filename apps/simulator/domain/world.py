"""The world: what every venue would answer at a given moment, a pure function of seed, time and what was posted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from apps.simulator.domain import coins, happenings, keys, listings
from apps.simulator.domain.books import Book
from apps.simulator.domain.entries import Posted
from apps.simulator.domain.happenings import BEGIN_MS
from apps.simulator.domain.paths import Paths
from apps.simulator.domain.quotes import Quotes
from apps.simulator.domain.replay import Replayed
from apps.simulator.domain.shapes import (
    DAY_MS,
    MINUTE_MS,
    VENUES,
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
    UnknownSymbolError,
    Withdrawal,
    WorldEvent,
)

_HOUR_MS = 3_600_000


class World:
    """Four venues, their markets and accounts. Times are milliseconds since 1970, ranges are [from, to)."""

    def __init__(
        self,
        seed: int,
        *,
        history_days: int = 365,
        ticks_per_second: float = 4.0,
        markets: int = 0,
        replay: Mapping[tuple[str, str], Replayed] | None = None,
    ) -> None:
        self.seed = seed
        self.history_days = history_days
        self.ticks_per_second = ticks_per_second
        known = sum(len(coins.pairs(venue)) for venue in VENUES)
        extra = max(-(-(markets - known) // len(VENUES)), 0)
        self._paths = Paths(seed, extra=extra)
        self._quotes = {venue: self._open(venue, extra, replay or {}) for venue in VENUES}
        self._accounts = {venue: keys.accounts(seed, venue) for venue in VENUES}
        self._by_key = {(venue, account.api_key): account for venue in VENUES for account in self._accounts[venue]}
        self._books: dict[tuple[str, str], Book] = {}

    def _open(self, venue: str, extra: int, replay: Mapping[tuple[str, str], Replayed]) -> dict[str, Quotes]:
        spots = listings.spots(self.seed, venue, extra)
        opened = {
            f"{spot.base}/{spot.quote}": listings.synthetic_quotes(self._paths, venue, spot, self.ticks_per_second)
            for spot in spots
        }
        for symbol, series in _played_at(venue, replay, tuple(opened)).items():
            opened[symbol] = listings.replayed_quotes(self.seed, venue, symbol, series, self.ticks_per_second)
        return opened

    # --- markets ---------------------------------------------------------------------------------------------------
    def currencies(self, venue: str) -> Sequence[Currency]:
        """Return every currency of a venue."""
        codes = dict.fromkeys(
            code for quotes in self._quotes[venue].values() for code in (quotes.market.base, quotes.market.quote)
        )
        return [listings.currency(self._paths, code) for code in codes]

    def markets(self, venue: str, now_ms: int) -> Sequence[Market]:
        """Return the markets in the venue's list now, busiest first; one delisted within a day is `halted`."""
        found = (self._listed(quotes.market, now_ms) for quotes in self._quotes[venue].values())
        return [market for market in found if market]

    @staticmethod
    def _listed(market: Market, now_ms: int) -> Market | None:
        if now_ms < market.listed_at:
            return None
        if market.delisted_at is None or now_ms < market.delisted_at:
            return market
        return replace(market, halted=True) if now_ms < market.delisted_at + DAY_MS else None

    def market(self, venue: str, symbol: str, now_ms: int) -> Market:
        """Return one market of the list by its symbol (BTC/USDT), or raise UnknownSymbolError."""
        quotes = self._quotes[venue].get(symbol)
        market = self._listed(quotes.market, now_ms) if quotes else None
        if market is None:
            raise UnknownSymbolError(symbol)
        return market

    def _live(self, venue: str, symbol: str, now_ms: int) -> Quotes:
        self.market(venue, symbol, now_ms)
        return self._quotes[venue][symbol]

    def ticker(self, venue: str, symbol: str, now_ms: int) -> Ticker:
        """Return the ticker as of now; cheap enough to ask for on every push, the same object until the next trade."""
        return self._live(venue, symbol, now_ms).ticker(now_ms)

    def prepare(self, venue: str, symbol: str, moment_ms: int) -> bool:
        """Make the minute of a moment ready, so that it moves without anybody waiting; return whether it was not."""
        quotes = self._quotes[venue][symbol]
        return self._trades_now(quotes.market, moment_ms) and quotes.prepare((moment_ms - BEGIN_MS) // MINUTE_MS)

    def moved(self, venue: str, since_ms: int, now_ms: int) -> list[str]:
        """Return the symbols that traded after `since` and up to now, of those that were made ready or asked for."""
        return [
            symbol
            for symbol, quotes in self._quotes[venue].items()
            if self._trades_now(quotes.market, now_ms) and quotes.moved(since_ms, now_ms)
        ]

    @staticmethod
    def _trades_now(market: Market, now_ms: int) -> bool:
        return market.listed_at <= now_ms and (market.delisted_at is None or now_ms < market.delisted_at)

    def candles(
        self, venue: str, symbol: str, timeframe_ms: int, from_ms: int, to_ms: int, now_ms: int, limit: int = 5000
    ) -> list[Candle]:
        """Return candles that open in [from, to), oldest first; the one that holds `now` is still growing.

        A timeframe divides a day, or is whole days (weeks begin on Monday). Minutes older than the history are absent.
        """
        quotes = self._live(venue, symbol, now_ms)
        return quotes.candles(timeframe_ms, max(from_ms, self._oldest(timeframe_ms, now_ms)), to_ms, now_ms, limit)

    def _oldest(self, timeframe_ms: int, now_ms: int) -> int:
        if timeframe_ms >= _HOUR_MS:
            return BEGIN_MS
        return max(BEGIN_MS, now_ms // DAY_MS * DAY_MS - self.history_days * DAY_MS)

    def trades(self, venue: str, symbol: str, from_ms: int, now_ms: int, limit: int) -> list[PublicTrade]:
        """Return public trades since `from`, oldest first, at most `limit`; use from=now-60_000 for the latest."""
        oldest = self._oldest(0, now_ms)
        return self._live(venue, symbol, now_ms).public_trades(max(from_ms, oldest), now_ms, limit)

    def price_at(self, venue: str, symbol: str, moment_ms: int) -> Decimal:
        """Return a price that was paid in the minute of a moment, also of a market that is gone by now."""
        quotes = self._quotes[venue][symbol]
        return Decimal(quotes.price_at(moment_ms)).scaleb(-quotes.market.price_digits)

    def known(self, venue: str, symbol: str) -> Market | None:
        """Return a market, whether it is in the list or not."""
        quotes = self._quotes[venue].get(symbol)
        return quotes.market if quotes else None

    def events(self, now_ms: int) -> list[WorldEvent]:
        """Return what happened out of the ordinary up to now, oldest first."""
        return happenings.told(self.seed, now_ms)

    # --- accounts --------------------------------------------------------------------------------------------------
    def accounts(self, venue: str) -> Sequence[Account]:
        """Return the accounts of a venue."""
        return self._accounts[venue]

    def account_by_key(self, venue: str, api_key: str) -> Account | None:
        """Return whose key this is."""
        return self._by_key.get((venue, api_key))

    def _book(self, account: Account) -> Book:
        name = (account.venue, account.label)
        if name not in self._books:
            self._books[name] = Book(self.seed, account, self)
        return self._books[name]

    def balances(self, account: Account, now_ms: int) -> dict[str, Decimal]:
        """Return what the account holds, zero balances left out; exactly the sum of everything below."""
        return self._book(account).balances(now_ms)

    def fills(self, account: Account, now_ms: int) -> Sequence[Fill]:
        """Return every trade up to now, oldest first."""
        return self._book(account).fills(now_ms)

    def deposits(self, account: Account, now_ms: int) -> Sequence[Deposit]:
        """Return every deposit up to now, oldest first."""
        return self._book(account).deposits(now_ms)

    def withdrawals(self, account: Account, now_ms: int) -> Sequence[Withdrawal]:
        """Return every withdrawal up to now, oldest first."""
        return self._book(account).withdrawals(now_ms)

    def rewards(self, account: Account, now_ms: int) -> Sequence[Reward]:
        """Return every reward up to now, oldest first."""
        return self._book(account).rewards(now_ms)

    def post_trade(self, account: Account, symbol: str, side: Side, amount: Decimal, now_ms: int) -> Fill:
        """Trade at the present price; raise PostedTradeError where the account cannot."""
        quotes = self._live(account.venue, symbol, now_ms)
        price = Decimal(quotes.last(now_ms)).scaleb(-quotes.market.price_digits)
        return self._book(account).post(Posted(now_ms, symbol, side, amount, price))

    def restore_trade(self, account: Account, posted: Posted) -> None:
        """Repeat a trade that was posted before."""
        self._book(account).post(posted)


def _played_at(venue: str, replay: Mapping[tuple[str, str], Replayed], symbols: Sequence[str]) -> dict[str, Replayed]:
    """Return what is played at a venue: its own records, else those of the same coin in dollars from another venue."""
    dollars = {symbol.split("/")[0]: series for (_, symbol), series in replay.items() if _in_dollars(symbol)}
    lent = {symbol: dollars.get(symbol.split("/")[0]) for symbol in symbols if _in_dollars(symbol)}
    own = {symbol: series for (place, symbol), series in replay.items() if place == venue}
    return {**{symbol: series for symbol, series in lent.items() if series}, **own}


def _in_dollars(symbol: str) -> bool:
    return symbol.endswith(("/USDT", "/USD", "/USDC", "/FDUSD"))
