"""Locks and buckets: one holder, tokens that only grow, one count for all processes."""

import subprocess
import sys
import time

import pytest
from django.conf import settings
from pytest_django import Settings

from apps.core import cache, locks
from apps.core.errors import UnavailableError
from apps.core.locks import LockTakenError, TokenBucket, lock


def test_one_holder_at_a_time() -> None:
    with lock("sync", seconds=5) as held:
        assert held.extend(seconds=5)
        with pytest.raises(LockTakenError), lock("sync", seconds=5):
            pytest.fail("two holders")
        with lock("other", seconds=5):
            pass
    with lock("sync", seconds=5):
        pass


def test_a_lock_is_dropped_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), lock("sync", seconds=5):
        raise ZeroDivisionError
    with lock("sync", seconds=5):
        pass


def test_tokens_grow_even_past_an_emptied_redis() -> None:
    tokens = []
    for _time in range(3):
        with lock("sync", seconds=5) as held:
            tokens.append(held.token)
        cache.redis_client().flushdb()
    assert tokens == sorted(set(tokens))


def test_an_expired_lock_is_not_dropped_by_its_late_holder() -> None:
    with lock("sync", seconds=0.05) as late:
        time.sleep(0.1)
        with lock("sync", seconds=5) as held:
            assert held.token > late.token
            late.drop()
            assert not late.extend(seconds=5)
            with pytest.raises(LockTakenError), lock("sync", seconds=5):
                pytest.fail("two holders")


def test_waiting_for_a_lock() -> None:
    with lock("sync", seconds=0.2), lock("sync", seconds=5, wait=3) as held:
        assert held.token


def test_no_lock_without_redis(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(UnavailableError), lock("sync", seconds=1):
        pytest.fail("held without Redis")


def test_a_bucket_gives_its_burst_then_asks_to_wait() -> None:
    bucket = TokenBucket("venue", rate=1, burst=3)
    assert [bucket.take() for _call in range(3)] == [0, 0, 0]
    wait = bucket.take()
    assert 0 < wait <= 1
    time.sleep(wait + 0.02)
    assert bucket.take() == 0
    assert TokenBucket("another", rate=1, burst=3).take() == 0


def test_a_bucket_refuses_what_it_can_never_give() -> None:
    with pytest.raises(ValueError, match="never holds"):
        TokenBucket("venue", rate=1, burst=2).take(3)
    with pytest.raises(ValueError, match="above zero"):
        TokenBucket("venue", rate=0, burst=2)


def test_a_bucket_goes_on_in_memory(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_memory", {})
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    bucket = TokenBucket("venue", rate=0.01, burst=2)
    assert [bucket.take(), bucket.take()] == [0, 0]
    assert 90 < bucket.take() <= 100


_TAKE_TEN = """
import sys
from django.conf import settings
settings.configure(REDIS_URL=sys.argv[1])
from apps.core.locks import TokenBucket
bucket = TokenBucket("shared", rate=0.001, burst=10)
print(sum(bucket.take() == 0 for _call in range(10)))
"""


def test_two_processes_share_a_bucket() -> None:
    command = [sys.executable, "-c", _TAKE_TEN, settings.REDIS_URL]
    both = [
        subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True) for _process in range(2)
    ]
    assert sum(int(process.communicate(timeout=60)[0]) for process in both) == 10


def test_buckets_in_memory_are_bounded_and_keep_whom_they_hold_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_memory", {})
    monkeypatch.setattr(locks, "MOST_IN_MEMORY", 50)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    held_back = TokenBucket("held back", rate=0.001, burst=2)
    assert [held_back.take(), held_back.take()] == [0, 0]
    for number in range(500):
        TokenBucket(f"stranger {number}", rate=0.01, burst=2).take()
    assert len(locks._memory) <= 50
    assert held_back.take() > 0


def test_a_lock_does_not_wait_for_a_redis_that_is_known_to_be_away(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.health.failed()
    monkeypatch.setattr(locks, "redis_client", lambda: pytest.fail("asked Redis"))
    with pytest.raises(UnavailableError), lock("sync", seconds=1):
        pytest.fail("held without Redis")
