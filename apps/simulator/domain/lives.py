"""What accounts did by themselves: a past that never changes, and since then one standing order every Monday.

After the past an account changes by itself between 00:01 and 00:09 UTC on Mondays only, so that whoever compares totals
at any other time compares things that stand still.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Protocol

import numpy as np

from apps.simulator.domain import coins, seeds
from apps.simulator.domain.entries import EIGHT, Entry, Maker, Posted, effects
from apps.simulator.domain.shapes import DAY_MS, Account, Market, Side

PAST_BEGINS = int(datetime(2023, 1, 2, tzinfo=UTC).timestamp() * 1000)
PAST_ENDS = int(datetime(2026, 11, 2, tzinfo=UTC).timestamp() * 1000)
WEEK_MS = 7 * DAY_MS
_QUOTE = {"binance": "USDT", "coinbase": "USD", "kraken": "USD", "kucoin": "USDT"}
_TOKEN = {"binance": "BNB", "kucoin": "KCS"}
_EARNING = ("ETH", "SOL", "ADA", "DOT", "ATOM")
_LEAST = Decimal(12)


class Prices(Protocol):
    """Where past prices come from."""

    def price_at(self, venue: str, symbol: str, moment_ms: int) -> Decimal:
        """Return a price that was paid in the minute of a moment."""

    def known(self, venue: str, symbol: str) -> Market | None:
        """Return a market, whether it is in the list or not."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How an account lives."""

    money: int
    """what it puts in at first, in the quote money"""
    days: int
    """on how many days it trades"""
    orders: int
    """on such a day, at most"""
    pieces: int
    """trades that one order may be filled in, at most"""
    coins: int
    """how many different coins it trades"""


HABITS = {
    "main": Habit(90_000, 110, 3, 3, 12),
    "large": Habit(2_500_000, 170, 7, 9, 26),
    "trader": Habit(60_000, 40, 3, 3, 8),
    "treasury": Habit(120_000, 30, 2, 2, 6),
    "edwards": Habit(20_000, 15, 2, 2, 5),
}


class Life:
    """Makes the entries of one account, in the order of time."""

    def __init__(self, seed: int, account: Account, prices: Prices) -> None:
        self._account, self._prices = account, prices
        self._venue, self._quote = account.venue, _QUOTE[account.venue]
        self._habit = HABITS.get(account.label)
        self._maker = Maker(seed, account)
        self._seed = seed
        self._held: defaultdict[str, Decimal] = defaultdict(Decimal)

    def past(self) -> Iterator[Entry]:
        """Yield what is over for good."""
        if self._habit is None:
            return
        source = self._source("past")
        yield from self._opening()
        days = sorted(
            int(day) for day in source.choice((PAST_ENDS - PAST_BEGINS) // DAY_MS - 6, self._habit.days, replace=False)
        )
        week = 0
        for number, day in enumerate(days):
            moment = PAST_BEGINS + (day + 3) * DAY_MS
            while PAST_BEGINS + (week + 1) * WEEK_MS < moment:
                week += 1
                yield from self._keep(self._rewards(PAST_BEGINS + week * WEEK_MS))
            yield from self._day(source, moment, number)
        yield from self._closing()

    def standing_order(self, week: int) -> Iterator[Entry]:
        """Yield what happens on a Monday, weeks being counted from the end of the past."""
        if self._habit is None:
            return
        monday = PAST_ENDS + week * WEEK_MS
        yield from self._keep(self._rewards(monday))
        price = self._prices.price_at(self._venue, f"BTC/{self._quote}", monday + 300_000)
        yield from self._buy(f"BTC/{self._quote}", monday + 300_000, price, Decimal(25))

    # --- parts of a life -------------------------------------------------------------------------------------------
    def _source(self, *words: object) -> np.random.Generator:
        return seeds.generator(self._seed, self._venue, self._account.label, *words)

    def _keep(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            for asset, amount in effects(entry):
                self._held[asset] += amount
            yield entry

    def _opening(self) -> Iterator[Entry]:
        assert self._habit is not None  # noqa: S101 - said by the caller
        money = Decimal(self._habit.money)
        deposit = self._maker.deposit
        yield from self._keep([deposit(PAST_BEGINS + 36_000_000, self._quote, money)])
        yield from self._keep([deposit(PAST_BEGINS + 43_200_000, "BTC", Decimal("0.51234567"))])
        fine = Decimal("7.123456789012345678") if self._venue in {"coinbase", "kucoin"} else Decimal("7.12345678")
        yield from self._keep([deposit(PAST_BEGINS + 46_800_000, "ETH", fine)])
        token = _TOKEN.get(self._venue)
        if token:
            yield from self._keep([deposit(PAST_BEGINS + 50_400_000, token, Decimal("6.5"))])
        if self._venue == "kraken":
            yield from self._keep([deposit(PAST_BEGINS + 54_000_000, "EUR", Decimal("15000.00"))])

    def _closing(self) -> Iterator[Entry]:
        moment = PAST_ENDS - DAY_MS
        yield from self._keep([self._maker.deposit(moment, self._quote, Decimal(50_000))])
        yield from self._keep([self._maker.reward(moment + 3_600_000, self._quote, Decimal("12.34"), "airdrop")])

    def _symbols(self) -> list[str]:
        assert self._habit is not None  # noqa: S101 - said by the caller
        codes = [coin.code for coin in coins.COINS.values() if coin.since <= "2022-12-01"]
        known = (f"{code}/{self._quote}" for code in codes)
        markets = [symbol for symbol in known if self._endless(symbol)][: self._habit.coins]
        return markets + [symbol for symbol in ("ETH/BTC", "BTC/EUR") if self._endless(symbol)]

    def _endless(self, symbol: str) -> bool:
        market = self._prices.known(self._venue, symbol)
        return market is not None and market.delisted_at is None and market.listed_at <= PAST_BEGINS

    def _day(self, source: np.random.Generator, day: int, number: int) -> Iterator[Entry]:
        """Yield one day: orders in one market, now and then a withdrawal or a deposit."""
        assert self._habit is not None  # noqa: S101 - said by the caller
        symbols = self._symbols()
        symbol = symbols[int(source.integers(len(symbols)))]
        moments = np.sort(source.integers(0, DAY_MS - 7_200_000, int(source.integers(1, self._habit.orders + 1))))
        for moment in moments.tolist():
            yield from self._order(source, symbol, day + moment)
        if number % 17 == 5:
            yield from self._withdraw(source, day + DAY_MS - 3_600_000)
        if number % 23 == 9:
            amount = Decimal(int(source.integers(2_000, 9_000)))
            yield from self._keep([self._maker.deposit(day + DAY_MS - 1_800_000, self._quote, amount)])

    def _order(self, source: np.random.Generator, symbol: str, moment: int) -> Iterator[Entry]:
        assert self._habit is not None  # noqa: S101 - said by the caller
        base, quote = symbol.split("/")
        price = self._prices.price_at(self._venue, symbol, moment)
        selling = self._held[base] * price > _LEAST * 10 and source.random() < 0.42
        part = Decimal(int(source.integers(20, 120))) / 1000
        whole = self._held[base] * part * 3 if selling else self._held[quote] * part / price
        pieces = int(source.integers(1, self._habit.pieces + 1))
        order = self._maker.order(moment)
        for piece in range(pieces):
            amount = self._rounded(symbol, whole / pieces)
            if amount * price < (_LEAST if quote != "BTC" else Decimal("0.0005")):
                continue
            posted = Posted(moment + piece * 137, symbol, Side.SELL if selling else Side.BUY, amount, price)
            yield from self._keep([self._maker.fill(posted, order=order, fee=self._token_fee(posted, moment))])

    def _buy(self, symbol: str, moment: int, price: Decimal, money: Decimal) -> Iterator[Entry]:
        amount = self._rounded(symbol, money / price)
        posted = Posted(moment, symbol, Side.BUY, amount, price)
        yield from self._keep([self._maker.fill(posted)])

    def _rounded(self, symbol: str, amount: Decimal) -> Decimal:
        market = self._prices.known(self._venue, symbol)
        return amount.quantize(Decimal(market.amount_step), rounding=ROUND_DOWN) if market else amount

    def _token_fee(self, posted: Posted, moment: int) -> tuple[Decimal, str] | None:
        """Return a fee in the venue's own coin, for every second order that can pay it so."""
        token = _TOKEN.get(self._venue)
        if token is None or posted.symbol.endswith("BTC") or token in posted.symbol or moment % 2:
            return None
        price = self._prices.price_at(self._venue, f"{token}/{self._quote}", moment)
        fee = (posted.amount * posted.price * Decimal("0.00075") / price).quantize(EIGHT)
        return (fee, token) if 0 < fee < self._held[token] else None

    def _withdraw(self, source: np.random.Generator, moment: int) -> Iterator[Entry]:
        coin = ("BTC", "ETH")[int(source.integers(2))]
        amount = (self._held[coin] * Decimal(int(source.integers(50, 300))) / 1000).quantize(EIGHT, rounding=ROUND_DOWN)
        fee = Decimal("0.0002") if coin == "BTC" else Decimal("0.0012")
        if amount > fee * 5:
            yield from self._keep([self._maker.withdrawal(moment, coin, amount, fee)])

    def _rewards(self, monday: int) -> Iterator[Entry]:
        for number, coin in enumerate(_EARNING):
            amount = (self._held[coin] * Decimal("0.00071")).quantize(EIGHT, rounding=ROUND_DOWN)
            if amount > 0:
                yield self._maker.reward(monday + 60_000 + number * 40_000, coin, amount, "staking")
