"""Writing live prices: into the cache first, then into the stream, and only by the feed that leads."""

from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings

from apps.core.cache import async_redis_client
from apps.core.errors import ConflictError
from apps.markets.domain import prices as layout
from apps.markets.domain.prices import OpenCandle, Price, VenueFeed

#: A state that nobody renews is gone after this: the feed is off.
FEED_STATE_SECONDS = 30

# Cache, then publish, in one step; refused when the lease has gone to somebody else.
_PUBLISH = """
if ARGV[1] ~= '' and redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
for first = 4, #ARGV, 1000 do
  redis.call('hset', KEYS[2], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
redis.call('xadd', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', 'b', ARGV[3])
return 1
"""
_WRITE = """
if ARGV[1] ~= '' and redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
for first = 3, #ARGV, 1000 do
  redis.call('hset', KEYS[2], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
if ARGV[2] ~= '0' then redis.call('expire', KEYS[2], ARGV[2]) end
return 1
"""


class NotLeadingError(ConflictError):
    """Another feed leads by now; what this one wanted to write was refused."""

    code = "feed_not_leading"
    default_detail = "Another feed process leads now. This one waits until it is needed."


def _world() -> str:
    return layout.world_of(settings.FEED)


async def publish_prices(*, prices: Collection[Price], fence: str = "") -> None:
    """Write the newest prices to the cache, then publish them; `fence` is the leader's token."""
    if not prices:
        return
    world = _world()
    fields: list[Any] = []
    for price in prices:
        fields += (price.instrument, layout.for_cache(price))
    keys = [layout.lease_key(world), layout.prices_key(world), layout.ticks_key(world)]
    script = async_redis_client().register_script(_PUBLISH)
    if not await script(keys=keys, args=[fence, layout.TICKS_LENGTH, layout.for_stream(prices), *fields]):
        raise NotLeadingError


async def write_open_candles(*, candles: Mapping[str, OpenCandle], fence: str = "") -> None:
    """Write the unfinished minutes, by instrument; they vanish two minutes after the last one."""
    rows = {name: layout.open_for_cache(candle) for name, candle in candles.items()}
    await _write(layout.open_key(_world()), rows, seconds=120, fence=fence)


async def write_feed_states(*, states: Collection[VenueFeed], fence: str = "") -> None:
    """Write how each venue's stream is doing."""
    rows = {state.venue: layout.feed_for_cache(state) for state in states}
    await _write(layout.feed_key(_world()), rows, seconds=FEED_STATE_SECONDS, fence=fence)


async def forget_prices(*, instruments: Collection[str]) -> None:
    """Take prices out of the cache whose instruments are no longer traded."""
    if instruments:
        client, world = async_redis_client(), _world()
        await client.hdel(layout.prices_key(world), *instruments)
        await client.hdel(layout.open_key(world), *instruments)


async def _write(key: str, rows: Mapping[str, bytes], *, seconds: int, fence: str) -> None:
    if not rows:
        return
    fields: list[Any] = []
    for name, row in rows.items():
        fields += (name, row)
    script = async_redis_client().register_script(_WRITE)
    if not await script(keys=[layout.lease_key(_world()), key], args=[fence, seconds, *fields]):
        raise NotLeadingError
