"""Ledgers for the benchmarks: a person with fifty assets, and one with 100,000 entries over five years of prices."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from apps.core import clock
from apps.markets.domain.candles import Candles
from apps.markets.domain.prices import Price
from apps.markets.domain.timeframes import DAY_MS, Timeframe

if TYPE_CHECKING:
    from apps.accounts.models import User
    from apps.portfolios.models import Portfolio

PASSWORD: Final = "figures-need-a-peer-1"
DAYS: Final = 1_826
_ACCOUNTS: Final = ("Kraken", "Binance", "Cold wallet")
_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True)
class World:
    """A person, their portfolio, and the coins in it."""

    user: "User"
    portfolio: "Portfolio"
    coins: tuple[str, ...]


def codes(count: int) -> tuple[str, ...]:
    """Return the codes of so many coins; the first ones are those that benchmarks are compared with."""
    return ("BTC", "ETH", *(f"BENCH{number:03}" for number in range(2, count)))[:count]


def made(*, email: str, coins: int, entries: int) -> World:
    """Make a person with a ledger of so many entries, booked and valued."""
    from apps.accounts.models import User  # only the benchmark makes people without asking them
    from apps.portfolios import actions
    from apps.portfolios.domain.drafts import draft_of

    now = clock.now()
    user = User.objects.create_user(email=email, password=PASSWORD)
    portfolio = actions.ensure_default_portfolio(user=user, now=now)
    names = codes(coins)
    raw = list(_entries(entries, names, now))
    for start in range(0, len(raw), _AT_ONCE):
        drafts = [draft_of(row, source="bench") for row in raw[start : start + _AT_ONCE]]
        done = actions.post_entries(portfolio=portfolio, drafts=drafts, source="bench", by=user, now=now)
        if done.errors:
            raise RuntimeError(f"The benchmark's own ledger was refused: {done.errors[0].message}")
    portfolio.refresh_from_db()
    actions.refresh(portfolio=portfolio, now=now)
    portfolio.refresh_from_db()
    return World(user, portfolio, names)


def _entries(count: int, coins: tuple[str, ...], now: datetime) -> Iterator[dict[str, Any]]:
    """Make purchases, sales, rewards and moves between accounts by turns of luck; the same ones every time."""
    luck = random.Random(11)
    first = now - timedelta(days=DAYS - 2)
    step = timedelta(days=DAYS - 3) / max(1, count)
    held: dict[tuple[str, str], int] = {}
    for number in range(count):
        coin = coins[number] if number < len(coins) else luck.choice(coins)
        account, units = luck.choice(_ACCOUNTS), luck.randint(10**6, 10**9)
        have, turn = held.get((account, coin), 0), luck.random()
        common = {"id": f"b{number}", "ts": (first + step * number).astimezone(UTC).isoformat(), "asset": coin}
        if turn < 0.3 and have > units and number >= len(coins):
            held[account, coin] = have - units
            yield {**common, "type": "sell", "account": account, "amount": _text(units), "price": "101.5", "fee": "0.4"}
        elif turn < 0.35 and have > units and number >= len(coins):
            other = luck.choice([one for one in _ACCOUNTS if one != account])
            held[account, coin], held[other, coin] = have - units, held.get((other, coin), 0) + units
            move = {"type": "transfer", "amount": _text(units), "from_account": account, "to_account": other}
            yield {**common, **move}
        elif turn < 0.4:
            held[account, coin] = have + units
            income = {"type": "income", "amount": _text(units), "value": "3.25", "kind": "staking"}
            yield {**common, **income, "account": account}
        else:
            held[account, coin] = have + units
            yield {**common, "type": "buy", "account": account, "amount": _text(units), "price": "99.25", "fee": "0.5"}


def _text(units: int) -> str:
    return f"{units // 10**8}.{units % 10**8:08d}"


def trade(*, coins: int) -> None:
    """Let so many coins trade on one exchange: five years of days, and a price of this moment."""
    from apps.markets import actions, queries
    from apps.markets.models import Asset, CandleSource, Instrument

    now = clock.now()
    usd, _made = Asset.objects.get_or_create(symbol="USD", defaults={"name": "US dollar", "kind": "fiat", "digits": 2})
    today = int(now.timestamp()) // 86_400
    chance = np.random.default_rng(7)
    for coin in codes(coins):
        base, _made = Asset.objects.get_or_create(symbol=coin, defaults={"name": coin, "kind": "crypto", "digits": 8})
        pair = Instrument.objects.create(
            simulated=queries.current_world() == "simulated", venue="kraken", symbol=f"{coin}/USD",
            venue_symbol=f"{coin}USD", base=base, quote=usd, price_digits=2, amount_digits=8, active=True,
            first_seen_at=now, last_seen_at=now, volume_usd=10**6,
        )  # fmt: skip
        close = np.round(100 * np.exp(np.cumsum(chance.normal(0, 0.01, DAYS))), 2)
        ts = (today - DAYS + np.arange(DAYS, dtype=np.int64)) * DAY_MS
        candles = Candles(ts, close, close, close, close, np.ones(DAYS))
        source = CandleSource.VENUE
        actions.store_candles(instrument=pair, timeframe=Timeframe.D1, candles=candles, source=source, now=now)
    tick(coins=coins, price="104.5")


def tick(*, coins: int, price: str) -> None:
    """Publish one price for all coins, as the feed does."""
    from apps.markets.actions import publish_prices

    ts = int(clock.now().timestamp() * 1000)
    prices = [Price(f"kraken:{coin}/USD", price, "0.0123", "12345.6", ts, "kraken") for coin in codes(coins)]
    asyncio.run(publish_prices(prices=prices))
