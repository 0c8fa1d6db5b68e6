"""Price streams on real sockets: each venue's frames, and what a venue may do wrong."""

import asyncio

import pytest
from django.test import override_settings

from apps.markets.domain.tape import Line, Tape
from apps.markets.gateways import streams
from apps.markets.gateways.binance_stream import BinanceStream
from apps.markets.gateways.coinbase_stream import CoinbaseStream
from apps.markets.gateways.kraken_stream import KrakenStream
from apps.markets.gateways.kucoin_stream import KucoinStream
from apps.markets.gateways.streams import SETTLED_MS, StreamLostError, TickerStream, pause_after, spread
from apps.markets.tests.factories_feed import fake_venue, make_tape, now_ms, until

STREAMS: tuple[type[TickerStream], ...] = (BinanceStream, CoinbaseStream, KrakenStream, KucoinStream)
VENUE_SYMBOLS = {"binance": "BTCUSDT", "coinbase": "BTC-USDT", "kraken": "XBTUSDT", "kucoin": "BTC-USDT"}


def make_stream(kind: type[TickerStream], *, silence: float = 15.0) -> TickerStream:
    line = Line(kind.venue)
    tape = make_tape(f"{kind.venue}:BTC/USDT", line=line)
    tape.venue_symbol = VENUE_SYMBOLS[kind.venue]
    return kind(number=0, tapes=[tape], line=line, now_ms=now_ms, silence=silence)


def tape_of(stream: TickerStream) -> Tape:
    return next(iter(stream.tapes.values()))


@pytest.fixture(params=STREAMS, ids=lambda kind: kind.venue)
def kind(request: pytest.FixtureRequest) -> type[TickerStream]:
    chosen: type[TickerStream] = request.param
    return chosen


async def test_a_ticker_lands_on_its_tape(kind: type[TickerStream]) -> None:
    stream = make_stream(kind)
    async with fake_venue(kind.venue) as venue:
        with override_settings(EXCHANGE_BASE_URLS={kind.venue: venue.address}):
            running = asyncio.create_task(stream.run())
            await venue.heard()
            await venue.tick("BTC/USDT", "100.5")
            await venue.tick("ETH/USDT", "5")
            await until(lambda: stream.line.messages == 2)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    tape = tape_of(stream)
    assert tape.value == 100.5
    assert abs(tape.ts - now_ms()) < 5_000
    details = kind.details(tape.raw, tape.value)
    if kind is not KucoinStream:
        assert details.change == pytest.approx(1.0, rel=0.02)
        assert details.quote_volume == pytest.approx(100_000, rel=0.02)
        assert details.base_volume == 1000


async def test_a_closed_socket_is_lost_at_once(kind: type[TickerStream]) -> None:
    stream = make_stream(kind)
    async with fake_venue(kind.venue) as venue:
        with override_settings(EXCHANGE_BASE_URLS={kind.venue: venue.address}):
            running = asyncio.create_task(stream.run())
            began = now_ms()
            await venue.heard()
            await venue.tick("BTC/USDT", "100")
            await until(lambda: stream.line.messages)
            since = tape_of(stream).builder.candle().heard_since
            assert since is not None
            assert began <= since <= now_ms() + SETTLED_MS
            await venue.hang_up()
            with pytest.raises(StreamLostError, match=r".*") as lost:
                await asyncio.wait_for(running, 5)
    assert lost.value.reason == "closed"
    assert tape_of(stream).builder.candle().heard_since is None


async def test_a_silent_socket_is_lost_in_time(kind: type[TickerStream]) -> None:
    stream = make_stream(kind, silence=1.0)
    async with fake_venue(kind.venue) as venue:
        with override_settings(EXCHANGE_BASE_URLS={kind.venue: venue.address}):
            running = asyncio.create_task(stream.run())
            await venue.heard()
            await venue.tick("BTC/USDT", "100")
            venue.is_dumb = True
            with pytest.raises(StreamLostError) as lost:
                await asyncio.wait_for(running, 5)
    assert lost.value.reason == "silent"


async def test_nothing_listens_there(kind: type[TickerStream]) -> None:
    stream = make_stream(kind)
    nowhere = override_settings(EXCHANGE_BASE_URLS={kind.venue: "http://127.0.0.1:9"})
    with nowhere, pytest.raises(StreamLostError) as lost:
        await asyncio.wait_for(stream.run(), 15)
    assert lost.value.reason == "unreachable"


GARBAGE = ("<html>", "[]", '{"e":"24hrMiniTicker"}', '{"channel":"ticker","data":7}', "null", '{"e":', "7", '"x"')


async def test_garbage_is_counted_and_harms_nobody(kind: type[TickerStream]) -> None:
    stream = make_stream(kind)
    async with fake_venue(kind.venue) as venue:
        with override_settings(EXCHANGE_BASE_URLS={kind.venue: venue.address}):
            running = asyncio.create_task(stream.run())
            await venue.heard()
            for text in GARBAGE:
                await venue.say(text)
            await venue.say('{"type":"error","message":"no such pair","id":"1","code":404,"data":"x"}')
            await venue.tick("BTC/USDT", "nan")
            await venue.tick("BTC/USDT", "-1")
            await venue.tick("BTC/USDT", "100")
            await until(lambda: tape_of(stream).value == 100)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    assert stream.line.refused["garbage"] >= 4
    assert venue.opened == 1


async def test_more_instruments_join_a_running_connection() -> None:
    stream = make_stream(BinanceStream)
    async with fake_venue("binance") as venue:
        with override_settings(EXCHANGE_BASE_URLS={"binance": venue.address}):
            running = asyncio.create_task(stream.run())
            await venue.heard()
            eth = make_tape("binance:ETH/USDT", line=stream.line)
            await stream.add([eth])
            await venue.heard(2)
            await venue.tick("ETH/USDT", "7")
            await until(lambda: eth.value == 7)
            assert eth.builder.candle().heard_since is not None
            stream.drop([eth])
            await venue.tick("ETH/USDT", "8")
            await venue.tick("BTC/USDT", "9")
            await until(lambda: tape_of(stream).value == 9)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    assert eth.value == 7
    assert venue.asked[1]["params"] == ["ethusdt@miniTicker"]


async def test_an_unknown_pair_costs_the_others_nothing(
    kind: type[TickerStream], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_LOOK_SECONDS", 0.05)
    stream, coins = make_stream(kind), ("ETH", "SOL", "GONE", "ADA", "XRP", "DOT")
    dash = "-" if kind.venue in {"coinbase", "kucoin"} else ""
    tapes = [make_tape(f"{kind.venue}:{coin}/USDT", line=stream.line) for coin in coins]
    for tape, coin in zip(tapes, coins, strict=True):
        tape.venue_symbol = f"{coin}{dash}USDT"
    await stream.add(tapes)
    async with fake_venue(kind.venue) as venue:
        venue.unknown = stream.name_of(tapes[2]) if kind is not BinanceStream else "goneusdt"
        with override_settings(EXCHANGE_BASE_URLS={kind.venue: venue.address}):
            running = asyncio.create_task(stream.run())
            await until(lambda: stream.line.refused.get("unknown_pair"))
            names = [name.lower() for name in stream.tapes if name.lower() != venue.unknown.lower()]
            await until(lambda: all(name in str(venue.accepted).lower() for name in names))
            assert tapes[2].builder.candle().heard_since is None
            assert None not in {tape.builder.candle().heard_since for tape in (*tapes[:2], *tapes[3:])}
            assert len(venue.asked) <= 8
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    assert venue.opened == 1


def test_each_connection_gets_lively_instruments() -> None:
    assert spread([1, 2, 3, 4, 5], per_connection=2) == [[1, 4], [2, 5], [3]]
    assert spread([], per_connection=2) == []


def test_pauses_grow_and_are_spread() -> None:
    assert all(0.25 <= pause_after(0) <= 0.5 for _ in range(50))
    assert all(15 <= pause_after(20) <= 30 for _ in range(50))
    assert len({pause_after(3) for _ in range(10)}) > 1
