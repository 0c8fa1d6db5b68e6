"""Prices on the socket: the protocol of the channel, its pace, and readers that do not keep up."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError
from redis.exceptions import ConnectionError as RedisAway
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from apps.accounts.tests.factories import make_user
from apps.core import clock
from apps.core.cache import async_redis_client
from apps.core.ids import uuid7
from apps.live import broadcast, queries
from apps.live.channels import CHANNELS
from apps.live.domain.bonds import Bond, SignIn, Viewer
from apps.live.domain.protocol import CloseCode, text_frame
from apps.live.hub import Client, Hub, Limits, fanout
from apps.live.hub.board import Board
from apps.live.hub.fanout import NamesPausedError
from apps.live.hub.subscriptions import PriceSubscription
from apps.live.tests.conftest import Talk
from apps.live.tests.factories import FakeLine, LiveProcess, make_family_bond, make_live_process, make_price, small_pipe
from apps.markets.actions import publish_prices
from apps.markets.domain.prices import STALE_AFTER_MS, Price

Open = Callable[..., Talk]
BTC, ETH, SOL = "binance:BTC/USDT", "binance:ETH/USDT", "kraken:SOL/USD"
MARKET = CHANNELS["market_data"]


@pytest.fixture
def bond(transactional_db: None) -> Bond:
    return make_family_bond(make_user())


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be three instruments."""
    monkeypatch.setattr(queries, "instrument_names", lambda: frozenset({BTC, ETH, SOL}))


def hear(live: LiveProcess, *prices: Price) -> None:
    """Put prices on the board as the stream would."""
    live.run(lambda: live.hub.hear_prices(prices))


def tickers(frame: dict[str, Any]) -> dict[str, str]:
    """Return the prices of a frame by instrument."""
    return {ticker["instrument"]: ticker["price"] for ticker in frame["data"]["tickers"]}


# --- The protocol over loopback -------------------------------------------------------------------------------------
def test_a_subscription_gets_the_known_prices_then_what_changes(live: LiveProcess, talk: Open, bond: Bond) -> None:
    hear(live, make_price(BTC, "64000.5", change_24h="0.0123", volume_24h="12.5", source="kraken", age_ms=1500))
    conversation = talk(bond)
    conversation.say(id=1, op="subscribe", channel="market_data", keys=[BTC, ETH])
    assert conversation.hear() == {"op": "subscribed", "id": 1, "channel": "market_data", "keys": [BTC, ETH]}
    snapshot = conversation.hear()
    assert (snapshot["op"], snapshot["channel"], snapshot["seq"]) == ("snapshot", "market_data", 1)
    (ticker,) = snapshot["data"]["tickers"]
    assert 1500 <= ticker.pop("age_ms") < 5000
    assert isinstance(ticker.pop("ts"), int)
    assert ticker == {
        "instrument": BTC,
        "price": "64000.5",
        "change_24h": "0.0123",
        "volume_24h": "12.5",
        "source": "kraken",
        "simulated": True,
    }
    hear(live, make_price(ETH, "3000"), make_price(SOL, "150"))
    update = conversation.hear()
    assert (update["op"], update["seq"], tickers(update)) == ("update", 2, {ETH: "3000"})


def test_unknown_keys_are_named_and_the_rest_is_subscribed(talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.say(id=1, op="subscribe", channel="market_data", keys=["binance:NONE/USDT", BTC, "nonsense"])
    for key in ("binance:NONE/USDT", "nonsense"):
        error = conversation.hear()
        assert (error["op"], error["id"], error["code"]) == ("error", 1, "unknown_key")
        assert key in error["message"]
    assert conversation.hear()["keys"] == [BTC]
    assert conversation.hear()["op"] == "snapshot"


def test_two_hundred_keys_in_all_and_fifty_at_once(
    live: LiveProcess, talk: Open, bond: Bond, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"binance:C{number}/USDT" for number in range(201)]
    live.run(lambda: live.hub.board.name(keys))
    conversation = talk(bond)
    conversation.say(id=0, op="subscribe", channel="market_data", keys=keys[:51])
    assert conversation.hear()["code"] == "too_many_keys"
    for first in range(0, 200, 50):
        conversation.say(id=first, op="subscribe", channel="market_data", keys=keys[first : first + 50])
        assert len(conversation.hear_op("subscribed")["keys"]) == first + 50
    conversation.say(id=9, op="subscribe", channel="market_data", keys=keys[200:])
    assert conversation.hear_op("error")["code"] == "too_many_keys"
    conversation.say(id=10, op="unsubscribe", channel="market_data", keys=keys[:1])
    assert len(conversation.hear_op("unsubscribed")["keys"]) == 199


def test_an_instrument_that_is_new_is_looked_up(
    live: LiveProcess, talk: Open, bond: Bond, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = talk(bond)
    monkeypatch.setattr(queries, "instrument_names", lambda: frozenset({"kucoin:NEW/USDT"}))
    conversation.say(id=1, op="subscribe", channel="market_data", keys=["kucoin:NEW/USDT"])
    assert conversation.hear()["keys"] == ["kucoin:NEW/USDT"]


def test_one_that_cannot_be_looked_up_is_not_called_unknown(
    talk: Open, bond: Bond, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _away() -> frozenset[str]:
        raise OperationalError("the database is away")

    conversation, other = talk(bond), talk(bond)
    monkeypatch.setattr(queries, "instrument_names", _away)
    for one in (conversation, other):
        one.say(id=1, op="subscribe", channel="market_data", keys=["kucoin:NEW/USDT"])
        with pytest.raises(ConnectionClosed) as closed:
            one.hear()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == CloseCode.TRY_LATER


def test_prices_that_could_not_be_read_at_the_start_come_as_soon_as_they_can(
    hub: Hub, bond: Bond, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_away = threading.Event()
    is_away.set()

    async def _prices() -> dict[str, Price]:
        if is_away.is_set():
            raise RedisAway("Redis is away")
        return {BTC: make_price(BTC, "7")}

    monkeypatch.setattr(broadcast, "alatest_prices", _prices)
    monkeypatch.setattr(broadcast, "_REST_SECONDS", 0.2)
    with make_live_process(hub) as live, connect(live.address_for(bond), proxy=None) as connection:
        conversation = Talk(connection)
        conversation.say(op="subscribe", channel="market_data", keys=[BTC])
        assert tickers(conversation.hear_op("snapshot")) == {}
        is_away.clear()
        assert tickers(conversation.hear_op("update")) == {BTC: "7"}  # although nothing was published meanwhile


def test_at_most_four_updates_a_second_and_the_newest_wins(live: LiveProcess, talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.say(op="subscribe", channel="market_data", keys=[BTC])
    conversation.hear_op("snapshot")
    started, number = time.monotonic(), 0
    frames: list[dict[str, Any]] = []
    while time.monotonic() - started < 2.0:
        number += 1
        hear(live, make_price(BTC, str(number)))
        time.sleep(0.005)
    while not frames or tickers(frames[-1])[BTC] != str(number):
        frames.append(conversation.hear())
    assert 2 < len(frames) <= (time.monotonic() - started) * 4 + 1
    assert [frame["seq"] for frame in frames] == list(range(2, 2 + len(frames)))
    shown = [int(tickers(frame)[BTC]) for frame in frames]
    assert shown == sorted(set(shown))


def test_a_price_travels_from_the_feed_to_the_socket(live: LiveProcess, talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.say(op="subscribe", channel="market_data", keys=[BTC, SOL])
    conversation.hear_op("snapshot")

    async def _publish() -> None:
        await publish_prices(prices=[make_price(BTC, "64001"), make_price(SOL, "151")])
        await async_redis_client().aclose()

    asyncio.run(_publish())
    assert tickers(conversation.hear()) == {BTC: "64001", SOL: "151"}


def test_what_was_missed_comes_from_the_cache(live: LiveProcess, talk: Open, bond: Bond) -> None:
    conversation = talk(bond)
    conversation.say(op="subscribe", channel="market_data", keys=[BTC])
    conversation.hear_op("snapshot")
    live.run(lambda: live.hub.load_prices({BTC: make_price(BTC, "7")}))
    assert tickers(conversation.hear()) == {BTC: "7"}


def test_silence_is_said_by_venue_and_ends_with_a_snapshot(live: LiveProcess, talk: Open, bond: Bond) -> None:
    hear(live, make_price(BTC, "1"), make_price(SOL, "2"))
    conversation = talk(bond)
    conversation.say(op="subscribe", channel="market_data", keys=[BTC, SOL])
    conversation.hear_op("snapshot")
    heard_at = live.hub.board._heard_at["kraken"] - STALE_AFTER_MS - 500
    live.run(lambda: live.hub.board._heard_at.update(kraken=heard_at))
    stale = conversation.hear()
    assert (stale["op"], stale["channel"], stale["venues"]) == ("stale", "market_data", ["kraken"])
    assert stale["since"].endswith("Z")
    hear(live, make_price(BTC, "3"))
    assert tickers(conversation.hear_op("update")) == {BTC: "3"}  # the others go on
    conversation.say(op="resync", channel="market_data")
    assert [conversation.hear()["op"] for _ in range(2)] == ["snapshot", "stale"]
    hear(live, make_price(SOL, "4"))
    assert tickers(conversation.hear_op("snapshot")) == {BTC: "3", SOL: "4"}


def test_one_that_stops_reading_costs_bounded_memory(live: LiveProcess, talk: Open, bond: Bond) -> None:
    keys = [f"binance:C{number}/USDT" for number in range(50)]
    live.run(lambda: live.hub.board.name(keys))
    stalled, reading = talk(bond, sock=small_pipe(live.port), max_queue=1, close_timeout=0.5), talk(bond)
    for conversation in (stalled, reading):
        conversation.say(op="subscribe", channel="market_data", keys=keys)
    reading.hear_op("snapshot")
    for number in range(60):
        hear(live, *(make_price(key, str(number)) for key in keys))
        time.sleep(0.05)
        assert max(client.line.waiting() for client in live.hub._clients) < 30_000
    while tickers(reading.hear_op("update"))[keys[0]] != "59":
        pass


# --- The hub alone --------------------------------------------------------------------------------------------------
class Room:
    """A hub with clients on wires of the test's own."""

    def __init__(self) -> None:
        self.hub = Hub(now=clock.now, limits=Limits(slow_after=0.3, hopeless_after=1.0))
        self.ended: list[CloseCode] = []

    def client(self, *keys: str) -> tuple[Client, FakeLine]:
        line, bond = FakeLine(), Bond(user_id=uuid7(), sign_in=SignIn.FAMILY, reference=str(uuid7()))
        viewer = Viewer(bond.user_id, runs_instance=False)
        client = self.hub.join(bond=bond, viewer=viewer, line=line, hang_up=self._hang_up)
        assert client is not None
        self.hub.watch(client, MARKET, keys)
        return client, line

    async def _hang_up(self, code: CloseCode) -> None:
        self.ended.append(code)


async def until(is_so: Callable[[], bool], *, seconds: float = 10) -> None:
    """Wait for something; fail when it does not come."""
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    yield room
    room.hub.close()


class Names:
    """The database's answer, which the test holds back, and how often it was asked."""

    def __init__(self) -> None:
        self.asked, self.problem = 0, ""
        self.may_answer = threading.Event()

    def __call__(self) -> frozenset[str]:
        self.asked += 1
        assert self.may_answer.wait(30)
        if self.problem:
            raise OperationalError(self.problem)
        return frozenset({BTC})


@pytest.fixture
def asked_names(monkeypatch: pytest.MonkeyPatch, names: None) -> Names:
    held = Names()
    monkeypatch.setattr(queries, "instrument_names", held)
    return held


async def test_those_who_ask_at_once_wait_for_one_answer(room: Room, asked_names: Names) -> None:
    asking = [asyncio.ensure_future(room.hub.known(MARKET, [BTC])) for _ in range(3)]
    await until(lambda: asked_names.asked == 1)
    asking.append(asyncio.ensure_future(room.hub.known(MARKET, [BTC, ETH])))
    asked_names.may_answer.set()
    assert await asyncio.gather(*asking) == [(BTC,)] * 4
    assert await room.hub.known(MARKET, [ETH]) == ()
    assert asked_names.asked == 1  # an answer is good for a while


async def test_a_failed_look_is_told_to_all_and_the_next_one_looks_again(room: Room, asked_names: Names) -> None:
    asked_names.problem = "the database is away"
    asked_names.may_answer.set()
    failed = await asyncio.gather(*(room.hub.known(MARKET, [BTC]) for _ in range(2)), return_exceptions=True)
    assert [type(one) for one in failed] == [NamesPausedError] * 2
    asked_names.problem = ""
    assert await room.hub.known(MARKET, [BTC]) == (BTC,)


async def test_a_database_that_hangs_is_not_waited_for_for_ever(
    room: Room, asked_names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "_LOOK_PATIENCE_SECONDS", 0.1)
    with pytest.raises(NamesPausedError):
        await room.hub.known(MARKET, [BTC])
    monkeypatch.setattr(fanout, "_LOOK_PATIENCE_SECONDS", 5.0)
    asked_names.may_answer.set()
    assert await room.hub.known(MARKET, [BTC]) == (BTC,)


async def test_one_that_left_while_it_was_asking_is_not_kept(room: Room) -> None:
    client, _line = room.client(BTC)
    room.hub.leave(client)
    room.hub.watch(client, MARKET, [BTC])
    assert room.hub.pacer.members() == []
    assert client.subscriptions == {}


async def test_a_stalled_reader_harms_nobody_and_keeps_nothing(room: Room) -> None:
    room.hub.limits = replace(room.hub.limits, hopeless_after=3600.0)
    (stalled, its_line), (_client, other) = room.client(BTC), room.client(BTC)
    room.hub.hear_prices([make_price(BTC, "1")])
    await asyncio.sleep(0.3)
    its_line.held = 100
    before = len(its_line.frames)
    for number in range(2, 8):
        room.hub.hear_prices([make_price(BTC, str(number))])
        await asyncio.sleep(0.1)
    assert len(its_line.frames) == before
    assert len([frame for frame in other.frames if frame["op"] == "update"]) >= 2
    its_line.held = 0
    await until(lambda: len(its_line.frames) > before)
    fresh = its_line.frames[before]
    assert (fresh["op"], tickers(fresh)) == ("snapshot", {BTC: "7"})
    assert [frame["seq"] for frame in its_line.frames] == list(range(1, 1 + len(its_line.frames)))
    assert isinstance(stalled.subscriptions["market_data"], PriceSubscription)


async def test_a_reader_that_never_reads_is_let_go(room: Room) -> None:
    _client, line = room.client(BTC)
    await asyncio.sleep(0.05)
    line.held = 100
    room.hub.hear_prices([make_price(BTC, "1")])
    await until(lambda: bool(room.ended))
    assert room.ended[0] == CloseCode.TOO_SLOW


async def test_clients_are_spread_over_the_quarter_of_a_second(room: Room) -> None:
    clients = [room.client(BTC)[0] for _ in range(100)]
    slots = [client.subscriptions["market_data"].slot for client in clients]  # type: ignore[attr-defined]
    assert all(slots.count(slot) == 4 for slot in range(25))
    for client in clients:
        room.hub.leave(client)
    assert not room.hub.pacer.members()


async def test_nothing_runs_when_nothing_changes(room: Room) -> None:
    _client, line = room.client(BTC)
    room.hub.hear_prices([make_price(BTC, "1")])
    await until(lambda: room.hub.pacer._timer is None)
    frames = len(line.frames)
    await asyncio.sleep(0.3)
    assert len(line.frames) == frames


async def test_the_pace_is_kept_after_a_pause(room: Room) -> None:
    lines = [room.client(BTC)[1] for _ in range(50)]
    await asyncio.sleep(0.3)
    for line in lines:
        line.frames.clear()
        line.times.clear()
    room.hub.hear_prices([make_price(BTC, "1")])
    await until(lambda: all(line.frames for line in lines))
    await asyncio.sleep(0.3)
    assert all(len(line.frames) == 1 for line in lines)
    times = [line.times[0] for line in lines]
    assert max(times) - min(times) > 0.1  # over the round, not all at once


# --- The board ------------------------------------------------------------------------------------------------------
def test_each_price_is_encoded_once_a_phase_with_its_age() -> None:
    board = Board(simulated=False, now_ms=1_000_000)
    board.hear([make_price(BTC, "5", ts=999_000)], now_ms=1_000_000)
    board.begin(1_000_000)
    quotes = [board.quote(BTC)]
    assert board.tickers(quotes, after=0)[0] is board.tickers(quotes, after=0)[0]
    assert board.tickers(quotes, after=0)[0].endswith(b'"simulated":false,"age_ms":1000}')
    board.begin(1_000_250)
    assert board.tickers(quotes, after=0)[0].endswith(b'"age_ms":1250}')
    assert board.tickers(quotes, after=board.revision) == []


def test_the_cache_bumps_only_what_is_new() -> None:
    board = Board(simulated=True, now_ms=0)
    price = make_price(BTC, "5")
    board.load({BTC: price})
    revision = board.revision
    board.load({BTC: price})
    assert board.revision == revision
    board.load({BTC: price._replace(price="6")})
    assert board.revision > revision


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536, 70_000])
def test_frames_are_written_as_the_standard_says(length: int) -> None:
    text = b"x" * length
    assert text_frame(text) == Frame(Opcode.TEXT, text).serialize(mask=False)
