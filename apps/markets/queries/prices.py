"""Live prices as they stand in the cache, and the stream of what changes."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Collection
from typing import Any

from django.conf import settings

from apps.core.cache import RedisOutage, async_redis_client, redis_client
from apps.markets.domain import prices as layout
from apps.markets.domain.instruments import VENUES
from apps.markets.domain.prices import OpenCandle, Price, PricesCut, VenueFeed

_START = "0-0"
_BATCH = 64
_STALL_SECONDS = 1.0


def current_world() -> str:
    """Name the world whose prices this instance shows: simulated or real."""
    return layout.world_of(settings.FEED)


def latest_prices(*, instruments: Collection[str] | None = None) -> dict[str, Price]:
    """Return the newest prices, of these instruments or of all; an instrument without one is absent."""
    key = layout.prices_key(current_world())
    if instruments is None:
        held: Any = redis_client().hgetall(key)
        return _all_prices(held)
    if not instruments:
        return {}
    names = list(instruments)
    return _prices(names, redis_client().hmget(key, names))


async def alatest_prices(*, instruments: Collection[str] | None = None) -> dict[str, Price]:
    """Return the newest prices as `latest_prices` does, in an event loop."""
    key, client = layout.prices_key(current_world()), async_redis_client()
    if instruments is None:
        held: Any = await client.hgetall(key)
        return _all_prices(held)
    if not instruments:
        return {}
    names = list(instruments)
    return _prices(names, await client.hmget(key, names))


def _all_prices(held: dict[bytes, bytes]) -> dict[str, Price]:
    return {name.decode(): layout.from_cache(name.decode(), data) for name, data in held.items()}


def _prices(names: list[str], rows: Any) -> dict[str, Price]:  # noqa: ANN401 - as the client's stub
    return {name: layout.from_cache(name, row) for name, row in zip(names, rows, strict=True) if row is not None}


def open_candles(*, instruments: Collection[str]) -> dict[str, OpenCandle]:
    """Return the unfinished minutes of these instruments; one that has not been traded in its minute is absent."""
    if not instruments:
        return {}
    names = list(instruments)
    rows: Any = redis_client().hmget(layout.open_key(current_world()), names)
    return {name: layout.open_from_cache(row) for name, row in zip(names, rows, strict=True) if row is not None}


def feed_states() -> list[VenueFeed]:
    """Return how each venue's stream is doing; all are off when no feed is running."""
    held: Any = redis_client().hgetall(layout.feed_key(current_world()))
    return [
        layout.feed_from_cache(venue, held[venue.encode()])
        if venue.encode() in held
        else VenueFeed(venue, "off", None, 0, 0)
        for venue in VENUES
    ]


async def price_batches(
    *, last_id: str | None = None, block_seconds: float = 5.0
) -> AsyncGenerator[tuple[str, list[Price] | PricesCut], None]:
    """Yield each batch of prices after `last_id` (None: from now on), for ever; `PricesCut` when some were missed.

    Whoever begins from now on has missed everything: `PricesCut` comes first, and a cache that is read upon it
    lacks nothing of what follows. Redis going away is waited out: the reader goes on from the last id it has heard.
    """
    key, rounds, check = layout.ticks_key(current_world()), 0, last_id is not None
    while True:
        try:
            client = async_redis_client()
            if last_id is None:
                last_id = await _newest_id(key)
                yield last_id, PricesCut()
            if check and await _was_cut(key, last_id):
                last_id = await _newest_id(key)
                yield last_id, PricesCut()
            answer: Any = await client.xread({key: last_id}, count=_BATCH, block=int(block_seconds * 1000))
            rounds = 0
        except RedisOutage:
            rounds, check = rounds + 1, True
            await asyncio.sleep(random.uniform(0.1, min(5.0, 0.2 * 2 ** min(rounds, 6))))  # noqa: S311 - spread
            continue
        read_at = time.monotonic()
        entries = answer[0][1] if answer else []
        for entry_id, entry in entries:
            last_id = entry_id.decode()
            yield last_id, layout.from_stream(entry[b"b"])
        check = len(entries) >= _BATCH or time.monotonic() - read_at > _STALL_SECONDS


async def _newest_id(key: str) -> str:
    newest: Any = await async_redis_client().xrevrange(key, count=1)
    return newest[0][0].decode() if newest else _START


async def _was_cut(key: str, last_id: str) -> bool:
    """Tell whether entries after `last_id` may be gone."""
    pipe = async_redis_client().pipeline(transaction=True)
    pipe.xrange(key, min=last_id, max=last_id)
    pipe.xlen(key)
    found, length = await pipe.execute()
    return length >= layout.TICKS_LENGTH if last_id == _START else not found
