"""The cache and the way to Redis: short timeouts, one pool a process, and memory in its place while Redis is away."""

# ruff: noqa: ANN401 - a cache takes and gives back anything, as Django's does

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
import structlog
from django.conf import settings
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from prometheus_client import Counter
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0
REST_SECONDS = 2.0
_REMEMBERED_WRITES = 10_000
_ABSENT: Any = object()
_GLOB_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "*?[]^\\"})
_T = TypeVar("_T")

_KEYS_PER_SCAN = 500

#: What Redis raises when it is away, loading, read-only, without its primary or out of memory.
RedisOutage = (
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.MasterDownError,
    redis.exceptions.OutOfMemoryError,
)

_outages = Counter("coinsphere_redis_outages_total", "Times this process found Redis away.")


class _Health:
    """What this process knows of Redis: after a failure nobody waits for it again for a short while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rest_until = 0.0
        self._checked_at = 0.0
        self.is_down = False

    def resting(self) -> bool:
        """Tell whether Redis failed so lately that it is not worth asking.

        After the rest one caller is let through to see, the others go on resting: a Redis that hangs must not
        take all threads of a process with it.
        """
        if not self.is_down:
            return False
        with self._lock:
            present = time.monotonic()
            if present < self._rest_until:
                return True
            self._rest_until = present + REST_SECONDS
        return False

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Ask Redis inside: an answer and an outage are noted, the outage goes on to the caller."""
        try:
            yield
        except RedisOutage:
            self.failed()
            raise
        self.answered()

    def failed(self) -> None:
        """Note a failure; said once per outage."""
        with self._lock:
            self._rest_until = time.monotonic() + REST_SECONDS
            first, self.is_down = not self.is_down, True
        if first:
            _outages.inc()
            log.warning("Redis does not answer; memory stands in for the cache")

    def answered(self) -> bool:
        """Note an answer; return True when it ends an outage."""
        with self._lock:
            self._checked_at = time.monotonic()
            ended, self.is_down = self.is_down, False
        if ended:
            log.info("Redis answers again")
        return ended

    def doubt(self) -> None:
        """Ask again before the next message: somebody else's connection to Redis has failed."""
        self._checked_at = 0.0

    def forget(self) -> None:
        """Start anew, as in a new process."""
        with self._lock:
            self._rest_until = self._checked_at = 0.0
            self.is_down = False

    def fresh(self) -> bool:
        """Tell whether Redis answered within the last second."""
        return not self.is_down and time.monotonic() - self._checked_at < 1.0


health = _Health()


@lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        # A connection that broke while nobody looked is opened again; what ran into its time limit may have been
        # done, so it is neither done twice nor waited for twice.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.exceptions.ConnectionError,)),
        health_check_interval=30,
        protocol=2,
    )


def redis_client() -> redis.Redis:
    """Return this process's Redis client; its pool opens new connections after a fork."""
    return _client(settings.REDIS_URL)


_async_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis] = WeakKeyDictionary()


def async_redis_client() -> redis.asyncio.Redis:
    """Return the Redis client of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _async_clients:
        _async_clients[loop] = redis.asyncio.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=30.0,  # longer than any blocking read we ask for
            retry=AsyncRetry(NoBackoff(), 1),
            protocol=2,
        )
    return _async_clients[loop]


def redis_is_up() -> bool:
    """Tell whether Redis answers now; asks at most once a second, and not while it is known to be away."""
    if health.resting():
        return False
    if health.fresh():
        return True
    try:
        with health.noted():
            redis_client().ping()
    except RedisOutage:
        return False
    return True


class _PooledClient(RedisCacheClient):
    """Django's cache client on the pool that the rest of the process uses."""

    def get_client(self, *_args: object, **_options: object) -> redis.Redis:
        return redis_client()


class SteadyCache(RedisCache):
    """Django's Redis cache that goes on in this process's memory while Redis is away.

    What was written meanwhile is dropped from Redis when it is back, so that no older value reappears.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _PooledClient
        self._memory = LocMemCache("coinsphere-steady", {**params, "OPTIONS": {"MAX_ENTRIES": 20_000}})
        self._written_meanwhile: set[tuple[Any, int | None]] = set()

    def _steady(
        self, ask: Callable[[], _T], stand_in: Callable[[], _T], writes: Iterable[Any] = (), version: int | None = None
    ) -> _T:
        if not health.resting():
            with suppress(*RedisOutage), health.noted():
                if health.is_down or self._written_meanwhile:
                    self._come_back()
                return ask()
        if len(self._written_meanwhile) < _REMEMBERED_WRITES:
            self._written_meanwhile.update((key, version) for key in writes)
        return stand_in()

    def _come_back(self) -> None:
        redis_client().ping()
        written, self._written_meanwhile = self._written_meanwhile, set()
        try:
            if len(written) >= _REMEMBERED_WRITES:
                self._clear_shared()
            for key, version in written:
                super().delete(key, version)
        except RedisOutage:
            self._written_meanwhile |= written
            raise
        self._memory.clear()

    def add(self, key: Any, value: Any, timeout: Any = _ABSENT, version: int | None = None) -> bool:
        extra = {} if timeout is _ABSENT else {"timeout": timeout}
        return self._steady(
            lambda: super(SteadyCache, self).add(key, value, version=version, **extra),
            lambda: self._memory.add(key, value, version=version, **extra),
            [key],
            version,
        )

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._steady(
            lambda: super(SteadyCache, self).get(key, default, version),
            lambda: self._memory.get(key, default, version),
        )

    def set(self, key: Any, value: Any, timeout: Any = _ABSENT, version: int | None = None) -> None:
        extra = {} if timeout is _ABSENT else {"timeout": timeout}
        self._steady(
            lambda: super(SteadyCache, self).set(key, value, version=version, **extra),
            lambda: self._memory.set(key, value, version=version, **extra),
            [key],
            version,
        )

    def touch(self, key: Any, timeout: Any = _ABSENT, version: int | None = None) -> bool:
        extra = {} if timeout is _ABSENT else {"timeout": timeout}
        return self._steady(
            lambda: super(SteadyCache, self).touch(key, version=version, **extra),
            lambda: self._memory.touch(key, version=version, **extra),
        )

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._steady(
            lambda: super(SteadyCache, self).delete(key, version),
            lambda: self._memory.delete(key, version),
            [key],
            version,
        )

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        wanted = list(keys)
        return self._steady(
            lambda: super(SteadyCache, self).get_many(wanted, version),
            lambda: self._memory.get_many(wanted, version),
        )

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return self._steady(
            lambda: super(SteadyCache, self).has_key(key, version),
            lambda: self._memory.has_key(key, version),
        )

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return self._steady(
            lambda: super(SteadyCache, self).incr(key, delta, version),
            lambda: self._memory.incr(key, delta, version),
            [key],
            version,
        )

    def set_many(self, data: Mapping[Any, Any], timeout: Any = _ABSENT, version: int | None = None) -> list[Any]:
        extra = {} if timeout is _ABSENT else {"timeout": timeout}
        values = dict(data)
        return self._steady(
            lambda: super(SteadyCache, self).set_many(values, version=version, **extra),
            lambda: self._memory.set_many(values, version=version, **extra),
            values,
            version,
        )

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        gone = list(keys)
        self._steady(
            lambda: super(SteadyCache, self).delete_many(gone, version),
            lambda: self._memory.delete_many(gone, version),
            gone,
            version,
        )

    def clear(self) -> None:
        """Forget all cached values, and nothing else: the same Redis holds queues, locks and the event stream."""
        self._memory.clear()
        self._steady(self._clear_shared, lambda: None)

    def _clear_shared(self) -> None:
        client = redis_client()
        prefix = self.key_prefix.translate(_GLOB_SIGNS)
        keys: list[bytes] = []
        for key in client.scan_iter(match=f"{prefix}:[0-9]*:*", count=_KEYS_PER_SCAN):
            keys.append(key)
            if len(keys) == _KEYS_PER_SCAN:
                client.unlink(*keys)
                keys.clear()
        if keys:
            client.unlink(*keys)
