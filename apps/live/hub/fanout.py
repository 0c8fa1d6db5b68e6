"""Who watches what, and the newest value to each of them.

A channel's topic says who may hear it (a person, the people who run the instance, later an instrument).
Values are encoded once; a frame is a head and a join of ready fragments. Channels with many values a
second (prices) only need a pace per client here: newest per key is already what waits.
"""

import asyncio
import contextlib
from collections import Counter as Count
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError
from prometheus_client import Counter, Gauge

from apps.live import queries
from apps.live.channels import Channel
from apps.live.domain.bonds import Bond, Viewer
from apps.live.domain.news import Update
from apps.live.domain.protocol import CloseCode
from apps.live.hub.clients import Client, Limits, Subscription, encode
from apps.live.hub.reader import Reader

log = structlog.get_logger(__name__)

SOCKETS_PER_USER = 2_500  # keeps one person within 75 MB of this process; an instance has few people
BOND_CHECK_SECONDS = 20.0
_SECONDS_BETWEEN_CHECKS = 0.2
sockets = Gauge("coinsphere_live_sockets", "Open sockets.", multiprocess_mode="livesum")
closes = Counter("coinsphere_live_closes_total", "Sockets closed, by close code.", ["code"])


class Hub:
    """Every socket of this process."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        limits: Limits | None = None,
        sockets_per_user: int = SOCKETS_PER_USER,
        bond_check_seconds: float = BOND_CHECK_SECONDS,
    ) -> None:
        self.now = now
        self.reader = Reader()
        self.limits = limits or Limits()
        self._sockets_per_user = sockets_per_user
        self._bond_check_seconds = bond_check_seconds
        self._clients: set[Client] = set()
        self._per_user: Count[UUID] = Count()
        self._watchers: defaultdict[tuple[str, str], set[Client]] = defaultdict(set)
        self._lost_since: datetime | None = None
        self._doubt = asyncio.Event()

    # --- Coming and going -------------------------------------------------------------------------------------------
    def join(
        self,
        *,
        bond: Bond,
        viewer: Viewer,
        send: Callable[[bytes], Awaitable[None]],
        hang_up: Callable[[CloseCode], Awaitable[None]],
    ) -> Client | None:
        """Take a socket in; nothing if this person has too many already."""
        if self._per_user[viewer.user_id] >= self._sockets_per_user:
            return None
        client = Client(
            bond=bond,
            viewer=viewer,
            send=send,
            hang_up=hang_up,
            reader=self.reader,
            now=self.now,
            limits=self.limits,
        )
        self._clients.add(client)
        self._per_user[viewer.user_id] += 1
        sockets.inc()
        return client

    def leave(self, client: Client) -> None:
        """Forget a socket."""
        if client not in self._clients:
            return
        client.stop()
        for name in list(client.subscriptions):
            self.unwatch(client, name)
        self._clients.discard(client)
        self._per_user[client.viewer.user_id] -= 1
        if not self._per_user[client.viewer.user_id]:
            del self._per_user[client.viewer.user_id]
        sockets.dec()

    @property
    def is_lost(self) -> bool:
        """Tell whether news cannot be heard at the moment."""
        return self._lost_since is not None

    @property
    def size(self) -> int:
        """How many sockets are open."""
        return len(self._clients)

    # --- Watching ---------------------------------------------------------------------------------------------------
    def watch(self, client: Client, channel: Channel, keys: Iterable[str] = ()) -> Subscription:
        """Let a client hear a channel; a snapshot comes first."""
        subscription = client.subscriptions.setdefault(channel.name, Subscription(channel))
        subscription.keys.update(dict.fromkeys(keys))
        for topic in channel.topics(client.viewer, tuple(subscription.keys)):
            self._watchers[channel.name, topic].add(client)
        client.refresh(channel.name)
        if self._lost_since is not None:
            subscription.stale_since, subscription.told_stale = self._lost_since, False
        return subscription

    def unwatch(self, client: Client, name: str, keys: Iterable[str] = ()) -> tuple[str, ...]:
        """Stop telling a client about these keys, or the whole channel when none is named; return what is left."""
        subscription = client.subscriptions.get(name)
        if subscription is None:
            return ()
        before = subscription.channel.topics(client.viewer, tuple(subscription.keys))
        for key in keys:
            subscription.keys.pop(key, None)
            subscription.pending.pop(key, None)
        left = tuple(subscription.keys) if tuple(keys) else ()
        after = subscription.channel.topics(client.viewer, left) if left else frozenset()
        for topic in before - after:
            self._forget(client, name, topic)
        if not left:
            del client.subscriptions[name]
        return left

    def _forget(self, client: Client, name: str, topic: str) -> None:
        watchers = self._watchers[name, topic]
        watchers.discard(client)
        if not watchers:
            del self._watchers[name, topic]

    # --- News -------------------------------------------------------------------------------------------------------
    def publish(self, update: Update) -> None:
        """Hand a new value to everybody who watches its topic."""
        watchers = self._watchers.get((update.channel, update.topic))
        if not watchers:
            return
        fragment = encode(update.row)
        for client in watchers:
            client.offer(update.channel, update.row.key, fragment, happened_at=update.happened_at)

    def lose(self, *, since: datetime) -> None:
        """Say to everybody that news cannot be heard since then."""
        if self._lost_since is None:
            self._lost_since = since
            for client in self._clients:
                client.note_stale(since)

    def refresh(self) -> None:
        """Give everybody fresh snapshots: news may have been missed."""
        self._lost_since = None
        for client in self._clients:
            client.refresh()

    # --- Revoked sign-ins -------------------------------------------------------------------------------------------
    def doubt(self, user_id: UUID) -> None:
        """Look at this person's sign-ins now rather than with the next round."""
        if user_id in self._per_user:
            self._doubt.set()

    async def watch_bonds(self) -> None:
        """Close, for ever and well within a minute, the sockets whose sign-in is no longer good."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._bond_check_seconds):
                    await self._doubt.wait()
            self._doubt.clear()
            try:
                await self.check_bonds()
            except (DatabaseError, InterfaceError):
                # Nothing can be revoked while the database is away; the next round looks again.
                log.warning("The database does not answer; sign-ins of sockets are checked later")
            await asyncio.sleep(_SECONDS_BETWEEN_CHECKS)

    async def check_bonds(self) -> None:
        """Close the sockets whose sign-in has ended or whose person has another role now."""
        clients, now = tuple(self._clients), self.now()  # who comes in while we ask was checked at the door
        if not clients:
            return
        bonds = {client.bond for client in clients}
        viewers = await self.reader.ask(lambda: queries.viewers_of(bonds=bonds, now=now))
        ended = [client for client in clients if viewers.get(client.bond) != client.viewer]
        # All at once: one that no longer reads takes seconds to close, and the others would stay open meanwhile.
        await asyncio.gather(*(client.hang_up(CloseCode.NO_TICKET) for client in ended))
