"""The unmodified ccxt.pro client listens to all four exchanges: values move, trades come, candles grow."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import ccxt
import ccxt.pro
import orjson
import pytest

from apps.simulator.gateways.sockets import text_frame
from apps.simulator.hub import wall_clock
from apps.simulator.tests.conftest import Running

SYMBOL = "BTC/USDT"
PATIENCE = 20


@asynccontextmanager
async def listening(running: Running, venue: str) -> AsyncIterator[Any]:
    """Give a client that is closed afterwards."""
    client = running.point(getattr(ccxt.pro, venue)({"number": str}))
    client.set_markets_from_exchange(running.loaded(venue))
    client.open()
    try:
        yield client
    finally:
        await client.close()


async def _soon(answer: Awaitable[Any]) -> Any:
    return await asyncio.wait_for(answer, PATIENCE)


async def _until(ask: Callable[[], Awaitable[Any]], seen: set[Any], wanted: int, read: Callable[[Any], Any]) -> None:
    """Ask until so many different values were seen."""
    async with asyncio.timeout(PATIENCE):
        while len(seen) < wanted:
            seen.add(read(await ask()))


async def test_tickers_of_several_symbols_move(running: Running, venue: str) -> None:
    symbols = ["BTC/USDT", "ETH/USDT"]
    async with listening(running, venue) as client:
        prices: dict[str, set[str]] = {symbol: set() for symbol in symbols}
        async with asyncio.timeout(PATIENCE):
            while any(len(seen) < 3 for seen in prices.values()):
                for symbol, ticker in (await client.watch_tickers(symbols)).items():
                    prices[symbol].add(ticker["last"])
        for symbol, seen in prices.items():
            now = float(running.world.ticker(venue, symbol, wall_clock()).last)
            assert all(abs(float(price) / now - 1) < 0.02 for price in seen)


async def test_one_ticker_moves_and_can_be_left(running: Running, venue: str) -> None:
    async with listening(running, venue) as client:
        seen: set[str] = set()
        await _until(lambda: client.watch_ticker(SYMBOL), seen, 3, lambda ticker: ticker["last"])
        if client.has["unWatchTicker"]:
            await _soon(client.un_watch_ticker(SYMBOL))
            await asyncio.sleep(0.5)
            kinds = running.hub.exchanges[venue].venue.sockets.kinds(SYMBOL)
            assert not {"miniTicker", "ticker", "snapshot"} & set(kinds)


async def test_trades_come_as_they_happen(running: Running, venue: str) -> None:
    async with listening(running, venue) as client:
        seen: set[str] = set()
        await _until(lambda: client.watch_trades(SYMBOL), seen, 3, lambda trades: trades[-1]["id"])
        numbers = sorted(int(number) for number in seen)
        assert numbers[-1] - numbers[0] < 10_000


@pytest.mark.parametrize("where", ["binance", "kraken", "kucoin"])
async def test_the_growing_candle_is_pushed(running: Running, where: str) -> None:
    async with listening(running, where) as client:
        seen: set[tuple[str, ...]] = set()
        await _until(lambda: client.watch_ohlcv(SYMBOL, "1m"), seen, 3, lambda rows: tuple(map(str, rows[-1])))
        opened = {int(row[0]) for row in seen}
        assert all(moment % 60_000 == 0 and wall_clock() - moment < 120_000 for moment in opened)


@pytest.mark.parametrize("where", ["binance", "kraken", "kucoin"])
async def test_best_prices_are_pushed(running: Running, where: str) -> None:
    async with listening(running, where) as client:
        best = (await _soon(client.watch_bids_asks([SYMBOL])))[SYMBOL]
        assert float(best["bid"]) < float(best["ask"])


async def test_all_tickers_of_kucoin_come_by_one_topic(running: Running) -> None:
    async with listening(running, "kucoin") as client:
        symbols: set[str] = set()
        await _until(client.watch_tickers, symbols, 10, lambda tickers: next(iter(tickers)))
        assert symbols <= set(running.markets("kucoin"))


async def _talk(url: str, *said: dict[str, Any], wanted: int) -> list[dict[str, Any]]:
    """Say something on a bare socket and return the first answers."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        for message in said:
            await socket.send_str(orjson.dumps(message).decode())
        return [await asyncio.wait_for(socket.receive_json(), PATIENCE) for _ in range(wanted)]


async def test_wrong_subscriptions_get_an_error_and_the_socket_stays(running: Running) -> None:
    places = {venue: url.replace("http", "ws") for venue, url in running.addresses.items()}
    binance = await _talk(
        places["binance"] + "/ws", {"method": "NOPE", "id": 1}, {"method": "LIST_SUBSCRIPTIONS", "id": 2}, wanted=2
    )
    assert binance[0]["error"]["code"] == 2
    assert binance[1] == {"result": [], "id": 2}
    wrong = {"method": "subscribe", "params": {"channel": "ticker", "symbol": ["NO/PE"]}, "req_id": 3}
    kraken = await _talk(places["kraken"] + "/v2", wrong, {"method": "ping", "req_id": 4}, wanted=3)
    assert kraken[0]["channel"] == "status"
    assert (kraken[1]["success"], kraken[1]["error"]) == (False, "Currency pair not supported NO/PE")
    assert kraken[2]["method"] == "pong"
    wrong = {"type": "subscribe", "product_ids": ["NO-PE"], "channel": "ticker"}
    right = {"type": "subscribe", "product_ids": ["BTC-USDT"], "channel": "ticker"}
    coinbase = await _talk(places["coinbase"], wrong, right, wanted=3)
    assert coinbase[0]["type"] == "error"
    assert coinbase[1]["channel"] == "subscriptions"
    assert coinbase[2]["events"][0]["type"] == "snapshot"
    kucoin = await _talk(places["kucoin"] + "/endpoint?token=wrong", wanted=1)
    assert kucoin[0]["code"] == 401


async def test_coinbase_numbers_the_messages_of_a_connection_without_a_gap(running: Running) -> None:
    ask = {"type": "subscribe", "product_ids": ["BTC-USDT", "ETH-USDT"], "channel": "ticker"}
    answers = await _talk(
        running.addresses["coinbase"].replace("http", "ws"), ask, {**ask, "channel": "heartbeats"}, wanted=20
    )
    assert [answer["sequence_num"] for answer in answers] == list(range(20))


async def test_binance_wraps_events_of_a_combined_stream(running: Running) -> None:
    place = running.addresses["binance"].replace("http", "ws")
    events = await _talk(f"{place}/stream?streams=btcusdt@miniTicker/btcusdt@kline_1m", wanted=4)
    assert {event["stream"] for event in events} <= {"btcusdt@miniTicker", "btcusdt@kline_1m"}
    assert all(event["data"]["s"] == "BTCUSDT" for event in events)


async def test_a_socket_that_is_cut_heals_by_itself(running: Running, control: Callable[..., Any]) -> None:
    async with listening(running, "binance") as client:
        await _soon(client.watch_ticker(SYMBOL))
        control("binance", "faults", "POST", {"fault": "ws_close", "count": 1, "seconds": None})
        with pytest.raises(ccxt.NetworkError):
            await _until(lambda: client.watch_ticker(SYMBOL), set(), 1000, lambda ticker: ticker["timestamp"])
        assert (await _soon(client.watch_ticker(SYMBOL)))["last"] is not None


@pytest.mark.parametrize(("size", "head"), [(5, b"\x81\x05"), (300, b"\x81\x7e\x01\x2c"), (70_000, b"\x81\x7f")])
def test_a_frame_says_how_long_it_is(size: int, head: bytes) -> None:
    frame = text_frame(b"x" * size)
    assert frame.startswith(head)
    assert frame.endswith(b"x" * size)
    assert len(frame) - size in {2, 4, 10}
