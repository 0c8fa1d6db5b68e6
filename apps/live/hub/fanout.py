"""Who watches what, and the newest value to each of them.

A channel's topic says who may hear it (a person, the people who run the instance). Values are encoded once;
a frame is a head and a join of ready fragments. Rows go out at once, prices at the pacer's pace.
"""

import asyncio
import contextlib
import math
from collections import Counter as Count
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError
from prometheus_client import Counter, Gauge

from apps.live import queries
from apps.live.channels import Channel
from apps.live.domain.bonds import Bond, Viewer
from apps.live.domain.news import Update
from apps.live.domain.protocol import CloseCode
from apps.live.hub.board import Board
from apps.live.hub.clients import Client, Limits, encode
from apps.live.hub.desk import Desk
from apps.live.hub.line import Line
from apps.live.hub.pacer import Pacer
from apps.live.hub.reader import Reader
from apps.live.hub.subscriptions import PriceSubscription, RowSubscription, Subscription
from apps.markets.domain.prices import SIMULATED, Price
from apps.markets.queries import current_world

log = structlog.get_logger(__name__)

SOCKETS_PER_USER: Final = 2_500  # keeps one person within 75 MB of this process; an instance has few people
BOND_CHECK_SECONDS: Final = 20.0
_SECONDS_BETWEEN_CHECKS: Final = 0.2
_SECONDS_BETWEEN_LOOKS: Final = 2.0
_LOOK_PATIENCE_SECONDS: Final = 5.0
_NAMES_SECONDS: Final = 30.0
_SILENCE_SECONDS: Final = 1.0
_TURN: Final = 200  # clients that are served before the loop may do something else
_RETRY_SECONDS: Final = 0.05
sockets = Gauge("coinsphere_live_sockets", "Open sockets.", multiprocess_mode="livesum")
closes = Counter("coinsphere_live_closes_total", "Sockets closed, by close code.", ["code"])


class NamesPausedError(Exception):
    """Which instruments there are cannot be looked up at the moment; whoever asks does best to come back later."""


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
        self.limits = limits or Limits()
        # Each kind of question has threads of its own: a storm at the door holds back neither snapshots nor
        # the check of who has been signed out.
        self.reader = Reader(threads=2)
        self._guard = Reader(threads=1)
        self._door = Reader(threads=1)
        self.desk = Desk(reader=self._door, now=now)
        self.board = Board(simulated=current_world() == SIMULATED, now_ms=self._now_ms())
        self.pacer = Pacer(self.board, keeper=self, now_ms=self._now_ms)
        self._sockets_per_user = sockets_per_user
        self._bond_check_seconds = bond_check_seconds
        self._clients: set[Client] = set()
        self._per_user: Count[UUID] = Count()
        self._watchers: defaultdict[tuple[str, str], set[Client]] = defaultdict(set)
        self._lost_since: datetime | None = None
        self._silent: frozenset[str] | None = None
        self._doubt = asyncio.Event()
        self._awake: deque[Client] = deque()
        self._turn: asyncio.Handle | None = None
        self._held: dict[Client, None] = {}
        self._retry: asyncio.TimerHandle | None = None
        self._endings: set[asyncio.Task[None]] = set()
        self._look: asyncio.Task[None] | None = None
        self._looked_at = -math.inf

    def _now_ms(self) -> int:
        return int(self.now().timestamp() * 1000)

    def close(self) -> None:
        """Plan nothing any more and give the threads back."""
        self.pacer.stop()
        for handle in (self._turn, self._retry):
            if handle is not None:
                handle.cancel()
        if self._look is not None:
            self._look.cancel()
        for reader in (self.reader, self._guard, self._door):
            reader.close()

    # --- Coming and going -------------------------------------------------------------------------------------------
    def join(
        self,
        *,
        bond: Bond,
        viewer: Viewer,
        line: Line,
        hang_up: Callable[[CloseCode], Coroutine[Any, Any, None]],
    ) -> Client | None:
        """Take a socket in; nothing if this person has too many already."""
        if self._per_user[viewer.user_id] >= self._sockets_per_user:
            return None
        client = Client(bond=bond, viewer=viewer, line=line, hang_up=hang_up, keeper=self)
        self._clients.add(client)
        self._per_user[viewer.user_id] += 1
        sockets.inc()
        return client

    def leave(self, client: Client) -> None:
        """Forget a socket."""
        if client not in self._clients:
            return
        client.stop()
        self._held.pop(client, None)
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
    async def known(self, channel: Channel, keys: Iterable[str], *, viewer: Viewer | None = None) -> tuple[str, ...]:
        """Return which of these keys there are; an instrument nobody has heard of is looked up now and then.

        Nothing is called unknown without having been looked up: `NamesPausedError` says that it could not be.
        """
        wanted = tuple(keys)
        if channel.own_keys is not None and viewer is not None:
            return await self._own(channel.own_keys, viewer, wanted)
        if not channel.is_paced:
            return ()
        if not all(self.board.knows(key) for key in wanted):
            await self._look_again()
        return tuple(key for key in wanted if self.board.knows(key))

    async def _own(
        self, own_keys: Callable[[Viewer, Sequence[str]], Sequence[str]], viewer: Viewer, wanted: Sequence[str]
    ) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(_LOOK_PATIENCE_SECONDS):
                return tuple(await self.reader.ask(lambda: own_keys(viewer, wanted)))
        except (DatabaseError, InterfaceError, TimeoutError) as problem:
            raise NamesPausedError from problem

    async def _look_again(self) -> None:
        if asyncio.get_running_loop().time() - self._looked_at < _SECONDS_BETWEEN_LOOKS:
            return
        try:
            async with asyncio.timeout(_LOOK_PATIENCE_SECONDS):
                await self.learn_names()
        except (DatabaseError, InterfaceError, TimeoutError) as problem:
            raise NamesPausedError from problem
        self._looked_at = asyncio.get_running_loop().time()  # only an answer is good for a while

    async def learn_names(self) -> None:
        """Ask the database which instruments there are; who asks while that is under way waits for the same answer."""
        if self._look is None:
            self._look = asyncio.create_task(self._learn_names())
            self._look.add_done_callback(self._note_look)
        await asyncio.shield(self._look)

    async def _learn_names(self) -> None:
        self.board.name(await self._guard.ask(queries.instrument_names))

    def _note_look(self, look: "asyncio.Task[None]") -> None:
        """Let the next one look again; whoever waits is told of a failure, and nobody may be waiting any more."""
        self._look = None
        if not look.cancelled():
            look.exception()

    async def watch_names(self) -> None:
        """Learn of new instruments, for ever."""
        while True:
            try:
                await self.learn_names()
            except (DatabaseError, InterfaceError):
                log.warning("The database does not answer; new instruments become known later")
            await asyncio.sleep(_NAMES_SECONDS)

    def watch(self, client: Client, channel: Channel, keys: Iterable[str] = ()) -> Subscription | None:
        """Let a client hear a channel; a snapshot comes first. One that left while it was asking hears nothing."""
        if client not in self._clients:
            return None
        subscription = client.subscriptions.get(channel.name)
        if subscription is None:
            subscription = PriceSubscription(channel, self.board) if channel.is_paced else RowSubscription(channel)
            client.subscriptions[channel.name] = subscription
        subscription.add(keys)
        for topic in channel.topics(client.viewer, tuple(subscription.keys)):
            self._watchers[channel.name, topic].add(client)
        if isinstance(subscription, PriceSubscription):
            self.pacer.add(subscription, client)
            subscription.hear_silence(self._silence())
        client.refresh(channel.name)
        if self._lost_since is not None:
            subscription.note_stale(self._lost_since)
        return subscription

    def unwatch(self, client: Client, name: str, keys: Iterable[str] = ()) -> tuple[str, ...]:
        """Stop telling a client about these keys, or the whole channel when none is named; return what is left."""
        subscription = client.subscriptions.get(name)
        if subscription is None:
            return ()
        before = subscription.channel.topics(client.viewer, tuple(subscription.keys))
        subscription.drop(keys)
        left = tuple(subscription.keys) if tuple(keys) else ()
        after = subscription.channel.topics(client.viewer, left) if left else frozenset()
        for topic in before - after:
            self._forget(client, name, topic)
        if not left:
            del client.subscriptions[name]
            if isinstance(subscription, PriceSubscription):
                self.pacer.remove(subscription)
        elif isinstance(subscription, PriceSubscription) and subscription.hear_silence(self._silence()):
            self.wake(client)
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

    def hear_prices(self, prices: Iterable[Price]) -> None:
        """Put a batch of prices on the board; the pacer takes them from there."""
        self.board.hear(prices, now_ms=self._now_ms())
        self.pacer.wake()

    def load_prices(self, prices: Mapping[str, Price]) -> None:
        """Put the whole cache on the board."""
        self.board.load(prices)
        self.pacer.wake()

    def _silence(self) -> dict[str, int]:
        return self.board.silent(now_ms=self._now_ms())

    async def watch_silence(self) -> None:
        """Say, for ever, of which venues nothing is heard; and send what they show once they are heard again."""
        while True:
            await asyncio.sleep(_SILENCE_SECONDS)
            silent = self._silence()
            if self._lost_since is not None or silent.keys() == self._silent:
                continue
            self._silent = frozenset(silent)
            for prices, client in self.pacer.members():
                if prices.hear_silence(silent):
                    self.wake(client)

    def lose(self, *, since: datetime) -> None:
        """Say to everybody that news cannot be heard since then."""
        if self._lost_since is None:
            self._lost_since = since
            for client in self._clients:
                client.note_stale(since)

    def refresh(self) -> None:
        """Give everybody fresh snapshots: news may have been missed."""
        self._lost_since = self._silent = None
        for client in self._clients:
            client.refresh()

    # --- Sending ----------------------------------------------------------------------------------------------------
    def wake(self, client: Client) -> None:
        """Let a client send as soon as it is its turn."""
        if client.is_awake:
            return
        client.is_awake = True
        self._awake.append(client)
        if self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self._serve)

    def _serve(self) -> None:
        """Serve some of those who have something to send; the rest has its turn after what else is waiting."""
        loop = asyncio.get_running_loop()
        self._turn, at = None, loop.time()
        self.board.begin(self._now_ms())
        for _ in range(min(_TURN, len(self._awake))):
            client = self._awake.popleft()
            client.is_awake = False
            self._flush(client, at)
        if self._awake and self._turn is None:
            self._turn = loop.call_soon(self._serve)

    def _flush(self, client: Client, at: float) -> None:
        try:
            done = client.flush(at)
        except Exception:  # one client's trouble is not the others'
            log.exception("A socket could not be served")
            self.end(client, CloseCode.FAILED)
            return
        if done:
            self._held.pop(client, None)
            return
        self._held[client] = None
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self.board.begin(self._now_ms())
        for client in tuple(self._held):
            self._flush(client, asyncio.get_running_loop().time())

    def end(self, client: Client, code: CloseCode) -> None:
        """Close a client's socket; nobody waits for it."""
        ending = asyncio.get_running_loop().create_task(client.hang_up(code))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

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
        viewers = await self._guard.ask(lambda: queries.viewers_of(bonds=bonds, now=now))
        ended = [client for client in clients if viewers.get(client.bond) != client.viewer]
        # All at once: one that no longer reads takes seconds to close, and the others would stay open meanwhile.
        await asyncio.gather(*(client.hang_up(CloseCode.NO_TICKET) for client in ended))
