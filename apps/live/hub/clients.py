"""One socket's side of the hub: what it watches, what is still to be sent, and how slow its reader is.

Memory per client is bounded: answers wait in a short queue that holds back the next request, updates
are kept newest per key, and whoever falls too far behind gets a fresh snapshot in their place.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import orjson
import structlog
from django.db import DatabaseError, InterfaceError
from prometheus_client import Histogram

from apps.live.domain.bonds import Bond, Viewer
from apps.live.domain.news import Row
from apps.live.domain.protocol import CloseCode
from apps.live.hub.line import Line
from apps.live.hub.reader import Reader
from apps.live.hub.subscriptions import PriceSubscription, RowSubscription, Subscription, refreshes

log = structlog.get_logger(__name__)

LAG_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
publish_lag = Histogram(
    "coinsphere_live_publish_lag_seconds",
    "From the moment an event was published to the moment it was handed to the socket.",
    ["channel"],
    buckets=LAG_BUCKETS,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a client may hold and how slow it may be; times in seconds."""

    answers: int = 64
    pending: int = 256
    slow_after: float = 2.0
    hopeless_after: float = 30.0
    retry_after: float = 5.0


class Keeper(Protocol):
    """What a client needs of the hub."""

    reader: Reader
    limits: Limits
    now: Callable[[], datetime]

    def wake(self, client: "Client") -> None:
        """Let the client send soon."""

    def end(self, client: "Client", code: CloseCode) -> None:
        """Close the client's socket."""


class Client:
    """One socket in the hub."""

    __slots__ = (
        "_answers",
        "_full_since",
        "_keeper",
        "_room",
        "_stopped",
        "_tasks",
        "bond",
        "hang_up",
        "is_awake",
        "line",
        "subscriptions",
        "viewer",
    )

    def __init__(
        self,
        *,
        bond: Bond,
        viewer: Viewer,
        line: Line,
        hang_up: Callable[[CloseCode], Coroutine[Any, Any, None]],
        keeper: Keeper,
    ) -> None:
        self.bond = bond
        self.viewer = viewer
        self.line = line
        self.hang_up = hang_up
        self.subscriptions: dict[str, Subscription] = {}
        self.is_awake = False
        self._keeper = keeper
        self._answers: list[bytes] = []
        self._room: asyncio.Future[None] | None = None
        self._tasks: set[asyncio.Task[None] | asyncio.TimerHandle] | None = None
        self._full_since: float | None = None
        self._stopped = False

    # --- What the hub and the consumer tell it ----------------------------------------------------------------------
    async def answer(self, frame: bytes) -> None:
        """Send an answer; waits while too many answers are unread, which holds back the next request."""
        while len(self._answers) >= self._keeper.limits.answers and not self._stopped:
            self._room = self._room or asyncio.get_running_loop().create_future()
            await asyncio.shield(self._room)
        if not self._answers and not self.line.is_full:
            self.line.write(frame)
            return
        self._answers.append(frame)
        self._keeper.wake(self)

    def offer(self, channel: str, key: str, fragment: bytes, *, happened_at: float) -> None:
        """Take a new value of something the client watches."""
        subscription = self.subscriptions.get(channel)
        if isinstance(subscription, RowSubscription):
            subscription.offer(key, fragment, happened_at=happened_at, limit=self._keeper.limits.pending)
            self._keeper.wake(self)

    def refresh(self, channel: str | None = None) -> None:
        """Let a fresh snapshot of one channel or of all take the place of what waits."""
        for name, subscription in self.subscriptions.items():
            if channel in {None, name}:
                subscription.refresh()
        self._keeper.wake(self)

    def note_stale(self, since: datetime) -> None:
        """Say in every channel that nothing new can be heard."""
        for subscription in self.subscriptions.values():
            subscription.note_stale(since)
        self._keeper.wake(self)

    def stop(self) -> None:
        """Forget what was still planned, and let go of who waits to answer."""
        self._stopped = True
        for task in self._tasks or ():
            task.cancel()
        self._tasks = None
        self._make_room()

    def _make_room(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None

    # --- Sending ----------------------------------------------------------------------------------------------------
    def flush(self, at: float) -> bool:
        """Send what is due; False while the reader takes nothing, whereupon the hub tries again."""
        if self._stopped:
            return True
        if self.line.is_full:
            return self._hold(at)
        if self._full_since is not None:
            self._come_back(at)
        return self._flush_answers(at) and all(
            self._flush_channel(subscription, at) for subscription in tuple(self.subscriptions.values())
        )

    def _hold(self, at: float) -> bool:
        if self._full_since is None:
            self._full_since = at
        elif at - self._full_since > self._keeper.limits.hopeless_after:
            self._keeper.end(self, CloseCode.TOO_SLOW)
            return True
        return False

    def _come_back(self, at: float) -> None:
        slow = self._full_since is not None and at - self._full_since > self._keeper.limits.slow_after
        self._full_since = None
        if slow:
            refreshes.labels(reason="slow").inc()
            for subscription in self.subscriptions.values():
                subscription.refresh()

    def _flush_answers(self, at: float) -> bool:
        while self._answers:
            if self.line.is_full:
                return self._hold(at)
            self.line.write(self._answers.pop(0))
        self._make_room()
        return True

    def _flush_channel(self, subscription: Subscription, at: float) -> bool:
        if self.line.is_full:
            return self._hold(at)
        if isinstance(subscription, PriceSubscription):
            self._flush_prices(subscription)
        elif isinstance(subscription, RowSubscription):
            self._flush_rows(subscription)
        return True

    def _flush_prices(self, prices: PriceSubscription) -> None:
        """Send a snapshot at once; updates are the pacer's."""
        if prices.snapshot_due:
            self.line.write(prices.snapshot())
        self._tell_stale(prices)

    def _flush_rows(self, rows: RowSubscription) -> None:
        self._tell_stale(rows)
        if rows.snapshot_due and not rows.asking:
            # From here on updates are kept again, so that what happens while we read is sent after the snapshot.
            rows.snapshot_due, rows.asking = False, True
            self._keep(asyncio.get_running_loop().create_task(self._write_snapshot(rows)))
        if rows.pending and not rows.asking:
            fragments, oldest = rows.take_pending()
            self.line.write(rows.frame("update", fragments))
            if oldest is not None:
                lag = max(0.0, self._keeper.now().timestamp() - oldest)
                publish_lag.labels(channel=rows.channel.name).observe(lag)

    def _tell_stale(self, subscription: Subscription) -> None:
        frame = subscription.stale_frame()
        if frame is not None:
            self.line.write(frame)

    # --- Snapshots from the database --------------------------------------------------------------------------------
    async def _write_snapshot(self, rows: RowSubscription) -> None:
        viewer, keys, snapshot = self.viewer, tuple(rows.keys), rows.channel.snapshot
        try:
            found = await self._keeper.reader.ask(lambda: snapshot(viewer, keys))
        except (DatabaseError, InterfaceError):
            self._try_later(rows)
            return
        except Exception:  # nobody awaits this task: the client is told by its close code
            log.exception("A snapshot failed", channel=rows.channel.name)
            self._keeper.end(self, CloseCode.FAILED)
            return
        finally:
            rows.asking = False
        if not self._is_watched(rows):
            return
        if rows.snapshot_due or self.line.is_full:
            rows.refresh()
        else:
            self.line.write(rows.frame("snapshot", [encode(row) for row in found]))
        self._keeper.wake(self)

    def _try_later(self, rows: RowSubscription) -> None:
        log.warning("The database does not answer; a snapshot waits", channel=rows.channel.name)
        rows.note_stale(self._keeper.now())
        self._keeper.wake(self)
        loop = asyncio.get_running_loop()
        self._keep(loop.call_later(self._keeper.limits.retry_after, self.refresh, rows.channel.name))

    def _is_watched(self, rows: RowSubscription) -> bool:
        return not self._stopped and self.subscriptions.get(rows.channel.name) is rows

    def _keep(self, task: asyncio.Task[None] | asyncio.TimerHandle) -> None:
        """Remember what is to be called off when the socket goes; what is over is forgotten."""
        open_ones = {one for one in self._tasks or () if not _is_over(one)}
        self._tasks = open_ones | {task}


def _is_over(task: asyncio.Task[None] | asyncio.TimerHandle) -> bool:
    return task.done() if isinstance(task, asyncio.Task) else task.cancelled() or task.when() < _loop_time()


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def encode(row: Row) -> bytes:
    """Write a row once, for everybody who gets it."""
    return orjson.dumps(dict(row.fields))
