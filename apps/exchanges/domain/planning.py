"""When a connection is read again, how far back each of its streams is read, and in which order."""

import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from apps.exchanges.domain.reading import Cursor, Stream, StreamKey

#: From one scheduled sync of a connection to the next; each connection has a spread of its own around it.
INTERVAL: Final = timedelta(minutes=5)
SPREAD: Final = timedelta(seconds=20)
#: After failures in a row the wait doubles, up to this.
LONGEST_WAIT: Final = timedelta(hours=1)
#: A stream whose coins stand as they did is read all the same once in so long.
QUIET_FOR: Final = timedelta(hours=6)

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
#: How long a venue may take to tell a row, or to change it: a withdrawal stands for days before it is done.
_LATE_MS: Final = {
    Stream.TRADES: _HOUR_MS,
    Stream.CONVERSIONS: _HOUR_MS,
    Stream.DUST: _HOUR_MS,
    Stream.LEDGER: _DAY_MS,
    Stream.REWARDS: 2 * _DAY_MS,
    Stream.DEPOSITS: 7 * _DAY_MS,
    Stream.WITHDRAWALS: 7 * _DAY_MS,
    Stream.FIAT: 7 * _DAY_MS,
}
#: What moves coins between accounts first, so that trades find what they sell.
_TURN: Final = (
    Stream.DEPOSITS,
    Stream.FIAT,
    Stream.WITHDRAWALS,
    Stream.CONVERSIONS,
    Stream.DUST,
    Stream.REWARDS,
    Stream.LEDGER,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a stream before it is read: where an unfinished reading stopped, else how far it is complete."""

    cursor: Cursor | None = None
    since_ms: int = 0
    until_ms: int = 0
    is_open: bool = False
    covered_to_ms: int | None = None
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One pass over a stream, from where to where; without a cursor it begins at `since_ms`."""

    cursor: Cursor | None
    since_ms: int
    until_ms: int


def late_ms(stream: Stream) -> int:
    """Return how far back a stream is read again, so that rows that come late are found."""
    return _LATE_MS[stream]


def next_reading(*, stream: Stream, known: Known | None, now_ms: int, begin_ms: int = 0) -> Reading:
    """Return what to read of a stream now: the rest of an open pass, all of it, or what is new with an overlap.

    `begin_ms` is where the history that is wanted begins; 0: at the very beginning of the account.
    """
    if known is not None and known.is_open:
        return Reading(cursor=known.cursor, since_ms=known.since_ms, until_ms=known.until_ms)
    if known is None or known.covered_to_ms is None:
        since = max(0, min(begin_ms, now_ms) - late_ms(stream)) if begin_ms else 0
        return Reading(cursor=None, since_ms=since, until_ms=now_ms)
    since = max(0, min(known.covered_to_ms, now_ms) - late_ms(stream))
    return Reading(cursor=None, since_ms=since, until_ms=max(now_ms, since))


def in_turn(keys: Iterable[StreamKey]) -> list[StreamKey]:
    """Order the streams of a connection as they are read."""
    places = {stream: place for place, stream in enumerate(_TURN)}
    return sorted(keys, key=lambda key: (places.get(key.stream, len(places)), key.symbol))


def is_due(*, key: StreamKey, known: Known | None, moved: Collection[str] | None, now: datetime) -> bool:
    """Tell whether a stream is worth a request: one of a single pair is not while neither of its coins has moved.

    `moved` are the coins whose balance differs from what was last seen; None: not known, so everything is read.
    """
    if moved is None or key.stream is not Stream.TRADES or not key.symbol:
        return True
    if known is None or known.is_open or known.covered_to_ms is None:
        return True
    if known.read_at is None or now - known.read_at >= QUIET_FOR or known.read_at > now:
        return True
    return any(asset and asset in key.symbol for asset in moved)


def next_run(*, connection: str, after: datetime, failures: int = 0) -> datetime:
    """Return when a connection is synced next: about five minutes on, later while it fails, not all in one moment."""
    doublings: int = min(max(0, failures - 1), 8)
    wait = min(LONGEST_WAIT, INTERVAL * (1 << doublings))
    part = zlib.crc32(f"{connection} {int(after.timestamp())}".encode()) / 2**32
    return after + wait + SPREAD * (2 * part - 1)
