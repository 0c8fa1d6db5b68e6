"""Locks and token buckets that all processes share through Redis; without it a bucket goes on in memory."""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from apps.core.cache import RedisOutage, health, redis_client
from apps.core.errors import ConflictError, UnavailableError

log = structlog.get_logger(__name__)

_POLL_SECONDS = 0.1
_RENEWALS_PER_LOCK = 3
_LEAVE_SECONDS = 2.0
MOST_IN_MEMORY = 20_000

# Takes the lock if it is free. The token only ever grows, also past an emptied Redis, because it follows the clock.
_TAKE = """
if redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  local time = redis.call('time')
  local token = time[1] * 1000000 + time[2]
  local last = tonumber(redis.call('get', KEYS[2]) or '0')
  if token <= last then token = last + 1 end
  redis.call('set', KEYS[2], string.format('%.0f', token), 'EX', 604800)
  return string.format('%.0f', token)
end
return false
"""
_DROP = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
_EXTEND = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"

# Fills the bucket for the time that has passed, then takes n tokens or tells how long it is until there are n.
_BUCKET = """
local rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('time')
local now = time[1] + time[2] / 1000000
local held = redis.call('hmget', KEYS[1], 'tokens', 'at')
local tokens = tonumber(held[1]) or burst
local at = tonumber(held[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * rate)
local wait = 0
if tokens >= wanted then tokens = tokens - wanted else wait = (wanted - tokens) / rate end
redis.call('hset', KEYS[1], 'tokens', string.format('%.9f', tokens), 'at', string.format('%.6f', now))
redis.call('pexpire', KEYS[1], math.ceil((burst / rate + 60) * 1000))
return string.format('%.6f', wait)
"""


class LockTakenError(ConflictError):
    """Somebody else holds the lock."""

    code = "busy"
    default_detail = "The same thing is being done at the moment. Try again when it is finished."


@dataclass(slots=True)
class Held:
    """A lock that is ours until it expires; `token` grows with every taking, so a late holder can be refused."""

    key: str
    owner: str
    token: int
    is_lost: bool = False

    def extend(self, *, seconds: float) -> bool:
        """Keep the lock for longer; False when it has expired meanwhile."""
        return bool(redis_client().eval(_EXTEND, 1, self.key, self.owner, _milliseconds(seconds)))

    def drop(self) -> None:
        """Let the lock go; one that has expired is left to whoever holds it now."""
        try:
            with health.noted():
                redis_client().eval(_DROP, 1, self.key, self.owner)
        except RedisOutage:
            log.warning("A lock is left to expire", lock=self.key)


@contextmanager
def lock(name: str, *, seconds: float, wait: float = 0.0) -> Iterator[Held]:
    """Hold a lock for at most `seconds`, trying for `wait`; LockTakenError if it is another's."""
    key, owner = f"coinsphere:lock:{name}", secrets.token_hex(8)
    token = _take(key, owner, seconds, wait)
    held = Held(key=key, owner=owner, token=token)
    try:
        yield held
    finally:
        held.drop()


@contextmanager
def kept_lock(name: str, *, seconds: float, wait: float = 0.0) -> Iterator[Held]:
    """Hold a lock for as long as the block runs; it lapses `seconds` after its holder was last alive.

    A holder that slept through that finds `is_lost` set: somebody else may have the lock.
    """
    with lock(name, seconds=seconds, wait=wait) as held:
        leave = threading.Event()
        keeper = threading.Thread(target=_keep, args=(held, seconds, leave), name="lock", daemon=True)
        keeper.start()
        try:
            yield held
        finally:
            leave.set()
            keeper.join(_LEAVE_SECONDS)


def _keep(held: Held, seconds: float, leave: threading.Event) -> None:
    while not leave.wait(seconds / _RENEWALS_PER_LOCK):
        try:
            with health.noted():
                held.is_lost = not held.extend(seconds=seconds)
        except RedisOutage:
            log.warning("A lock could not be renewed; trying again", lock=held.key)
        if held.is_lost:
            return


def _take(key: str, owner: str, seconds: float, wait: float) -> int:
    give_up_at = time.monotonic() + wait
    while True:
        if health.resting():
            raise UnavailableError
        try:
            with health.noted():
                token: Any = redis_client().eval(_TAKE, 2, key, f"{key}:token", owner, _milliseconds(seconds))
        except RedisOutage as problem:
            raise UnavailableError from problem
        if token:
            return int(token)
        if time.monotonic() >= give_up_at:
            raise LockTakenError
        time.sleep(_POLL_SECONDS)


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))


class TokenBucket:
    """At most `rate` tokens a second and `burst` at once, counted for all processes together."""

    def __init__(self, name: str, *, rate: float, burst: float) -> None:
        if rate <= 0 or burst <= 0:
            raise ValueError("A bucket needs a rate and a burst above zero.")
        self.key = f"coinsphere:bucket:{name}"
        self.rate, self.burst = rate, burst

    def take(self, tokens: float = 1.0) -> float:
        """Take tokens and return 0, or take none and return how many seconds to wait."""
        if tokens > self.burst:
            raise ValueError(f"The bucket never holds {tokens} tokens at once.")
        if health.resting():
            return self._take_from_memory(tokens)
        try:
            with health.noted():
                wait: Any = redis_client().eval(_BUCKET, 1, self.key, self.rate, self.burst, tokens)
        except RedisOutage:
            return self._take_from_memory(tokens)
        return float(wait)

    def _take_from_memory(self, tokens: float) -> float:
        present = time.monotonic()
        with _memory_lock:
            if self.key not in _memory and len(_memory) >= MOST_IN_MEMORY:
                _make_room(present)
            held = _memory[self.key].at(present) if self.key in _memory else self.burst
            wait = 0.0 if held >= tokens else (tokens - held) / self.rate
            _memory[self.key] = _Level(held if wait else held - tokens, present, self.rate, self.burst)
        return wait


@dataclass(frozen=True, slots=True)
class _Level:
    """How full a bucket was at a moment of `time.monotonic`, and how it fills."""

    tokens: float
    moment: float
    rate: float
    burst: float

    def at(self, moment: float) -> float:
        return min(self.burst, self.tokens + (moment - self.moment) * self.rate)

    def seconds_to_full(self, moment: float) -> float:
        return (self.burst - self.at(moment)) / self.rate


def _make_room(present: float) -> None:
    """Forget the buckets that are full, or soonest will be: nobody who is being held back is let off before them."""
    waits = sorted((level.seconds_to_full(present), key) for key, level in _memory.items())
    full = sum(wait <= 0 for wait, _key in waits)
    for _wait, key in waits[: max(full, MOST_IN_MEMORY // 10)]:
        del _memory[key]


_memory: dict[str, _Level] = {}
_memory_lock = threading.Lock()
