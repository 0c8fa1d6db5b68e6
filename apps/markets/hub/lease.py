"""The lease of the leading feed: one leads, others wait; what a former leader still wants to write is refused."""

import asyncio
import secrets
from typing import Final

import structlog

from apps.core.cache import RedisOutage, async_redis_client
from apps.markets.domain import prices as layout

log = structlog.get_logger(__name__)

LEASE_SECONDS: Final = 6.0
_ANSWER_SECONDS: Final = 2.0

_KEEP = """
local held = redis.call('get', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[1], 'PX', ARGV[2])
return held and 1 or 2
"""
_TAKEN: Final = 2
_DROP = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


class Lease:
    """Leadership over one world, held under a token that is ours alone."""

    def __init__(self, world: str, *, seconds: float = LEASE_SECONDS) -> None:
        self.key, self.seconds = layout.lease_key(world), seconds
        self.renew_seconds = seconds / 3
        self.token = secrets.token_hex(12)
        self.was_vacant = False

    async def hold(self) -> bool | None:
        """Take the lease or keep it; false if another holds it, nothing while Redis does not answer.

        A lease that has vanished with Redis's memory is simply taken again; `was_vacant` tells of it.
        """
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await self._ask(_KEEP, int(self.seconds * 1000))
        except (TimeoutError, *RedisOutage):
            return None
        self.was_vacant = answer == _TAKEN
        return answer > 0

    async def drop(self) -> None:
        """Let the lease go, so that another feed need not wait for its end."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._ask(_DROP)
        except (TimeoutError, *RedisOutage):
            log.warning("The lease of the feed is left to expire")

    async def _ask(self, script: str, *arguments: int) -> int:
        answer = await async_redis_client().register_script(script)(keys=[self.key], args=[self.token, *arguments])
        return int(answer)
