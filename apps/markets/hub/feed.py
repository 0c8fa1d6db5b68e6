"""The feed process: leads or waits, keeps every venue's connections, flushes prices, closes minutes, mends holes."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from prometheus_client import Counter, Histogram

from apps.core.cache import RedisOutage, async_redis_client
from apps.core.errors import ProductError
from apps.core.locks import LockTakenError
from apps.markets import actions, queries
from apps.markets.domain.instruments import VENUES
from apps.markets.domain.prices import Price, plain
from apps.markets.gateways.streams import SILENCE_SECONDS, load_library
from apps.markets.gateways.venue_rest import fetch_day_figures
from apps.markets.hub import history
from apps.markets.hub.board import Board
from apps.markets.hub.lease import Lease
from apps.markets.hub.venue import STREAMS, Venue, end

log = structlog.get_logger(__name__)

FLUSH_SECONDS: Final = 0.1
SECOND: Final = 1.0
LOOK_SECONDS: Final = 60.0
PATIENCE_SECONDS: Final = 8.0
FIRST_LOOK_SECONDS: Final = 2.0
DAY_FIGURES_SECONDS: Final = 60.0
_REST_SECONDS: Final = 1.0
_JUMP_SECONDS: Final = 2.0
_FRESH_MS: Final = 3_600_000

messages_seen = Counter("coinsphere_feed_messages_total", "Tickers heard from a venue.", ["venue"])
refused = Counter("coinsphere_feed_refused_total", "Tickers that were not believed.", ["venue", "reason"])
flushed = Histogram(
    "coinsphere_feed_flush_prices", "Prices in a flush.", buckets=(1, 5, 20, 50, 100, 200, 500, 1000, 2000)
)
lag = Histogram(
    "coinsphere_feed_lag_seconds",
    "From the time on a ticker to its flush.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)
minutes = Counter("coinsphere_feed_minutes_total", "Minutes built from ticks.")
failures = Counter("coinsphere_feed_loop_failures_total", "Loops of the feed started again.", ["loop"])


class LeadLostError(Exception):
    """Another feed leads now."""


class Feed:
    """One feed process."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        per_venue: int,
        venues: Iterable[str] = VENUES,
        lease: Lease | None = None,
        silence: float = SILENCE_SECONDS,
        on_ready: Callable[[], object] = lambda: None,
    ) -> None:
        self._on_ready, self._is_ready = on_ready, False
        self._now, self._per_venue, self._silence = now, per_venue, silence
        self._venue_names = tuple(venues)
        self.lease = lease or Lease(queries.current_world())
        self.leads = False
        self._begin()

    def _begin(self) -> None:
        self.board = Board()
        self.board.readers = dict(STREAMS)
        self.venues = {name: Venue(name, now_ms=self.now_ms, silence=self._silence) for name in self._venue_names}
        self._is_new_to_redis = True
        self._counted: dict[int, int] = {}
        self._offset = math.nan

    def now_ms(self) -> int:
        """Return the present in milliseconds, on our clock."""
        present = self._now().timestamp()
        self._watch_clock(present)
        return int(present * 1000)

    def _watch_clock(self, present: float) -> None:
        """Notice that our own clock was set: the clock that only goes forward knows nothing of it."""
        offset = present - time.monotonic()
        if abs(offset - self._offset) > _JUMP_SECONDS:
            by_ms = round((offset - self._offset) * 1000)
            log.warning("The clock of this machine was set", seconds=by_ms / 1000)
            for one in self.board.clocks.values():
                one.jumped(by_ms)
        self._offset = offset

    # --- To lead or to wait -------------------------------------------------------------------------------------------
    async def run(self, stop: asyncio.Event) -> None:
        """Lead or wait until told to stop."""
        stopping = asyncio.create_task(stop.wait())
        unheard = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._say_ready)
        try:
            loading = asyncio.ensure_future(history.off_loop(load_library))
            await asyncio.wait({stopping, loading}, return_when=asyncio.FIRST_COMPLETED)
            while not stop.is_set():
                if await self.lease.hold():
                    await self._lead(stopping)
                else:
                    self._say_ready()
                    await asyncio.wait({stopping}, timeout=_REST_SECONDS)
        finally:
            unheard.cancel()
            stopping.cancel()
            await async_redis_client().aclose()

    def _say_ready(self) -> None:
        """Say once that we run; exchanges that do not answer may delay that, not prevent it."""
        if not self._is_ready:
            self._is_ready = True
            self._on_ready()

    async def _lead(self, stopping: "asyncio.Task[bool]") -> None:
        log.info("This feed leads")
        self.leads = True
        self._begin()
        loops = (self._keep_lease, self._look, self._flush, self._count, self._close_minutes, self._ask_for_days)
        tasks = [asyncio.create_task(self._for_ever(loop), name=loop.__name__) for loop in loops]
        try:
            await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.leads = False
            await asyncio.gather(end(tasks), *(venue.stop() for venue in self.venues.values()))
            if stopping.done():
                await self.lease.drop()
            else:
                log.warning("Another feed leads now; this one waits")

    async def _for_ever(self, loop: Callable[[], Awaitable[None]]) -> None:
        """Start a loop again when it fails in a way nobody foresaw; only the loss of the lead ends it."""
        while True:
            try:
                await loop()
            except LeadLostError:
                return
            except Exception:
                failures.labels(loop=loop.__name__.strip("_")).inc()
                log.exception("A loop of the feed failed and starts again", loop=loop.__name__)
                await asyncio.sleep(_REST_SECONDS)

    async def _keep_lease(self) -> None:
        while True:
            if await self.lease.hold() is False:
                raise LeadLostError
            self._is_new_to_redis = self._is_new_to_redis or self.lease.was_vacant
            await asyncio.sleep(self.lease.renew_seconds)

    # --- What is streamed ---------------------------------------------------------------------------------------------
    async def _look(self) -> None:
        """See what is traded, now and every minute; on a new installation the lists of pairs are read first."""
        while True:
            traded = await history.off_loop(partial(queries.streamed_instruments, per_venue=self._per_venue))
            await self._follow(traded)
            missing = [name for name in self._venue_names if not traded[name]]
            if missing:
                await asyncio.gather(*(history.off_loop(partial(self._read_list, name)) for name in missing))
            self._say_ready()
            await asyncio.sleep(FIRST_LOOK_SECONDS if missing else LOOK_SECONDS)

    async def _follow(self, traded: dict[str, list[tuple[str, str]]]) -> None:
        known = await self._known_prices()
        for name, venue in self.venues.items():
            is_new = not venue.connections
            came, gone = await venue.follow(traded[name])
            if is_new:
                self._mind_the_gap(venue, known)
            for tape in came:
                before = known.get(tape.instrument)
                if before is not None and before.source == name and self.now_ms() - before.ts < _FRESH_MS:
                    tape.expect(float(before.price))
            self.board.drop(gone)
            self.board.add(came)
            if gone:
                await actions.forget_prices(instruments=[tape.instrument for tape in gone])
        self.board.lines = [one.line for venue in self.venues.values() for one in venue.connections]

    def _mind_the_gap(self, venue: Venue, known: dict[str, Price]) -> None:
        """Note since when a venue was not heard, if another feed has died a while ago: its hole is ours to mend."""
        last = max((price.ts for price in known.values() if price.source == venue.name), default=0)
        if self.now_ms() - last < _FRESH_MS:
            for connection in venue.connections:
                connection.hole_from = connection.hole_from or last

    async def _known_prices(self) -> dict[str, Price]:
        try:
            return await queries.alatest_prices()
        except RedisOutage:
            return {}

    def _read_list(self, name: str) -> None:
        try:
            actions.refresh_markets(venue=name, now=self._now())
        except LockTakenError:
            return  # a worker is reading it at this moment; the next look finds what it has stored
        except ProductError as error:
            log.warning("A venue's list of pairs could not be read", venue=name, error=error.detail)

    # --- Ten times a second -------------------------------------------------------------------------------------------
    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + FLUSH_SECONDS, loop.time())
            await asyncio.sleep(due - loop.time())
            now_ms = self.now_ms()
            prices = self.board.collect(now_ms=now_ms, at=loop.time())
            if self._is_new_to_redis:
                self._is_new_to_redis = False
                prices = self.board.everything(now_ms=now_ms)
            if prices:
                await self._publish(prices, now_ms)

    async def _publish(self, prices: list[Price], now_ms: int) -> None:
        try:
            await actions.publish_prices(prices=prices, fence=self.lease.token)
        except RedisOutage:
            self._is_new_to_redis = True  # whatever it has forgotten, it gets all of it
            await asyncio.sleep(_REST_SECONDS / 2)
            return
        except actions.NotLeadingError:
            self._is_new_to_redis = True
            if await self.lease.hold() is False:
                raise LeadLostError from None
            return
        flushed.observe(len(prices))
        lag.observe(max(0, now_ms - max(price.ts for price in prices)) / 1000)

    # --- Once a second ------------------------------------------------------------------------------------------------
    async def _count(self) -> None:
        """Write unfinished minutes and the venues' states, count for the metrics, mend holes, watch our clock."""
        while True:
            self._count_messages()
            now_ms = self.now_ms()
            for venue in self.venues.values():
                for names, since in venue.holes(now_ms):
                    await history.mend(names, from_ms=since, now=self._now())
            await self._write_state()
            await asyncio.sleep(SECOND)

    async def _write_state(self) -> None:
        token = self.lease.token
        try:
            await actions.write_open_candles(candles=self.board.open_candles(), fence=token)
            await actions.write_feed_states(states=[venue.state() for venue in self.venues.values()], fence=token)
        except (*RedisOutage, actions.NotLeadingError):
            self._is_new_to_redis = True  # the flush finds out what it is

    def _count_messages(self) -> None:
        for line in self.board.lines:
            before = self._counted.get(id(line), 0)
            messages_seen.labels(venue=line.venue).inc(line.messages - before)
            self._counted[id(line)] = line.messages
            counts, line.refused = line.refused, {}
            for reason, count in counts.items():
                refused.labels(venue=line.venue, reason=reason).inc(count)

    # --- Minutes ------------------------------------------------------------------------------------------------------
    async def _close_minutes(self) -> None:
        """Hand finished minutes on, together, a moment after the minute's end."""
        while True:
            over = self.board.finished(now_ms=self.now_ms())
            if over:
                minutes.inc(len(over))
                await history.store(over, now=self._now())
            await asyncio.sleep(SECOND)

    async def _ask_for_days(self) -> None:
        """Ask for the last price and the figures of the day: first of all venues, then where the stream lacks them."""
        asked: set[str] = set()
        while True:
            due = [name for name in self._venue_names if self.venues[name].connections]
            due = [name for name in due if STREAMS[name].lacks_day_figures or name not in asked]
            await asyncio.gather(*(self._learn_days(name) for name in due))
            asked.update(due)
            is_over = len(asked) == len(self._venue_names)
            await asyncio.sleep(DAY_FIGURES_SECONDS if is_over else FIRST_LOOK_SECONDS)

    async def _learn_days(self, name: str) -> None:
        try:
            found = await history.off_loop(partial(fetch_day_figures, venue=name, now=self._now()))
        except ProductError as error:
            log.info("A venue did not tell the figures of the day", venue=name, error=error.detail)
            return
        self.board.learn_days({str(one.name): (_written(one.change), _written(one.volume)) for one in found})
        for one in found:
            tape = self.board.tapes.get(str(one.name))
            if tape is not None and not tape.ts:
                tape.take(str(one.price), one.ts, {})


def _written(value: object) -> str | None:
    return None if value is None else plain(str(value))
