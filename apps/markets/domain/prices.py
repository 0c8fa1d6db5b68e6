"""A live price, how it lies in the cache and travels in the stream, and which numbers are refused as nonsense."""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

import orjson

SIMULATED: Final = "simulated"
REAL: Final = "real"
SIMULATED_FEED: Final = "simulator"

#: The stream holds about half a minute of flushes: who was away longer reads the cache.
TICKS_LENGTH: Final = 256
#: A price is said to be stale when its age has passed this.
STALE_AFTER_MS: Final = 15_000

_FUTURE_MS: Final = 60_000
_PAST_MS: Final = 24 * 3_600_000


class Price(NamedTuple):
    """The newest price of an instrument; amounts are plain decimal text, `source` is the venue it came from."""

    instrument: str
    price: str
    change_24h: str | None
    volume_24h: str | None
    ts: int
    source: str


class OpenCandle(NamedTuple):
    """The unfinished minute of an instrument; `heard_since` is from when on nothing of the instrument was missed."""

    ts: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    heard_since: int | None = None

    @property
    def row(self) -> tuple[int, float, float, float, float, float]:
        """The candle without what is known of its making."""
        return self[:6]


class PricesCut(NamedTuple):
    """A reader of the stream was away too long and missed prices: read them all from the cache."""


class VenueFeed(NamedTuple):
    """How one venue's streams are doing; `state` is connected, reconnecting, silent or off."""

    venue: str
    state: str
    last_message_ms: int | None
    instruments: int
    reconnects: int


# --- Where things lie -----------------------------------------------------------------------------------------------
def world_of(feed: str) -> str:
    """Name the world of a feed setting; the two never mix."""
    return SIMULATED if feed == SIMULATED_FEED else REAL


def prices_key(world: str) -> str:
    """Name the hash of newest prices, by instrument."""
    return f"coinsphere:prices:{world}"


def ticks_key(world: str) -> str:
    """Name the stream of what has changed."""
    return f"coinsphere:ticks:{world}"


def open_key(world: str) -> str:
    """Name the hash of unfinished minutes, by instrument."""
    return f"coinsphere:open:{world}"


def feed_key(world: str) -> str:
    """Name the hash of the feed's state, by venue."""
    return f"coinsphere:feed:{world}"


def lease_key(world: str) -> str:
    """Name the lease of the leading feed; it holds the leader's token."""
    return f"coinsphere:feed:{world}:leader"


# --- How it is written ----------------------------------------------------------------------------------------------
def for_cache(price: Price) -> bytes:
    """Write a price as it lies in the cache, under its instrument."""
    return orjson.dumps(
        {"p": price.price, "c": price.change_24h, "v": price.volume_24h, "t": price.ts, "s": price.source}
    )


def from_cache(instrument: str, data: bytes) -> Price:
    """Read a price from the cache."""
    held = orjson.loads(data)
    return Price(instrument, held["p"], held["c"], held["v"], held["t"], held["s"])


def for_stream(prices: Iterable[Price]) -> bytes:
    """Write a batch of prices as one entry of the stream."""
    return orjson.dumps([tuple(price) for price in prices])


def from_stream(data: bytes) -> list[Price]:
    """Read an entry of the stream."""
    return [Price(*row) for row in orjson.loads(data)]


def open_for_cache(candle: OpenCandle) -> bytes:
    """Write an unfinished minute as it lies in the cache."""
    return orjson.dumps(tuple(candle))


def open_from_cache(data: bytes) -> OpenCandle:
    """Read an unfinished minute from the cache."""
    return OpenCandle(*orjson.loads(data))


def feed_for_cache(feed: VenueFeed) -> bytes:
    """Write a venue's state as it lies in the cache."""
    return orjson.dumps({"state": feed.state, "t": feed.last_message_ms, "n": feed.instruments, "r": feed.reconnects})


def feed_from_cache(venue: str, data: bytes) -> VenueFeed:
    """Read a venue's state from the cache."""
    held: Mapping[str, int] = orjson.loads(data)
    return VenueFeed(venue, str(held["state"]), held["t"], held["n"], held["r"])


# --- What is refused ------------------------------------------------------------------------------------------------
def plain(text: str | float) -> str | None:
    """Write a number in plain decimal notation without trailing zeros; nothing if it is no finite number."""
    try:
        number = Decimal(str(text))
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    written = format(number, "f")
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return "0" if written in {"-0", ""} else written


def price_problem(price: float, *, last: float | None = None) -> str:
    """Say what is wrong with a price: not_a_number, not_positive or spike; nothing if it may pass."""
    if not math.isfinite(price):
        return "not_a_number"
    if price <= 0:
        return "not_positive"
    if last is not None and not last / 10 < price < last * 10:
        return "spike"
    return ""


def time_problem(ts: int, *, now_ms: int) -> str:
    """Say what is wrong with the time of a price: future or past; nothing if it may pass."""
    if ts > now_ms + _FUTURE_MS:
        return "future"
    if ts < now_ms - _PAST_MS:
        return "past"
    return ""
