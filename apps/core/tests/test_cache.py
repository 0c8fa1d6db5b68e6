"""The cache: Redis when it is there, memory when it is not, and no older value afterwards."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise

import pytest
from django.core.cache import cache as django_cache
from pytest_django import Settings
from redis.connection import Connection
from redis.exceptions import OutOfMemoryError

from apps.core import cache
from apps.core.cache import SteadyCache
from apps.core.testing import cut_redis

CLOSED_PORT = 1


@pytest.fixture
def steady() -> SteadyCache:
    return SteadyCache("ignored", {"KEY_PREFIX": "test"})


@pytest.fixture
def redis_away(settings: Settings) -> Callable[[], None]:
    """Take Redis away; call the result to bring it back."""
    address = settings.REDIS_URL
    settings.REDIS_URL = f"redis://127.0.0.1:{CLOSED_PORT}/0"
    cache.health.forget()

    def _back() -> None:
        settings.REDIS_URL = address
        cache.health._rest_until = 0.0

    return _back


def test_values_stand_in_redis(steady: SteadyCache) -> None:
    steady.set("color", "blue")
    assert SteadyCache("ignored", {"KEY_PREFIX": "test"}).get("color") == "blue"
    assert steady.add("color", "red") is False
    steady.set_many({"a": 1, "b": 2}, timeout=30)
    assert steady.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    assert steady.incr("a") == 2
    assert steady.has_key("a")
    assert steady.touch("a", 5)
    assert steady.delete("a")
    steady.delete_many(["b"])
    assert steady.get("b", "gone") == "gone"
    steady.clear()
    assert steady.get("color") is None


def test_the_settings_use_it() -> None:
    assert type(django_cache._connections[django_cache._alias]) is SteadyCache  # type: ignore[attr-defined]


def test_memory_stands_in_and_nobody_tries_in_vain(
    steady: SteadyCache, redis_away: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []
    connect = Connection.connect

    def counted(connection: Connection) -> None:
        tried.append(time.monotonic())
        connect(connection)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(Connection, "connect", counted)
    steady.set("color", "blue", 60)
    for _request in range(200):
        assert steady.get("color") == "blue"
    assert steady.add("other", 1)
    assert steady.incr("other") == 2
    steady.set_many({"x": 1})
    assert steady.get_many(["x"]) == {"x": 1}
    assert steady.has_key("x")
    assert steady.touch("x", 9)
    steady.delete_many(["x"])
    assert steady.delete("other")
    steady.clear()
    assert tried
    assert all(later - earlier >= cache.REST_SECONDS for earlier, later in pairwise(tried))
    assert not cache.redis_is_up()


def test_what_was_written_meanwhile_does_not_leave_an_older_value(
    steady: SteadyCache, settings: Settings, redis_away: Callable[[], None]
) -> None:
    redis_away()
    steady.set("color", "old")
    steady.set("kept", "kept")
    address, settings.REDIS_URL = settings.REDIS_URL, f"redis://127.0.0.1:{CLOSED_PORT}/0"
    steady.set("color", "new")
    assert steady.get("color") == "new"
    settings.REDIS_URL = address
    assert steady.get("color") == "new", "resting: Redis is not asked yet"
    cache.health._rest_until = 0.0
    assert steady.get("color") is None
    assert steady.get("kept") == "kept"
    assert cache.redis_is_up()


def test_an_outage_is_said_once(
    steady: SteadyCache, redis_away: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    for _request in range(3):
        cache.health._rest_until = 0.0
        steady.get("color")
    redis_away()
    steady.get("color")
    assert [message.count("does not answer") for message in caplog.messages].count(1) == 1
    assert sum("answers again" in message for message in caplog.messages) == 1


def test_broken_connections_do_not_show(steady: SteadyCache) -> None:
    steady.set("color", "blue")
    cut_redis()
    client = cache.redis_client()
    client.connection_pool.disconnect()
    assert steady.get("color") == "blue"


def test_a_child_process_opens_its_own_connections() -> None:
    cache.redis_client().set("who", "parent")
    child = os.fork()
    if child == 0:
        fine = cache.redis_client().get("who") == b"parent"
        os._exit(0 if fine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert cache.redis_client().get("who") == b"parent"


async def test_the_async_client_belongs_to_its_loop() -> None:
    client = cache.async_redis_client()
    assert cache.async_redis_client() is client
    await client.set("color", "blue")
    assert await client.get("color") == b"blue"
    await client.aclose()
    other = await asyncio.to_thread(lambda: asyncio.run(_other_client()))
    assert other is not client


async def _other_client() -> object:
    return cache.async_redis_client()


def test_clearing_the_cache_leaves_everything_else_in_redis(steady: SteadyCache) -> None:
    cache.redis_client().rpush("default", "a message of the broker")
    cache.redis_client().set("test:lock:sync", "held")
    another = SteadyCache("ignored", {"KEY_PREFIX": "test2"})
    another.set("color", "red")
    steady.set_many({str(number): number for number in range(1_200)})
    steady.clear()
    assert steady.get_many(["0", "700", "1199"]) == {}
    assert cache.redis_client().llen("default") == 1
    assert cache.redis_client().get("test:lock:sync") == b"held"
    assert another.get("color") == "red"


def test_a_full_redis_is_an_outage(steady: SteadyCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def _full(*_args: object, **_options: object) -> None:
        raise OutOfMemoryError("command not allowed when used memory > 'maxmemory'")

    monkeypatch.setattr("redis.Redis.execute_command", _full)
    steady.set("color", "blue")
    assert steady.get("color") == "blue"


@pytest.fixture
def hanging_redis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Put a server in the place of Redis that takes every connection and never answers; the result counts them."""
    monkeypatch.setattr(cache, "ANSWER_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        server.setblocking(False)
        cache.health.forget()
        yield lambda: _accepted(server)
    cache._client.cache_clear()


def _accepted(server: socket.socket) -> int:
    """Take whoever has come by now, and hang up."""
    count = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def test_a_hanging_redis_is_waited_for_once(hanging_redis: Callable[[], int]) -> None:
    assert not cache.redis_is_up()
    assert not cache.redis_is_up()
    assert hanging_redis() == 1


def test_a_hanging_redis_holds_one_thread_at_a_time(steady: SteadyCache, hanging_redis: Callable[[], int]) -> None:
    steady.get("color")
    cache.health._rest_until = 0.0
    hanging_redis()

    def _seconds(_number: int) -> float:
        began = time.monotonic()
        steady.get("color")
        return time.monotonic() - began

    with ThreadPoolExecutor(8) as pool:
        waits = sorted(pool.map(_seconds, range(8)))
    assert hanging_redis() == 1
    assert waits[7] >= cache.ANSWER_SECONDS > waits[0]
