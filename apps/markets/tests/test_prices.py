"""Live prices: how they lie in the cache and travel in the stream, and who may write them."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from django.test import override_settings

from apps.core.cache import async_redis_client, redis_client
from apps.markets import actions, queries
from apps.markets.domain import prices as layout
from apps.markets.domain.prices import OpenCandle, Price, PricesCut, VenueFeed

BTC = Price("binance:BTC/USDT", "64000.5", "0.0123", "1200", 1_700_000_000_000, "binance")
ETH = Price("kraken:ETH/USD", "3000", None, None, 1_700_000_000_500, "kraken")
FIRST = "0-0"


@pytest.fixture
async def _closing() -> AsyncIterator[None]:
    yield
    await async_redis_client().aclose()


pytestmark = pytest.mark.usefixtures("_closing")


async def test_a_published_price_can_be_read_and_is_in_the_stream() -> None:
    await actions.publish_prices(prices=[BTC, ETH])
    assert queries.latest_prices() == {BTC.instrument: BTC, ETH.instrument: ETH}
    assert queries.latest_prices(instruments=[ETH.instrument, "binance:NO/USDT"]) == {ETH.instrument: ETH}
    assert await queries.alatest_prices(instruments=[BTC.instrument]) == {BTC.instrument: BTC}
    assert await queries.alatest_prices() == queries.latest_prices()
    async with aclosing(queries.price_batches(last_id=FIRST)) as batches:
        _entry, batch = await anext(batches)
    assert batch == [BTC, ETH]


async def test_the_worlds_do_not_mix() -> None:
    with override_settings(FEED="simulator"):
        await actions.publish_prices(prices=[BTC])
    with override_settings(FEED="live"):
        assert queries.latest_prices() == {}
        await actions.publish_prices(prices=[ETH])
    with override_settings(FEED="simulator"):
        assert queries.latest_prices() == {BTC.instrument: BTC}


async def test_a_feed_that_has_lost_the_lease_writes_nothing() -> None:
    await async_redis_client().set(layout.lease_key(queries.current_world()), "2")
    await actions.publish_prices(prices=[BTC], fence="2")
    with pytest.raises(actions.NotLeadingError):
        await actions.publish_prices(prices=[ETH], fence="1")
    with pytest.raises(actions.NotLeadingError):
        await actions.write_open_candles(candles={BTC.instrument: OpenCandle(0, 1, 1, 1, 1, 0)}, fence="1")
    assert queries.latest_prices() == {BTC.instrument: BTC}
    assert queries.open_candles(instruments=[BTC.instrument]) == {}


async def test_many_prices_fit_one_flush() -> None:
    prices = [BTC._replace(instrument=f"binance:C{number}/USDT") for number in range(5_000)]
    await actions.publish_prices(prices=prices)
    assert len(queries.latest_prices()) == 5_000


async def test_a_reader_that_was_away_too_long_is_told() -> None:
    async with aclosing(queries.price_batches(last_id=FIRST)) as batches:
        await actions.publish_prices(prices=[BTC])
        await anext(batches)
        key = layout.ticks_key(queries.current_world())
        for _ in range(3 * layout.TICKS_LENGTH):
            await async_redis_client().xadd(key, {"b": layout.for_stream([ETH])}, maxlen=layout.TICKS_LENGTH)
        async with aclosing(queries.price_batches(last_id="1-0")) as late:
            _entry, marker = await anext(late)
            assert isinstance(marker, PricesCut)
            await actions.publish_prices(prices=[BTC])
            assert (await anext(late))[1] == [BTC]
    assert redis_client().xlen(key) < 2 * layout.TICKS_LENGTH


async def test_a_reader_hears_what_comes_from_now_on() -> None:
    await actions.publish_prices(prices=[BTC])
    async with aclosing(queries.price_batches(block_seconds=1)) as batches:
        assert isinstance((await anext(batches))[1], PricesCut)  # the cache is read now: what comes meanwhile is heard
        await actions.publish_prices(prices=[ETH])
        assert (await anext(batches))[1] == [ETH]


async def test_open_candles_and_states_come_back_as_written() -> None:
    candle = OpenCandle(1_700_000_000_000, 1.5, 2.5, 1.25, 2.0, 10.0)
    await actions.write_open_candles(candles={BTC.instrument: candle})
    assert queries.open_candles(instruments=[BTC.instrument, ETH.instrument]) == {BTC.instrument: candle}
    state = VenueFeed("kraken", "silent", 1_700_000_000_000, 12, 3)
    await actions.write_feed_states(states=[state])
    states = {one.venue: one for one in queries.feed_states()}
    assert states["kraken"] == state
    assert states["binance"].state == "off"
    assert redis_client().ttl(layout.feed_key(queries.current_world())) > 0


async def test_what_is_no_longer_traded_is_forgotten() -> None:
    await actions.publish_prices(prices=[BTC, ETH])
    await actions.forget_prices(instruments=[BTC.instrument])
    assert list(queries.latest_prices()) == [ETH.instrument]
    assert queries.latest_prices(instruments=[]) == {}
    assert await queries.alatest_prices(instruments=[]) == {}


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("1e-08", "0.00000001"),
        ("1.500", "1.5"),
        (0.1, "0.1"),
        ("100", "100"),
        ("-0.0", "0"),
        ("nan", None),
        ("x", None),
    ],
)
def test_numbers_are_written_plainly(given: str | float, written: str | None) -> None:
    assert layout.plain(given) == written
