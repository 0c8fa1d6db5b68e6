"""A venue of our own for tests of the feed: a real server on a real port that speaks each venue's ticker frames."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

from apps.markets.domain.tape import Line, Tape


def now_ms() -> int:
    """Return the present in milliseconds."""
    return int(time.time() * 1000)


def make_tape(instrument: str = "binance:BTC/USDT", *, line: Line | None = None, at: int = 0) -> Tape:
    """Make a tape on a line whose clock is set."""
    venue, _colon, symbol = instrument.partition(":")
    line = line or Line(venue)
    line.clock(true_now=at or now_ms(), skew=0)
    return Tape(instrument=instrument, venue_symbol=symbol.replace("/", ""), line=line)


def _binance(symbol: str, price: str, ts: int) -> dict[str, Any]:
    day = {"o": "50", "h": "200", "l": "1", "v": "1000", "q": "100000"}
    return {"e": "24hrMiniTicker", "E": ts, "s": symbol.replace("/", ""), "c": price, **day}


def _coinbase(symbol: str, price: str, ts: int) -> dict[str, Any]:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ts / 1000)) + f".{ts % 1000:03d}000000Z"
    ticker = {"type": "ticker", "product_id": symbol.replace("/", "-"), "price": price}
    ticker |= {"price_percent_chg_24_h": "100", "volume_24_h": "1000"}
    return {"channel": "ticker_batch", "timestamp": stamp, "events": [{"type": "update", "tickers": [ticker]}]}


def _kraken(symbol: str, price: str, ts: int) -> dict[str, Any]:
    ticker = {"symbol": symbol, "last": float(price), "volume": 1000.0, "vwap": 100.0, "change_pct": 100.0}
    return {"channel": "ticker", "type": "update", "data": [ticker]}


def _kucoin(symbol: str, price: str, ts: int) -> dict[str, Any]:
    data = {"price": price, "size": "0.5", "time": ts, "sequence": "1"}
    topic = f"/market/ticker:{symbol.replace('/', '-')}"
    return {"type": "message", "topic": topic, "subject": "trade.ticker", "data": data}


FRAMES: dict[str, Callable[[str, str, int], dict[str, Any]]] = {
    "binance": _binance,
    "coinbase": _coinbase,
    "kraken": _kraken,
    "kucoin": _kucoin,
}


ANSWERS: dict[str, Callable[[Any, bool], dict[str, Any] | None]] = {
    "binance": lambda asked, is_refused: (
        {"error": {"code": 2, "msg": "Invalid request"}, "id": asked["id"]}
        if is_refused
        else {"result": None, "id": asked["id"]}
    ),
    "coinbase": lambda _asked, is_refused: (
        {"type": "error", "message": "no such product"} if is_refused else {"channel": "subscriptions", "events": []}
    ),
    "kraken": lambda asked, is_refused: (
        {"method": "subscribe", "success": False, "error": "Unsupported pairs", "req_id": asked["req_id"]}
        if is_refused
        else None
    ),
    "kucoin": lambda asked, is_refused: (
        {"id": asked["id"], "type": "error", "code": 404, "data": f"topic {asked['topic']} is not found"}
        if is_refused
        else None
    ),
}


async def until(condition: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Wait until something is so; a busy machine takes its time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of us
            await asyncio.sleep(0.01)


class FakeVenue:
    """One venue: remembers what was asked of it, and sends what a test tells it to."""

    def __init__(self, venue: str) -> None:
        self.venue = venue
        self.address = ""
        self.asked: list[Any] = []
        self.opened = 0
        self.sockets: set[web.WebSocketResponse] = set()
        self.is_dumb = False
        self.accepted: list[Any] = []
        self.unknown = ""

    async def tick(self, symbol: str, price: str, *, ts: int | None = None) -> None:
        """Send one ticker to everybody."""
        await self.say(json.dumps(FRAMES[self.venue](symbol, price, ts or now_ms())))

    async def say(self, text: str) -> None:
        """Send any text to everybody."""
        for socket in list(self.sockets):
            if not self.is_dumb:
                with contextlib.suppress(ConnectionError):
                    await socket.send_str(text)

    async def hang_up(self) -> None:
        """Close every connection."""
        for socket in list(self.sockets):
            await socket.close()

    async def heard(self, count: int = 1, *, seconds: float = 30.0) -> None:
        """Wait until so many subscriptions have come in."""
        await until(lambda: len(self.asked) >= count, seconds=seconds)

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection."""
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.opened += 1
        self.sockets.add(socket)
        try:
            async for message in socket:
                if self.is_dumb:
                    continue
                if message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    await self._answer(socket, json.loads(message.data))
        finally:
            self.sockets.discard(socket)
        return socket

    async def _answer(self, socket: web.WebSocketResponse, asked: Any) -> None:
        """Refuse a subscription as a whole that names the pair which is unknown, in the venue's own words."""
        self.asked.append(asked)
        is_refused = self.unknown and self.unknown in json.dumps(asked)
        if not is_refused:
            self.accepted.append(asked)
        answer = ANSWERS[self.venue](asked, bool(is_refused))
        if answer is not None:
            await socket.send_str(json.dumps(answer))

    async def bullet(self, _request: web.Request) -> web.Response:
        """Answer KuCoin's question for the socket's address."""
        endpoint = self.address.replace("http://", "ws://") + "/endpoint"
        server = {"endpoint": endpoint, "pingInterval": 18000, "pingTimeout": 10000}
        return web.json_response({"code": "200000", "data": {"token": "t", "instanceServers": [server]}})


@asynccontextmanager
async def fake_venue(venue: str, *, port: int = 0) -> AsyncIterator[FakeVenue]:
    """Run a venue on a port of this machine."""
    fake = FakeVenue(venue)
    application = web.Application()
    application.router.add_post("/api/v1/bullet-public", fake.bullet)
    application.router.add_get("/{path:.*}", fake.socket)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    fake.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await fake.hang_up()
        await runner.cleanup()
