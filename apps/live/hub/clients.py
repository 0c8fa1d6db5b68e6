"""One socket's side of the hub: what it watches, what is still to be sent, and how slow its reader is.

Memory per client is bounded: answers wait in a short queue that holds back the next request, updates
are kept newest per key, and whoever falls too far behind gets a fresh snapshot in their place.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import orjson
import structlog
from django.db import DatabaseError, InterfaceError
from prometheus_client import Counter, Histogram

from apps.live.channels import Channel
from apps.live.domain import protocol
from apps.live.domain.bonds import Bond, Viewer
from apps.live.domain.news import Row
from apps.live.hub.reader import Reader

log = structlog.get_logger(__name__)

_LAG_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
publish_lag = Histogram(
    "coinsphere_live_publish_lag_seconds",
    "From the moment an event was published to the moment it was handed to the socket.",
    ["channel"],
    buckets=_LAG_BUCKETS,
)
refreshes = Counter("coinsphere_live_refreshes_total", "Snapshots sent in place of updates.", ["reason"])


class HopelessReaderError(Exception):
    """The other side has not read for so long that it is let go."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a client may hold and how slow it may be; times in seconds."""

    answers: int = 64
    pending: int = 256
    slow_after: float = 2.0
    hopeless_after: float = 30.0
    retry_after: float = 5.0


@dataclass(slots=True)
class Subscription:
    """A channel that a client watches."""

    channel: Channel
    keys: dict[str, None] = field(default_factory=dict)
    seq: int = 0
    pending: dict[str, bytes] = field(default_factory=dict)
    oldest: float | None = None
    snapshot_due: bool = True
    stale_since: datetime | None = None
    told_stale: bool = True

    def offer(self, key: str, fragment: bytes, *, happened_at: float, limit: int) -> None:
        """Keep the newest value of a key; beyond the limit keep nothing and ask for a snapshot."""
        if self.snapshot_due:
            return
        self.pending[key] = fragment
        self.oldest = happened_at if self.oldest is None else min(self.oldest, happened_at)
        if len(self.pending) > limit:
            refreshes.labels(reason="overflow").inc()
            self.refresh()

    def refresh(self) -> None:
        """Drop what waits: a snapshot takes its place."""
        self.pending.clear()
        self.oldest = None
        self.snapshot_due = True

    def frame(self, op: str, fragments: Sequence[bytes]) -> bytes:
        """Join fragments to the next frame of this channel."""
        self.seq += 1
        return protocol.data_frame(
            op=op, channel=self.channel.name, seq=self.seq, list_name=self.channel.list_name, fragments=fragments
        )


class Client:
    """One socket in the hub."""

    def __init__(
        self,
        *,
        bond: Bond,
        viewer: Viewer,
        send: Callable[[bytes], Awaitable[None]],
        hang_up: Callable[[protocol.CloseCode], Awaitable[None]],
        reader: Reader,
        now: Callable[[], datetime],
        limits: Limits,
    ) -> None:
        self.bond = bond
        self.viewer = viewer
        self.hang_up = hang_up
        self.limits = limits
        self.subscriptions: dict[str, Subscription] = {}
        self._send = send
        self._reader = reader
        self._now = now
        self._answers: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._timers: set[asyncio.TimerHandle] = set()
        self._stopped = False

    # --- What the hub and the consumer tell it ----------------------------------------------------------------------
    async def answer(self, frame: bytes) -> None:
        """Queue an answer; waits while too many answers are unread, which holds back the next request."""
        while len(self._answers) >= self.limits.answers and not self._stopped:
            self._room.clear()
            await self._room.wait()
        self._answers.append(frame)
        self._wake.set()

    def offer(self, channel: str, key: str, fragment: bytes, *, happened_at: float) -> None:
        """Take a new value of something the client watches."""
        subscription = self.subscriptions.get(channel)
        if subscription is not None:
            subscription.offer(key, fragment, happened_at=happened_at, limit=self.limits.pending)
            self._wake.set()

    def refresh(self, channel: str | None = None) -> None:
        """Let a fresh snapshot of one channel or of all take the place of what waits."""
        for name, subscription in self.subscriptions.items():
            if channel in {None, name}:
                subscription.refresh()
        self._wake.set()

    def note_stale(self, since: datetime) -> None:
        """Say in every channel that nothing new can be heard."""
        for subscription in self.subscriptions.values():
            subscription.stale_since, subscription.told_stale = since, False
        self._wake.set()

    def stop(self) -> None:
        """Forget what was still planned, and let go of who waits to answer."""
        self._stopped = True
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._room.set()

    # --- The writer -------------------------------------------------------------------------------------------------
    async def write(self) -> None:
        """Send what is due, for ever; raises `HopelessReaderError` when the other side no longer reads."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._write_answers()
            for subscription in list(self.subscriptions.values()):
                await self._write_subscription(subscription)

    async def _write_answers(self) -> None:
        while self._answers:
            frame = self._answers.popleft()
            self._room.set()
            await self._put(frame)

    async def _write_subscription(self, subscription: Subscription) -> None:
        if not subscription.told_stale and subscription.stale_since is not None:
            subscription.told_stale = True
            await self._put(protocol.stale(channel=subscription.channel.name, since=subscription.stale_since))
        if subscription.snapshot_due and self._watched(subscription):
            await self._write_snapshot(subscription)
        if subscription.pending and self._watched(subscription):
            fragments, oldest = list(subscription.pending.values()), subscription.oldest
            subscription.pending.clear()
            subscription.oldest = None
            await self._put(subscription.frame("update", fragments))
            if oldest is not None:
                lag = max(0.0, self._now().timestamp() - oldest)
                publish_lag.labels(channel=subscription.channel.name).observe(lag)

    async def _write_snapshot(self, subscription: Subscription) -> None:
        # From here on updates are kept again, so that what happens while we read is sent after the snapshot.
        subscription.snapshot_due = False
        try:
            rows = await self._rows(subscription)
        except (DatabaseError, InterfaceError):
            self._try_later(subscription)
            return
        if subscription.snapshot_due or not self._watched(subscription):
            self._wake.set()
            return
        await self._put(subscription.frame("snapshot", [encode(row) for row in rows]))

    async def _rows(self, subscription: Subscription) -> Sequence[Row]:
        viewer, keys, snapshot = self.viewer, tuple(subscription.keys), subscription.channel.snapshot
        return await self._reader.ask(lambda: snapshot(viewer, keys))

    def _try_later(self, subscription: Subscription) -> None:
        log.warning("The database does not answer; a snapshot waits", channel=subscription.channel.name)
        subscription.stale_since, subscription.told_stale = self._now(), False
        self._wake.set()
        self._later(lambda: self.refresh(subscription.channel.name))

    def _later(self, action: Callable[[], None]) -> None:
        def run() -> None:
            self._timers.discard(timer)
            action()

        timer = asyncio.get_running_loop().call_later(self.limits.retry_after, run)
        self._timers.add(timer)

    def _watched(self, subscription: Subscription) -> bool:
        return self.subscriptions.get(subscription.channel.name) is subscription

    async def _put(self, frame: bytes) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(self.limits.hopeless_after):
                await self._send(frame)
        except TimeoutError as problem:
            raise HopelessReaderError from problem
        if loop.time() - started > self.limits.slow_after:
            refreshes.labels(reason="slow").inc()
            self.refresh()


def encode(row: Row) -> bytes:
    """Write a row once, for everybody who gets it."""
    return orjson.dumps(dict(row.fields))
