"""One venue's connections: kept up for ever, with a growing pause between tries, and their holes noted."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import structlog
from prometheus_client import Counter

from apps.markets.domain.builder import MINUTE_MS
from apps.markets.domain.prices import VenueFeed
from apps.markets.domain.tape import Line, Tape
from apps.markets.gateways.binance_stream import BinanceStream
from apps.markets.gateways.coinbase_stream import CoinbaseStream
from apps.markets.gateways.kraken_stream import KrakenStream
from apps.markets.gateways.kucoin_stream import KucoinStream
from apps.markets.gateways.streams import (
    CLOSE_SECONDS,
    SILENCE_SECONDS,
    StreamLostError,
    TickerStream,
    pause_after,
    spread,
)

log = structlog.get_logger(__name__)

STREAMS: Final[dict[str, type[TickerStream]]] = {
    stream.venue: stream for stream in (BinanceStream, CoinbaseStream, KrakenStream, KucoinStream)
}
_STEADY_SECONDS: Final = 30.0

reconnects = Counter("coinsphere_feed_reconnects_total", "Connections to a venue that were lost.", ["venue", "reason"])

#: An instrument as a venue names it: our name, its name.
Named = tuple[str, str]


class Connection:
    """One connection with its line and its tapes."""

    def __init__(self, venue: str, number: int, *, now_ms: Callable[[], int], silence: float) -> None:
        self.line = Line(venue)
        self.stream = STREAMS[venue](number=number, tapes=(), line=self.line, now_ms=now_ms, silence=silence)
        self.tapes: list[Tape] = []
        self.lost = 0
        self.hole_from: int | None = None
        self.last_message_ms: int | None = None
        self._counted = 0

    def heard(self, now_ms: int) -> int | None:
        """Note whether something came; return since when nothing had, if this ends a hole."""
        if self.line.messages == self._counted:
            return None
        self._counted, self.last_message_ms = self.line.messages, now_ms
        hole, self.hole_from = self.hole_from, None
        return hole

    async def keep(self) -> None:
        """Connect again and again."""
        loop, failures = asyncio.get_running_loop(), 0
        self.line.hearing.begin(loop.time())
        while True:
            began = loop.time()
            try:
                await self.stream.run()
            except StreamLostError as lost:
                self._note(lost)
            except Exception as error:
                log.exception("A price stream failed in an unforeseen way", venue=self.line.venue)
                self._note(StreamLostError("failed", type(error).__name__))
            failures = 0 if loop.time() - began > _STEADY_SECONDS else failures + 1
            await asyncio.sleep(pause_after(failures))

    def _note(self, lost: StreamLostError) -> None:
        reconnects.labels(venue=self.line.venue, reason=lost.reason).inc()
        self.lost += 1
        if self.hole_from is None:
            self.hole_from = self.last_message_ms
        log.warning(
            "A price stream is lost and tried again", venue=self.line.venue, reason=lost.reason, detail=str(lost)[:200]
        )


class Venue:
    """All connections to one venue."""

    def __init__(self, name: str, *, now_ms: Callable[[], int], silence: float = SILENCE_SECONDS) -> None:
        self.name, self._now_ms, self._silence = name, now_ms, silence
        self.kind = STREAMS[name]
        self.connections: list[Connection] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def follow(self, wanted: Sequence[Named]) -> tuple[list[Tape], list[Tape]]:
        """Stream these instruments from now on, the largest first; return the tapes that came and that went."""
        known = {tape.instrument: tape for connection in self.connections for tape in connection.tapes}
        names = {name for name, _symbol in wanted}
        gone = [tape for name, tape in known.items() if name not in names]
        for connection in self.connections:
            leaving = [tape for tape in connection.tapes if tape.instrument not in names]
            connection.tapes = [tape for tape in connection.tapes if tape.instrument in names]
            connection.stream.drop(leaving)
        fresh = [one for one in wanted if one[0] not in known]
        return await self._take_up(fresh), gone

    async def _take_up(self, fresh: Sequence[Named]) -> list[Tape]:
        came: list[Tape] = []
        for connection in self.connections:
            room = self.kind.per_connection - len(connection.tapes)
            part, fresh = fresh[:room], fresh[room:]
            if part:
                came += await self._give(connection, part)
        for part in spread(fresh, per_connection=self.kind.per_connection):
            connection = Connection(self.name, len(self.connections), now_ms=self._now_ms, silence=self._silence)
            self.connections.append(connection)
            came += await self._give(connection, part)
            self._tasks.add(asyncio.create_task(connection.keep(), name=f"{self.name}-{len(self.connections)}"))
        return came

    async def _give(self, connection: Connection, part: Iterable[Named]) -> list[Tape]:
        tapes = [Tape(instrument=name, venue_symbol=symbol, line=connection.line) for name, symbol in part]
        connection.tapes += tapes
        try:
            await connection.stream.add(tapes)
        except StreamLostError:
            log.info("A connection was lost while more was asked of it", venue=self.name)  # the next one asks for all
        return tapes

    def holes(self, now_ms: int) -> list[tuple[list[str], int]]:
        """Return what was missed by connections that are back: instruments, and since when; whole minutes."""
        found = []
        for connection in self.connections:
            since = connection.heard(now_ms)
            if since is not None:
                found.append(([tape.instrument for tape in connection.tapes], since - since % MINUTE_MS))
        return found

    def state(self) -> VenueFeed:
        """Say how the venue is doing."""
        heard = [one.last_message_ms for one in self.connections if one.last_message_ms is not None]
        count = sum(len(one.tapes) for one in self.connections)
        return VenueFeed(
            self.name, self._word(), max(heard, default=None), count, sum(one.lost for one in self.connections)
        )

    def _word(self) -> str:
        if not self.connections:
            return "off"
        if not all(one.stream.is_connected for one in self.connections):
            return "reconnecting"
        at = asyncio.get_running_loop().time()
        return "silent" if any(one.line.hearing.is_silent(at) for one in self.connections) else "connected"

    async def stop(self) -> None:
        """Close every connection."""
        await end(self._tasks)
        self._tasks.clear()


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: a library may swallow the first time."""
    left = set(tasks)
    for patience in (CLOSE_SECONDS + 0.1, 0.2, 0.2):
        for task in left:
            task.cancel()
        if left:
            _done, left = await asyncio.wait(left, timeout=patience)
    for task in left:
        log.error("A part of the feed does not end", task=task.get_name())
