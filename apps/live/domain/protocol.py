"""Frames of the live socket: what a client may say, how it is refused, what the server answers.

Parsing never raises: a bad frame is a `Refusal`, a value like any other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache

import orjson

PROTOCOL = 1
MAX_FRAME_BYTES = 64 * 1024
KEYS_PER_SUBSCRIPTION = 50
KEYS_PER_SOCKET = 200
TOO_MANY_KEYS = "too_many_keys"
_LONGEST_NAME = 64
_LONGEST_KEY = 128
_LARGEST_INTEGER = 2**53 - 1
_SHORT, _MEDIUM = 126, 65_536  # lengths of a frame that need no, two or eight more bytes
OPERATIONS = ("subscribe", "unsubscribe", "ping", "resync")


class CloseCode(IntEnum):
    """Why the server closes a socket."""

    UNSUPPORTED = 1003
    TOO_BIG = 1009
    FAILED = 1011
    RESTART = 1012
    TRY_LATER = 1013
    NO_TICKET = 4401
    NOT_YOURS = 4403
    TOO_SLOW = 4408
    TOO_MANY = 4429


Reference = int | str | None
Echo = int | float | str | None


@dataclass(frozen=True, slots=True)
class Request:
    """One operation that a client asks for."""

    op: str
    id: Reference = None
    channel: str = ""
    keys: tuple[str, ...] = field(default=())
    echo: Echo = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a frame or a part of it is not done; goes back as an `error` frame."""

    code: str
    message: str
    id: Reference = None
    channel: str = ""


def parse(text: str) -> Request | Refusal:
    """Read one frame of a client."""
    try:
        frame = orjson.loads(text)  # refuses nesting beyond 1,024 levels by itself
    except orjson.JSONDecodeError:
        return Refusal("not_json", "Send one JSON object a frame.")
    if not isinstance(frame, dict):
        return Refusal("not_an_object", "Send one JSON object a frame.")
    reference = frame.get("id")
    if not _is_reference(reference):
        return Refusal("bad_id", f"An id is a whole number or a text of at most {_LONGEST_NAME} characters.")
    op = frame.get("op")
    if not isinstance(op, str) or op not in OPERATIONS:
        return Refusal("unknown_op", f"An op is one of {', '.join(OPERATIONS)}.", id=reference)
    return _ping(frame, reference) if op == "ping" else _about_channel(op, frame, reference)


def _ping(frame: dict[str, object], reference: Reference) -> Request | Refusal:
    echo = frame.get("t")
    if isinstance(echo, float) or _is_reference(echo):
        return Request(op="ping", id=reference, echo=echo)  # type: ignore[arg-type]
    return Refusal("bad_time", "t comes back in the pong: send a number or a short text.", id=reference)


def _about_channel(op: str, frame: dict[str, object], reference: Reference) -> Request | Refusal:
    channel = frame.get("channel")
    if not isinstance(channel, str) or not 0 < len(channel) <= _LONGEST_NAME:
        return Refusal("bad_channel", "Name the channel as a short text.", id=reference)
    keys = frame.get("keys")
    if keys is None:
        return Request(op=op, id=reference, channel=channel)
    if not isinstance(keys, list) or not all(isinstance(key, str) and 0 < len(key) <= _LONGEST_KEY for key in keys):
        return Refusal("bad_keys", "Keys are a list of short texts.", id=reference, channel=channel)
    if len(keys) > KEYS_PER_SUBSCRIPTION:
        message = f"A subscription holds at most {KEYS_PER_SUBSCRIPTION} keys; send the rest in another one."
        return Refusal(TOO_MANY_KEYS, message, id=reference, channel=channel)
    return Request(op=op, id=reference, channel=channel, keys=tuple(dict.fromkeys(keys)))


def _is_reference(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST_NAME
    if isinstance(value, bool):
        return False
    return value is None or (isinstance(value, int) and abs(value) <= _LARGEST_INTEGER)


# --- What the server says -------------------------------------------------------------------------------------------
def welcome(*, now: datetime) -> bytes:
    """Return the first frame of a socket."""
    return orjson.dumps({"op": "welcome", "protocol": PROTOCOL, "server_time": instant(now)})


def subscribed(*, reference: Reference, channel: str, keys: Sequence[str]) -> bytes:
    """Return the answer to a subscription: all keys that are now watched in the channel."""
    return orjson.dumps({"op": "subscribed", "id": reference, "channel": channel, "keys": list(keys)})


def unsubscribed(*, reference: Reference, channel: str, keys: Sequence[str]) -> bytes:
    """Return the answer to an unsubscription: the keys that are left."""
    return orjson.dumps({"op": "unsubscribed", "id": reference, "channel": channel, "keys": list(keys)})


def error(refusal: Refusal) -> bytes:
    """Return the frame that says what was not done, and why."""
    frame: dict[str, object] = {"op": "error", "id": refusal.id, "code": refusal.code, "message": refusal.message}
    if refusal.channel:
        frame["channel"] = refusal.channel
    return orjson.dumps(frame)


def pong(*, reference: Reference, echo: Echo) -> bytes:
    """Return the answer to a ping."""
    frame: dict[str, object] = {"op": "pong", "t": echo}
    return orjson.dumps(frame if reference is None else {**frame, "id": reference})


def stale(*, channel: str, since: datetime, venues: Sequence[str] | None = None) -> bytes:
    """Return the frame that says that nothing new can be heard at the moment; of which venues, where it is not all."""
    frame: dict[str, object] = {"op": "stale", "channel": channel, "since": instant(since)}
    return orjson.dumps(frame if venues is None else {**frame, "venues": list(venues)})


@lru_cache(maxsize=64)
def frame_ends(*, op: str, channel: str, list_name: str) -> tuple[bytes, bytes]:
    """Return what stands before and after the number of a snapshot or an update."""
    return f'{{"op":"{op}","channel":"{channel}","seq":'.encode(), f',"data":{{"{list_name}":['.encode()


def data_frame(ends: tuple[bytes, bytes], *, seq: int, fragments: Iterable[bytes]) -> bytes:
    """Join the ends of a frame and ready fragments; nothing is encoded twice."""
    return b"%b%d%b%b]}}" % (ends[0], seq, ends[1], b",".join(fragments))


def text_frame(text: bytes) -> bytes:
    """Return a text as a server's WebSocket frame (RFC 6455, 5.2): one piece, not masked, not compressed."""
    length = len(text)
    if length < _SHORT:
        return b"\x81%c%b" % (length, text)
    if length < _MEDIUM:
        return b"\x81\x7e%b%b" % (length.to_bytes(2), text)
    return b"\x81\x7f%b%b" % (length.to_bytes(8), text)


def instant(value: datetime) -> str:
    """Write a time as ISO-8601 in UTC with Z and milliseconds."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
