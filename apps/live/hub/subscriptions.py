"""What one socket watches in one channel: rows that arrive now and then, or prices that arrive at a steady pace."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from prometheus_client import Counter

from apps.live.channels import Channel
from apps.live.domain import protocol
from apps.live.hub.board import Board, Quote, venue_of

_PRICE_UPDATE = protocol.frame_ends(op="update", channel="market_data", list_name="tickers")
refreshes = Counter("coinsphere_live_refreshes_total", "Snapshots sent in place of updates.", ["reason"])


class Subscription:
    """A channel that a client watches."""

    __slots__ = ("channel", "keys", "seq", "snapshot_due", "stale_since", "told_stale")

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.keys: dict[str, None] = {}
        self.seq = 0
        self.snapshot_due = True
        self.stale_since: datetime | None = None
        self.told_stale = True

    def add(self, keys: Iterable[str]) -> None:
        """Watch these keys too."""
        self.keys.update(dict.fromkeys(keys))

    def drop(self, keys: Iterable[str]) -> None:
        """Watch these keys no longer."""
        for key in keys:
            self.keys.pop(key, None)

    def refresh(self) -> None:
        """Let a snapshot take the place of what waits."""
        self.snapshot_due = True

    def note_stale(self, since: datetime) -> None:
        """Remember to say that nothing new can be heard."""
        self.stale_since, self.told_stale = since, False

    def stale_frame(self) -> bytes | None:
        """Return the frame that says so, once."""
        if self.told_stale or self.stale_since is None:
            return None
        self.told_stale = True
        return protocol.stale(channel=self.channel.name, since=self.stale_since)

    def frame(self, op: str, fragments: Sequence[bytes]) -> bytes:
        """Join fragments to the next frame of this channel."""
        self.seq += 1
        ends = protocol.frame_ends(op=op, channel=self.channel.name, list_name=self.channel.list_name)
        return protocol.data_frame(ends, seq=self.seq, fragments=fragments)


class RowSubscription(Subscription):
    """Rows whose snapshot comes from the database; updates wait newest per key."""

    __slots__ = ("asking", "oldest", "pending")

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self.pending: dict[str, bytes] = {}
        self.oldest: float | None = None
        self.asking = False

    def offer(self, key: str, fragment: bytes, *, happened_at: float, limit: int) -> None:
        """Keep the newest value of a key; beyond the limit keep nothing and ask for a snapshot."""
        if self.snapshot_due:
            return
        self.pending[key] = fragment
        self.oldest = happened_at if self.oldest is None else min(self.oldest, happened_at)
        if len(self.pending) > limit:
            refreshes.labels(reason="overflow").inc()
            self.refresh()

    def drop(self, keys: Iterable[str]) -> None:
        """Watch these keys no longer."""
        super().drop(keys)
        for key in keys:
            self.pending.pop(key, None)

    def refresh(self) -> None:
        """Drop what waits: a snapshot takes its place."""
        super().refresh()
        self.pending.clear()
        self.oldest = None

    def take_pending(self) -> tuple[list[bytes], float | None]:
        """Return what waits and when the oldest of it happened; nothing waits any more."""
        waiting = list(self.pending.values()), self.oldest
        self.pending.clear()
        self.oldest = None
        return waiting


class PriceSubscription(Subscription):
    """Instruments on the board; `seen` is the revision that the client has, so nothing ever waits here."""

    __slots__ = ("_board", "_quotes", "_venues", "held_since", "seen", "slot", "stale_venues")

    def __init__(self, channel: Channel, board: Board) -> None:
        super().__init__(channel)
        self._board = board
        self._quotes: tuple[Quote, ...] = ()
        self._venues: frozenset[str] = frozenset()
        self.seen = 0
        self.held_since: float | None = None
        self.slot = -1
        self.stale_venues: tuple[str, ...] = ()

    def add(self, keys: Iterable[str]) -> None:
        """Watch these instruments too."""
        super().add(keys)
        self._find()

    def drop(self, keys: Iterable[str]) -> None:
        """Watch these instruments no longer."""
        super().drop(keys)
        self._find()

    def _find(self) -> None:
        self._quotes = tuple(self._board.quote(key) for key in self.keys)
        self._venues = frozenset(map(venue_of, self.keys))

    def refresh(self) -> None:
        """Let a snapshot take the place of updates; whose prices stand still is said again after it."""
        super().refresh()
        self.told_stale = not self.stale_venues

    def note_stale(self, since: datetime) -> None:
        """Remember to say that nothing new can be heard, of no venue."""
        super().note_stale(since)
        self.stale_venues = ()

    def hear_silence(self, silent: Mapping[str, int]) -> bool:
        """Take note of the venues that are silent and since when (ms); False when that changes nothing here."""
        venues = tuple(sorted(self._venues.intersection(silent)))
        if venues == self.stale_venues:
            return False
        self.snapshot_due = self.snapshot_due or not set(self.stale_venues) <= set(venues)
        self.stale_venues, self.told_stale = venues, False
        oldest = min((silent[venue] for venue in venues), default=None)
        self.stale_since = None if oldest is None else datetime.fromtimestamp(oldest / 1000, UTC)
        return True

    def stale_frame(self) -> bytes | None:
        """Return the frame that says whose prices stand still, once."""
        if self.told_stale or self.stale_since is None:
            return None
        self.told_stale = True
        return protocol.stale(channel=self.channel.name, since=self.stale_since, venues=self.stale_venues or None)

    def snapshot(self) -> bytes:
        """Return all prices that are known."""
        self.snapshot_due = False
        self.seen = self._board.revision
        return self.frame("snapshot", self._board.tickers(self._quotes, after=0))

    def update(self) -> bytes | None:
        """Return what has changed since the last frame, if anything has."""
        board = self._board
        tickers = board.tickers(self._quotes, after=self.seen)
        if not tickers:
            return None
        self.seen, self.seq = board.revision, self.seq + 1
        return protocol.data_frame(_PRICE_UPDATE, seq=self.seq, fragments=tickers)
