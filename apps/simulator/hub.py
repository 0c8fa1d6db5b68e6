"""The loop of the simulator: four exchanges on four ports, each told several times a second what has moved."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from aiohttp import web

from apps.simulator.domain.faults import FaultBoard
from apps.simulator.domain.shapes import MINUTE_MS, VENUES
from apps.simulator.domain.world import World
from apps.simulator.gateways import candle_files
from apps.simulator.gateways.binance import Binance
from apps.simulator.gateways.coinbase import Coinbase
from apps.simulator.gateways.control import Control, errors_as_json
from apps.simulator.gateways.desk import Desk
from apps.simulator.gateways.faults import Counts, middleware
from apps.simulator.gateways.journal import Journal
from apps.simulator.gateways.kraken import Kraken
from apps.simulator.gateways.kucoin import Kucoin
from apps.simulator.gateways.venue import Venue

_KINDS: dict[str, type[Venue]] = {"binance": Binance, "coinbase": Coinbase, "kraken": Kraken, "kucoin": Kucoin}
_BEAT = 0.1
_LONGEST_GOODBYE = 0.5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wishes:
    """What the simulator is started with."""

    seed: int = 1
    ports: Sequence[int] = (0, 0, 0, 0)
    host: str = "127.0.0.1"
    ticks_per_second: float = 4.0
    history_days: int = 365
    markets: int = 0
    replay: Path | None = None
    journal: Path | None = None


def wall_clock() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def make_world(wishes: Wishes, now_ms: int) -> tuple[World, Journal | None]:
    """Make the world that is wished for, with what was posted to it before."""
    world = World(
        wishes.seed,
        history_days=wishes.history_days,
        ticks_per_second=wishes.ticks_per_second,
        markets=wishes.markets,
        replay=candle_files.read(wishes.replay, now_ms) if wishes.replay else None,
    )
    if wishes.journal is None:
        return world, None
    journal = Journal(wishes.journal, wishes.seed)
    for line in journal.read():
        account = next(account for account in world.accounts(line.venue) if account.label == line.label)
        world.restore_trade(account, line.posted)
    return world, journal


class Exchange:
    """One venue, served on its port."""

    def __init__(self, name: str, world: World, journal: Journal | None, clock: Callable[[], int]) -> None:
        self.desk = Desk(world, name, clock, FaultBoard())
        self.venue = _KINDS[name](desk=self.desk)
        self.counts = Counts()
        app = web.Application(middlewares=[errors_as_json, middleware(self.venue, self.counts)])
        app.add_routes([*Control(self.venue, self.counts, journal).routes(), *self.venue.routes()])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_LONGEST_GOODBYE, handle_signals=False)
        self._since = clock()

    async def open(self, host: str, port: int) -> str:
        """Listen, and return the address."""
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return f"http://{host}:{self._runner.addresses[0][1]}"

    def beat(self) -> None:
        """Tell the sockets what has moved, or do to them what a fault says."""
        now = self.desk.time()
        since, self._since = self._since, now
        sockets, faults = self.venue.sockets, self.desk.faults
        paths = {socket.request.path for socket in sockets.open}
        sockets.silent = any(faults.holding("ws_silent", path, now) for path in paths)
        for path in paths:
            if faults.pick(("ws_close",), path, now):
                self._cut(path)
        if sockets.listeners and now > since:
            self.venue.push(self.desk.world.moved(self.venue.name, since, now))

    def _cut(self, path: str) -> None:
        """Drop the sockets of a path without a goodbye."""
        for socket in list(self.venue.sockets.open):
            transport = socket.request.transport
            if transport is not None and socket.request.path.startswith(path):
                transport.abort()

    async def close(self) -> None:
        """Stop listening and end every connection."""
        self._cut("")
        await self._runner.cleanup()


class Hub:
    """Four exchanges and the beat that moves them."""

    def __init__(self, world: World, journal: Journal | None, clock: Callable[[], int] = wall_clock) -> None:
        self.world = world
        self._clock = clock
        self.exchanges = {name: Exchange(name, world, journal, clock) for name in VENUES}
        self._beats: list[asyncio.Task[None]] = []

    async def open(self, host: str, ports: Sequence[int]) -> dict[str, str]:
        """Open all four and return their addresses."""
        pairs = zip(self.exchanges.items(), ports, strict=True)
        addresses = {name: await exchange.open(host, port) for (name, exchange), port in pairs}
        self._beats = [asyncio.create_task(self._beat()), asyncio.create_task(self._look_ahead())]
        return addresses

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT)
            for name, exchange in self.exchanges.items():
                try:
                    exchange.beat()
                except Exception:
                    exchange.counts.failed_beats += 1
                    logger.exception("A beat failed", extra={"venue": name})
                await asyncio.sleep(0)

    async def _look_ahead(self) -> None:
        """Make this minute, and in its second half the next, ready one market after the other; the busiest first."""
        while True:
            now = self._clock()
            ahead = (now, now + MINUTE_MS) if now % MINUTE_MS > MINUTE_MS // 2 else (now,)
            lists = [[(venue, market.symbol) for market in self.world.markets(venue, now)] for venue in VENUES]
            for names in zip_longest(*lists):
                for venue, symbol in filter(None, names):
                    made = [self.world.prepare(venue, symbol, moment) for moment in ahead]
                    if any(made):
                        await asyncio.sleep(0)
            await asyncio.sleep(1)

    async def close(self) -> None:
        """Stop everything."""
        for task in self._beats:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await asyncio.gather(*(exchange.close() for exchange in self.exchanges.values()))


async def run(wishes: Wishes, announce: Callable[[dict[str, str]], None]) -> None:
    """Run until SIGTERM or SIGINT; `announce` hears the addresses once all four listen."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    hub = Hub(*make_world(wishes, wall_clock()))
    try:
        announce(await hub.open(wishes.host, wishes.ports))
        await stop.wait()
    finally:
        await hub.close()
