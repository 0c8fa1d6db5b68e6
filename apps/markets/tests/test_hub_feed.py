"""The feed as a whole: venues on real sockets in, Redis and candles out, one leader, and what may go wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

import pytest
from django.test import override_settings

from apps.core import clock
from apps.core.cache import redis_client
from apps.markets import queries
from apps.markets.domain import prices as layout
from apps.markets.domain.prices import Price
from apps.markets.hub import Feed
from apps.markets.hub.lease import Lease
from apps.markets.tests.factories import make_instrument
from apps.markets.tests.factories_feed import FakeVenue, fake_venue, until

pytestmark = pytest.mark.django_db(transaction=True)

BTC, OTHER_BTC = "binance:BTC/USDT", "kucoin:BTC/USDT"


@asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[Feed]:
    stop = asyncio.Event()
    task = asyncio.create_task(feed.run(stop))
    try:
        yield feed
    finally:
        stop.set()
        await asyncio.wait_for(task, 3)


@asynccontextmanager
async def venues(*names: str) -> AsyncIterator[list[FakeVenue]]:
    async with AsyncExitStack() as stack:
        fakes = [await stack.enter_async_context(fake_venue(name)) for name in names]
        with override_settings(EXCHANGE_BASE_URLS={fake.venue: fake.address for fake in fakes}):
            yield fakes


def make_feed(
    *names: str, now: Callable[[], datetime] = clock.now, lease_seconds: float = 2.0, silence: float = 15.0
) -> Feed:
    lease = Lease(queries.current_world(), seconds=lease_seconds)
    return Feed(now=now, per_venue=10, venues=names or ("binance",), lease=lease, silence=silence)


def price_of(name: str = BTC) -> Price | None:
    return queries.latest_prices(instruments=[name]).get(name)


def shows(price: str, name: str = BTC, *, source: str = "") -> Callable[[], bool]:
    def is_shown() -> bool:
        shown = price_of(name)
        return shown is not None and shown.price == price and source in {"", shown.source}

    return is_shown


async def test_a_tick_is_in_the_cache_and_the_stream_within_moments() -> None:
    await asyncio.to_thread(make_instrument, BTC)
    async with venues("binance") as [binance], running(make_feed()):
        await binance.heard()
        for price in ("100", "101", "102.5"):
            await binance.tick("BTC/USDT", price)
        await until(shows("102.5"), seconds=2)
        shown = price_of()
        assert shown is not None
        assert (shown.change_24h, shown.volume_24h, shown.source) == ("1.05", "100000", "binance")
        entries: Any = redis_client().xrange(layout.ticks_key(queries.current_world()))
        assert layout.from_stream(entries[-1][1][b"b"]) == [shown]
        await until(lambda: queries.open_candles(instruments=[BTC]), seconds=3)
        candle = queries.open_candles(instruments=[BTC])[BTC]
        assert (candle.open, candle.high, candle.close) == (100, 102.5, 102.5)
        await until(lambda: queries.feed_states()[0].state == "connected", seconds=3)
    assert redis_client().get(layout.lease_key(queries.current_world())) is None
