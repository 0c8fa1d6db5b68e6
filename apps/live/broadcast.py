"""Reads the streams of events and prices and feeds the hub; says when Redis is away and refreshes everybody after."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import redis.asyncio
import structlog
from django.conf import settings
from prometheus_client import Counter
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from apps.accounts.events import AccessEnded, UserDeleted
from apps.core.cache import RedisOutage
from apps.core.events import Event, StreamCut, read_stream
from apps.live.channels import update_of
from apps.live.hub import Hub
from apps.markets.domain.prices import PricesCut
from apps.markets.queries import alatest_prices, price_batches

log = structlog.get_logger(__name__)

PROBE_SECONDS = 1.0
SETTLE_SECONDS = 5.0
_ANSWER_SECONDS = 2.0
_REST_SECONDS = 1.0
failures = Counter("coinsphere_live_loop_failures_total", "Loops of the live process started again.", ["loop"])


class Broadcast:
    """The loops that keep a hub fed."""

    def __init__(self, hub: Hub, *, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._hub = hub
        self._settle_seconds = settle_seconds

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the loops for as long as the block lasts."""
        hub = self._hub
        # What start-up made stays for good: the collector need not look through it while frames are due.
        gc.collect()
        gc.freeze()
        ours = (self._feed, self._feed_prices, self._watch_redis)
        tasks = [
            asyncio.create_task(self._for_ever(loop))
            for loop in (*ours, hub.watch_bonds, hub.watch_names, hub.watch_silence)
        ]
        try:
            yield
        finally:
            await _end(tasks)
            hub.close()

    async def _feed(self) -> None:
        async for entry_id, event in read_stream():
            self.hear(entry_id, event)

    async def _feed_prices(self) -> None:
        """Hand every batch of newer prices to the hub; at the start, and when some were missed, the whole cache."""
        async for _entry_id, batch in price_batches():
            if isinstance(batch, PricesCut):
                await self._load_prices()
            else:
                self._hub.hear_prices(batch)

    async def _load_prices(self) -> None:
        """Read the whole cache as soon as Redis answers; until then the board shows what it has, with its age."""
        while True:
            try:
                prices = await alatest_prices()
            except RedisOutage:
                await asyncio.sleep(_REST_SECONDS)
                continue
            self._hub.load_prices(prices)
            return

    def hear(self, entry_id: str, event: Event) -> None:
        """Hand one event of the stream to the hub."""
        if isinstance(event, StreamCut):
            self._hub.refresh()
            return
        if isinstance(event, AccessEnded | UserDeleted):
            self._hub.doubt(event.user_id)
            return
        update = update_of(event, happened_at=int(entry_id.partition("-")[0]) / 1000)
        if update is not None:
            self._hub.publish(update)

    async def _watch_redis(self) -> None:
        """Notice every outage, also one that is over before anybody else would have looked.

        The reader of the stream waits an outage out and goes on where it was; but what was published
        meanwhile never reached the stream, so that only a snapshot can be trusted afterwards.
        """
        while True:
            up_at = self._hub.now()
            try:
                async with _probe() as client:
                    while True:
                        await client.ping()
                        self._come_back()
                        up_at = self._hub.now()
                        await asyncio.sleep(PROBE_SECONDS)
            except RedisOutage:
                self._hub.lose(since=up_at)
            await asyncio.sleep(PROBE_SECONDS / 4)

    def _come_back(self) -> None:
        if not self._hub.is_lost:
            return
        log.info("The event stream can be heard again; every socket gets a fresh snapshot")
        self._hub.refresh()
        # Publishers notice a little later than we do that Redis is back, and what they drop until then is not
        # in the stream: hence a second snapshot.
        asyncio.get_running_loop().call_later(self._settle_seconds, self._hub.refresh)

    async def _for_ever(self, loop: Callable[[], Awaitable[None]]) -> None:
        """Start a loop again when it fails in a way nobody foresaw; what it missed comes with the snapshots."""
        while True:
            try:
                await loop()
            except Exception:
                failures.labels(loop=loop.__name__.strip("_")).inc()
                log.exception("A loop of the live process failed and starts again", loop=loop.__name__)
                await asyncio.sleep(_REST_SECONDS)
                self._hub.refresh()


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """End the loops, however often that takes.

    The client of Redis sends within `asyncio.wait_for`, and that of Python 3.11 forgets that it was cancelled when
    what it waited for is done at the same moment.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _done, left = await asyncio.wait(left, timeout=_REST_SECONDS)


def _probe() -> redis.asyncio.Redis:
    """Return a client with one connection that is never silently replaced."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        single_connection_client=True,
        socket_connect_timeout=_ANSWER_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
    )
