"""The feed's reading of ticker frames: ours, plain ccxt.pro, and bare aiohttp with orjson, on the same frames.

The venue is a process of its own on this machine; what counts is the processor time of the reader alone.
Run as a module with a reader's name and a port it is that reader; with `serve` it is the venue.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from typing import Any

from bench import machine
from bench.table import Row

SYMBOLS = 100
MESSAGES = 150_000
#: Ten minutes of a hundred instruments that tick ten times a second.
MANY_MESSAGES = 600_000
ROUNDS = 3
GOAL = 150_000
_FRAMES_PER_WRITE = 200
_AHEAD = 1 << 20


def rows() -> list[Row]:
    """Run each reader against the same frames and return the figures."""
    ours, plain, bare = (_best(reader) for reader in ("ours", "plain", "bare"))
    first, last = _memory()
    return [
        Row(
            "feed: ticker messages/s a core, to the newest price and the open minute",
            f"{ours:,.0f}",
            peer=f"{plain:,.0f}, plain ccxt.pro watch_tickers",
            ratio=f"{ours / plain:.1f}",
            budget=f"{GOAL:,}",
            met=ours >= GOAL,
        ),
        Row(
            "the same, against a bare socket",
            f"{ours:,.0f}",
            peer=f"{bare:,.0f}, aiohttp + orjson + float",
            ratio=f"{ours / bare:.2f}",
        ),
        Row(
            f"feed: memory after {MANY_MESSAGES:,} messages",
            f"{last:.0f} MiB",
            peer=f"{first:.0f} MiB after the first tenth",
            ratio=f"{last / first:.2f}",
            budget="flat (1.05)",
            met=last <= first * 1.05,
        ),
    ]


def _best(reader: str) -> float:
    return max(float(_read(reader, MESSAGES)["per_second"]) for _ in range(ROUNDS))


def _memory() -> tuple[float, float]:
    result = _read("ours", MANY_MESSAGES)
    return float(result["first_mib"]), float(result["last_mib"])


def _read(reader: str, messages: int) -> dict[str, Any]:
    port = machine.free_port()
    own = [sys.executable, "-m", "bench.markets_feed"]
    with subprocess.Popen([*own, "serve", str(port), str(messages)], stdout=subprocess.PIPE, text=True) as venue:
        try:
            if venue.stdout is None or not venue.stdout.readline():
                raise RuntimeError("The venue of the benchmark did not start.")
            done = subprocess.run(
                [*own, reader, str(port), str(messages)], check=True, capture_output=True, text=True, timeout=300
            )
        finally:
            venue.terminate()
    return dict(json.loads(done.stdout.splitlines()[-1]))


# --- The venue --------------------------------------------------------------------------------------------------------
def _frames() -> list[bytes]:
    """Return finished WebSocket text frames of Binance's small ticker, as long as real ones."""
    choice, moment = random.Random(7), int(time.time() * 1000)
    return [_frame(f"{choice.uniform(60_000, 61_000):.8f}", number, moment) for number in range(2_000)]


def _frame(price: str, number: int, moment: int) -> bytes:
    day = {"o": "60123.45000000", "h": "61999.99000000", "l": "59000.00000000"}
    volume = {"v": f"{20_000 + number / 7:.8f}", "q": f"{1_200_000_000 + number:.8f}"}
    ticker = {"e": "24hrMiniTicker", "E": moment, "s": f"C{number % SYMBOLS}USDT", "c": price, **day, **volume}
    payload = json.dumps(ticker, separators=(",", ":")).encode()
    return bytes((0x81, 126)) + len(payload).to_bytes(2, "big") + payload


async def _talk(transport: asyncio.Transport, bursts: list[bytes], messages: int) -> None:
    for number in range(messages // _FRAMES_PER_WRITE):
        while transport.get_write_buffer_size() > _AHEAD:  # noqa: ASYNC110 - the network tells nobody
            await asyncio.sleep(0.001)
        if transport.is_closing():
            return
        transport.write(bursts[number % len(bursts)])
        await asyncio.sleep(0)


async def _serve(port: int, messages: int) -> None:
    from aiohttp import WSMsgType, web

    frames = _frames()
    bursts = [b"".join(frames[at : at + _FRAMES_PER_WRITE]) for at in range(0, len(frames), _FRAMES_PER_WRITE)]

    async def socket(request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse(autoping=False, compress=False)
        await answer.prepare(request)
        talking: asyncio.Task[None] | None = None
        async for message in answer:
            if message.type is WSMsgType.TEXT and talking is None and request.transport is not None:
                talking = asyncio.create_task(_talk(request.transport, bursts, messages))
            elif message.type is WSMsgType.PING:
                await answer.pong(message.data)
        return answer

    application = web.Application()
    application.router.add_get("/{path:.*}", socket)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("ready", flush=True)
    await asyncio.sleep(3600)


# --- The readers ------------------------------------------------------------------------------------------------------
class _Meter:
    """Processor time and memory of this process between the first message and the last."""

    def __init__(self, messages: int) -> None:
        self.messages = messages
        self.started = self.ended = 0.0
        self.before = 0
        self.first_mib = self.last_mib = 0.0

    def look(self, count: int) -> bool:
        """Note how far the reader is; true at the end."""
        if count and not self.started:
            self.started, self.before = time.process_time(), count
        if count >= self.messages / 10 and not self.first_mib:
            self.first_mib = machine.pss_mib(os.getpid())
        if count < self.messages:
            return False
        self.ended, self.last_mib = time.process_time(), machine.pss_mib(os.getpid())
        return True

    def result(self) -> dict[str, float]:
        """Return the figures."""
        rate = (self.messages - self.before) / (self.ended - self.started)
        return {"per_second": rate, "first_mib": self.first_mib, "last_mib": self.last_mib}


async def _ours(port: int, meter: _Meter) -> None:
    """Read as the feed does, with its ten flushes a second, but without Redis."""
    from django.conf import settings

    from apps.markets.domain.tape import Line, Tape
    from apps.markets.gateways.binance_stream import BinanceStream
    from apps.markets.hub.board import Board

    settings.EXCHANGE_BASE_URLS = {"binance": f"http://127.0.0.1:{port}"}
    line, board = Line("binance"), Board()
    tapes = [
        Tape(instrument=f"binance:C{number}/USDT", venue_symbol=f"C{number}USDT", line=line)
        for number in range(SYMBOLS)
    ]
    stream = BinanceStream(number=0, tapes=tapes, line=line, now_ms=_now_ms)
    board.readers, board.lines = {"binance": BinanceStream}, [line]
    board.add(tapes)
    running = asyncio.create_task(stream.run())
    while not meter.look(line.messages):
        await asyncio.sleep(0.1)
        board.collect(now_ms=_now_ms(), at=time.monotonic())
        if running.done():
            running.result()
    running.cancel()
    if line.refused:
        raise RuntimeError(f"Sound messages were refused: {line.refused}.")
    await asyncio.gather(running, return_exceptions=True)


async def _plain(port: int, meter: _Meter) -> None:
    """Read with ccxt.pro as its manual shows: watch_tickers in a loop."""
    from ccxt.pro import binance

    class Counting(binance):  # type: ignore[misc]  # not typed
        count = 0

        def handle_message(self, client: object, message: object) -> None:
            self.count += 1
            super().handle_message(client, message)

    exchange = Counting({"options": {"ws": {"compress": 0}}})
    exchange.urls["api"]["ws"]["spot"] = f"ws://127.0.0.1:{port}/stream/ws"
    exchange.set_markets([_market(exchange, number) for number in range(SYMBOLS)])
    symbols = list(exchange.markets)

    async def watch() -> None:
        while True:
            await exchange.watch_tickers(symbols)

    running = asyncio.create_task(watch())
    while not meter.look(exchange.count):  # noqa: ASYNC110 - the peer is left as it is
        await asyncio.sleep(0.1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await exchange.close()


def _market(exchange: Any, number: int) -> object:  # noqa: ANN401 - ccxt is not typed
    names = {"id": f"C{number}USDT", "symbol": f"C{number}/USDT", "base": f"C{number}", "quote": "USDT"}
    kind = {"baseId": f"C{number}", "quoteId": "USDT", "type": "spot", "spot": True, "active": True}
    return exchange.safe_market_structure({**names, **kind, "lowercaseId": f"c{number}usdt"})


async def _bare(port: int, meter: _Meter) -> None:
    """Read with nothing but the two libraries: the newest price of each symbol."""
    import aiohttp
    import orjson

    newest: dict[str, float] = {}
    count = 0

    async def look() -> None:
        while not meter.look(count):  # noqa: ASYNC110 - the reader does nothing but read
            await asyncio.sleep(0.1)

    looking = asyncio.create_task(look())
    async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://127.0.0.1:{port}/ws") as socket:
        await socket.send_str("go")
        async for message in socket:
            frame = orjson.loads(message.data)
            newest[frame["s"]] = float(frame["c"])
            count += 1
            if count == meter.messages:
                break
        await looking


def _now_ms() -> int:
    return int(time.time() * 1000)


READERS = {"ours": _ours, "plain": _plain, "bare": _bare}


def main(role: str, port: int, messages: int) -> None:
    """Be the venue or one of the readers."""
    import uvloop

    if role == "serve":
        uvloop.run(_serve(port, messages))
        return
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    meter = _Meter(messages)
    uvloop.run(READERS[role](port, meter))
    print(json.dumps(meter.result()))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
