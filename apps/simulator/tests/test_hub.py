"""Four exchanges over real sockets: control routes, faults of answers and sockets, and the command itself."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from apps.simulator.domain.shapes import VENUES
from apps.simulator.domain.world import World
from apps.simulator.hub import Hub, Wishes, make_world, wall_clock
from apps.simulator.tests.factories import the_world

_TIME = {
    "binance": "/api/v3/time",
    "coinbase": "/api/v3/brokerage/time",
    "kraken": "/0/public/Time",
    "kucoin": "/api/v1/timestamp",
}


_PATIENCE = aiohttp.ClientTimeout(total=20)


class Client:
    """Talks to the four ports."""

    def __init__(self, session: aiohttp.ClientSession, addresses: dict[str, str], hub: Hub) -> None:
        self.session, self.addresses, self.hub = session, addresses, hub

    async def ask(self, method: str, path: str, body: object = None, *, venue: str = "binance") -> tuple[int, Any]:
        """Return status and JSON of an answer."""
        data = body if isinstance(body, str) else None if body is None else json.dumps(body)
        async with self.session.request(method, self.addresses[venue] + path, data=data) as answer:
            return answer.status, await answer.json(content_type=None)

    async def fault(self, **fields: object) -> None:
        """Turn a fault on at binance."""
        status, _ = await self.ask("POST", "/_sim/faults", fields)
        assert status == 200


@lru_cache(maxsize=1)
def _world() -> World:
    return make_world(Wishes(seed=7), wall_clock())[0]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    hub = Hub(_world(), None)
    addresses = await hub.open("127.0.0.1", (0, 0, 0, 0))
    fresh = aiohttp.TCPConnector(force_close=True)  # a kept connection would be tried again in silence
    async with aiohttp.ClientSession(connector=fresh, timeout=_PATIENCE) as session:
        yield Client(session, addresses, hub)
    await hub.close()


async def test_each_port_shows_its_accounts(client: Client) -> None:
    for venue in VENUES:
        status, rows = await client.ask("GET", "/_sim/accounts", venue=venue)
        assert status == 200
        assert {row["rights"] for row in rows} == {"read", "trade", "withdraw"}
        assert rows[0]["api_key"] == the_world().accounts(venue)[0].api_key
        assert (rows[0]["passphrase"] is not None) == (venue == "kucoin")
        assert (await client.ask("GET", _TIME[venue], venue=venue))[0] == 200


async def test_a_posted_trade_changes_the_truth(client: Client) -> None:
    _, before = await client.ask("GET", "/_sim/truth/treasury", venue="kraken")
    body = {"label": "treasury", "symbol": "BTC/USD", "side": "sell", "amount": "0.01"}
    status, trade = await client.ask("POST", "/_sim/trade", body, venue="kraken")
    assert status == 200
    assert (trade["side"], trade["amount"], trade["fee_asset"]) == ("sell", "0.01", "USD")
    _, after = await client.ask("GET", "/_sim/truth/treasury", venue="kraken")
    assert after["trades"] == before["trades"] + 1
    assert after["balances"]["BTC"] != before["balances"]["BTC"]
    assert not any(text.endswith("0") and "." in text for text in after["balances"].values())


BAD_TRADES = [
    ("not json", 400, "bad_json"),
    ([], 400, "bad_json"),
    ({"label": "main", "symbol": "BTC/USDT", "side": "buy", "amount": "1", "price": "1"}, 400, "unknown_field"),
    ({"label": "nobody", "symbol": "BTC/USDT", "side": "buy", "amount": "1"}, 404, "unknown_label"),
    ({"label": "treasury", "symbol": "NO/USDT", "side": "buy", "amount": "1"}, 422, "unknown_symbol"),
    ({"label": "treasury", "symbol": "BTC/USDT", "side": "hold", "amount": "1"}, 400, "bad_side"),
    ({"label": "empty", "symbol": "BTC/USDT", "side": "buy", "amount": "1"}, 422, "cannot_trade"),
    *(
        ({"label": "empty", "symbol": "BTC/USDT", "side": "buy", "amount": amount}, 400, "bad_amount")
        for amount in (None, True, "x", "0", "-1", "NaN", "Infinity", "1e99", "0.0000000000000000001")
    ),
]


async def test_senseless_trades_are_refused_with_a_code(client: Client) -> None:
    for body, status, code in BAD_TRADES:
        got, answer = await client.ask("POST", "/_sim/trade", body)
        assert (got, answer["error"]) == (status, code), body
        assert answer["detail"]


BAD_FAULTS = [
    ({"fault": "earthquake"}, "unknown_fault"),
    ({}, "bad_fault"),
    ({"fault": "429", "path": "api"}, "bad_path"),
    ({"fault": "429", "count": 0}, "bad_count"),
    ({"fault": "429", "count": 1.5}, "bad_count"),
    ({"fault": "429", "seconds": -1}, "bad_seconds"),
    ({"fault": "429", "seconds": "soon"}, "bad_seconds"),
    ({"fault": "slow", "ms": "long"}, "bad_ms"),
    ({"fault": "delist", "symbol": "NO/USDT"}, "unknown_symbol"),
    ({"fault": "revoke_key", "label": "nobody"}, "unknown_label"),
]


async def test_senseless_faults_are_refused_with_a_code(client: Client) -> None:
    for body, code in BAD_FAULTS:
        status, answer = await client.ask("POST", "/_sim/faults", body)
        assert 400 <= status < 500, body
        assert answer["error"] == code, body
        assert await client.ask("GET", "/_sim/faults") == (200, [])


async def test_faults_of_answers_and_the_counts(client: Client) -> None:
    url = client.addresses["binance"] + _TIME["binance"]
    for fault, status in (("429", 429), ("418", 418), ("5xx", 503)):
        await client.fault(fault=fault, count=1, path="/api/v3/time")
        assert (await client.ask("GET", "/api/v3/ping"))[0] == 200
        async with client.session.get(url) as answer:
            assert answer.status == status
            assert "retry-after" in answer.headers or fault == "5xx"
    await client.fault(fault="html200", count=1)
    async with client.session.get(url) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
    await client.fault(fault="empty", count=1)
    async with client.session.get(url) as answer:
        assert (answer.status, await answer.read()) == (200, b"")
    await client.fault(fault="cut_json", count=1)
    async with client.session.get(url) as answer:
        with pytest.raises(ValueError):
            json.loads(await answer.text())
    assert (await client.ask("GET", _TIME["binance"]))[0] == 200
    _, counts = await client.ask("GET", "/_sim/stats")
    assert counts["paths"][_TIME["binance"]] == 7
    statuses = {row["status"]: row["count"] for row in counts["requests"] if row["path"] == _TIME["binance"]}
    assert statuses == {429: 1, 418: 1, 503: 1, 200: 4}


async def test_a_connection_can_be_reset_held_or_slow(client: Client) -> None:
    url = client.addresses["binance"] + _TIME["binance"]
    await client.fault(fault="reset", count=2)  # the client tries once more by itself
    with pytest.raises(aiohttp.ClientError):
        await client.session.get(url)
    await client.fault(fault="hang", count=1)
    with pytest.raises(TimeoutError):
        await client.session.get(url, timeout=aiohttp.ClientTimeout(total=0.5))
    await client.fault(fault="slow", count=1, ms=300)
    began = time.monotonic()
    assert (await client.ask("GET", _TIME["binance"]))[0] == 200
    assert time.monotonic() - began >= 0.3
    await client.fault(fault="hang")
    assert await client.ask("DELETE", "/_sim/faults") == (200, [])
    assert (await client.ask("GET", _TIME["binance"]))[0] == 200


async def test_the_clock_can_be_wrong_and_a_market_can_go(client: Client) -> None:
    await client.fault(fault="clock_skew", ms=-60_000, path="/api/v3/time")
    _, answer = await client.ask("GET", _TIME["binance"])
    assert 55_000 < wall_clock() - answer["serverTime"] < 65_000
    desk = client.hub.exchanges["binance"].desk
    await client.fault(fault="delist", symbol="ETH/USDT", seconds=2)
    assert "ETH/USDT" not in {market.symbol for market in desk.markets()}
    await asyncio.sleep(2.05)
    assert "ETH/USDT" in {market.symbol for market in desk.markets()}


async def test_trades_can_come_twice_or_late_and_a_key_can_be_revoked(client: Client) -> None:
    desk = client.hub.exchanges["binance"].desk
    account = next(account for account in desk.world.accounts("binance") if account.label == "treasury")
    fills = desk.fills(account)
    await client.fault(fault="duplicate_trades")
    assert len(desk.fills(account)) == 2 * len(fills)
    await client.ask("DELETE", "/_sim/faults")
    await client.fault(fault="late_trade")
    assert desk.fills(account) == fills[:-1]
    await client.fault(fault="revoke_key", label="treasury")
    assert desk.account(account.api_key) is None
    assert desk.account(desk.world.accounts("binance")[0].api_key) is not None


async def _receive(socket: aiohttp.ClientWebSocketResponse, seconds: float) -> aiohttp.WSMessage | None:
    try:
        return await asyncio.wait_for(socket.receive(), seconds)
    except TimeoutError:
        return None


async def test_sockets_move_fall_silent_and_are_cut(client: Client) -> None:
    url = client.addresses["binance"].replace("http", "ws") + "/stream/ws"
    async with client.session.ws_connect(url) as socket:
        await socket.send_json({"method": "SUBSCRIBE", "params": ["btcusdt@miniTicker"], "id": 1})
        seen = [await _receive(socket, 10) for _ in range(4)]
        assert all(message is not None and message.type is aiohttp.WSMsgType.TEXT for message in seen)
        await client.fault(fault="ws_silent", seconds=600)
        await asyncio.sleep(0.3)
        while await _receive(socket, 0.05):
            pass
        assert await _receive(socket, 1) is None
        await client.ask("DELETE", "/_sim/faults")
        assert await _receive(socket, 10) is not None
        await client.fault(fault="ws_close", count=1)
        while (message := await _receive(socket, 3)) and message.type is aiohttp.WSMsgType.TEXT:
            pass
        assert message is not None
        assert message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.ERROR}
    async with client.session.ws_connect(url) as again:
        await again.send_json({"method": "SUBSCRIBE", "params": ["btcusdt@miniTicker"], "id": 1})
        assert await _receive(again, 10) is not None


# --- the command ----------------------------------------------------------------------------------------------------
def _start(*words: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return subprocess.Popen(
        [sys.executable, "manage.py", "simulate", *words],
        cwd=settings.BASE_DIR,
        env={**environment, "PYTHONWARNINGS": "default", "DATABASE_URL": "postgres://nobody:x@127.0.0.1:9/none"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_runs_without_services_and_stops_at_once(tmp_path: Path) -> None:
    with _start("--ports", "0,0,0,0", "--seed", "7", "--journal", str(tmp_path / "journal.jsonl")) as process:
        assert process.stdout is not None
        addresses = json.loads(process.stdout.readline())
        assert list(addresses) == list(VENUES)
        assert all(address.startswith("http://127.0.0.1:") for address in addresses.values())
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=20)
        assert time.monotonic() - began < 10
        assert (process.returncode, rest, errors) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--ports", "1,2,3"], "four numbers"),
        (["--ports", "0,0,0,x"], "four numbers"),
        (["--ports", "5000,5000,0,0"], "a port twice"),
        (["--ticks-per-second", "1000"], "between 0.1 and 60"),
        (["--history-days", "0"], "between 1 and 2500"),
        (["--replay", "/nowhere"], "is not a folder"),
    ],
)
def test_senseless_wishes_end_in_one_sentence(words: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("simulate", *words)
