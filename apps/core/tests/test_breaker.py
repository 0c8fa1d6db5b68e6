"""A breaker opens after five failures, lets one call through after a minute, and all processes share it."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings as django_settings
from prometheus_client import REGISTRY
from pytest_django import Settings

from apps.core import breaker, cache
from apps.core.breaker import Breaker, BreakerOpenError, State

START = 1_800_000_000.0


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    breaker._memory.clear()
    yield
    breaker._memory.clear()


@pytest.fixture(params=["redis", "memory"])
def store(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Run a test with Redis and again with Redis away: the rules are the same."""
    if request.param == "memory":
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
    return str(request.param)


def fail(name: str = "venue", *, times: int, now: float = START) -> None:
    for _ in range(times):
        Breaker(name).enter(now=now).failed(now=now)


def state(name: str = "venue", *, now: float = START) -> State:
    return {found.name: found.state for found in breaker.states(now=now)}.get(name, State.CLOSED)


def gauge(name: str = "venue") -> float | None:
    return REGISTRY.get_sample_value("coinsphere_breaker_state", {"name": name})


@pytest.mark.usefixtures("store")
class TestRules:
    def test_stays_closed_below_five_failures_in_a_row(self) -> None:
        for _ in range(3):
            fail(times=4)
            Breaker("venue").enter(now=START).succeeded(now=START)
        assert state() is State.CLOSED
        assert gauge() == 0

    def test_opens_at_the_fifth_and_says_when_to_come_back(self) -> None:
        fail(times=5)
        assert state() is State.OPEN
        assert gauge() == 2
        with pytest.raises(BreakerOpenError) as caught:
            Breaker("venue").enter(now=START + 17.5)
        assert caught.value.retry_after == 43
        assert caught.value.status == 503

    def test_one_probe_after_a_minute_and_no_second_beside_it(self) -> None:
        fail(times=5)
        with pytest.raises(BreakerOpenError):
            Breaker("venue").enter(now=START + 59.9)
        assert state(now=START + 60) is State.HALF_OPEN
        assert Breaker("venue").enter(now=START + 60).probe
        with pytest.raises(BreakerOpenError):
            Breaker("venue").enter(now=START + 61)
        assert state(now=START + 61) is State.HALF_OPEN
        assert gauge() == 1

    def test_a_good_probe_closes(self) -> None:
        fail(times=5)
        Breaker("venue").enter(now=START + 60).succeeded(now=START + 61)
        assert state(now=START + 61) is State.CLOSED
        fail(times=4, now=START + 62)
        assert state(now=START + 62) is State.CLOSED

    def test_a_bad_probe_opens_for_another_minute(self) -> None:
        fail(times=5)
        Breaker("venue").enter(now=START + 60).failed(now=START + 65)
        with pytest.raises(BreakerOpenError):
            Breaker("venue").enter(now=START + 124)
        assert Breaker("venue").enter(now=START + 125).probe

    def test_a_probe_that_never_tells_is_replaced(self) -> None:
        fail(times=5)
        Breaker("venue").enter(now=START + 60)
        with pytest.raises(BreakerOpenError):
            Breaker("venue").enter(now=START + 119)
        assert Breaker("venue").enter(now=START + 120).probe

    def test_a_probe_that_says_nothing_makes_room(self) -> None:
        fail(times=5)
        Breaker("venue").enter(now=START + 60).release(now=START + 61)
        assert Breaker("venue").enter(now=START + 61).probe

    def test_late_answers_of_earlier_calls_change_nothing(self) -> None:
        early = [Breaker("venue").enter(now=START) for _ in range(3)]
        fail(times=5)
        early[0].succeeded(now=START + 5)
        early[1].failed(now=START + 50)
        early[2].release(now=START + 50)
        assert state(now=START + 50) is State.OPEN
        assert state(now=START + 60) is State.HALF_OPEN

    def test_names_are_apart(self) -> None:
        fail("one", times=5)
        assert not Breaker("two").enter(now=START).probe

    def test_a_clock_that_jumps_back_keeps_it_open_for_a_minute_at_most(self) -> None:
        fail(times=5)
        with pytest.raises(BreakerOpenError) as caught:
            Breaker("venue").enter(now=START - 86_400)
        assert caught.value.retry_after == 60

    def test_guards_a_call(self) -> None:
        for _ in range(5):
            with pytest.raises(TimeoutError), Breaker("venue").guarding(now=START, failures=(TimeoutError,)):
                raise TimeoutError
        with pytest.raises(BreakerOpenError), Breaker("venue").guarding(now=START, failures=()):
            pytest.fail("called through an open breaker")
        with Breaker("venue").guarding(now=START + 120, failures=(TimeoutError,)):
            pass
        assert state(now=START + 120) is State.CLOSED

    def test_other_errors_say_nothing(self) -> None:
        for _ in range(6):
            with pytest.raises(KeyError), Breaker("venue").guarding(now=START, failures=(TimeoutError,)):
                raise KeyError
        assert state() is State.CLOSED

    def test_takes_moments_with_a_zone(self) -> None:
        fail(times=5)
        with pytest.raises(BreakerOpenError):
            Breaker("venue").enter(now=datetime.fromtimestamp(START + 30, UTC))

    def test_exactly_one_of_many_at_once_gets_the_probe(self) -> None:
        fail(times=5)
        outcomes: list[bool] = []

        def try_it() -> None:
            try:
                outcomes.append(Breaker("venue").enter(now=START + 60).probe)
            except BreakerOpenError:
                outcomes.append(False)

        threads = [threading.Thread(target=try_it) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == [False] * 7 + [True]


def test_shows_what_operations_asks(store: str) -> None:
    fail("b", times=2)
    fail("a", times=5)
    first, second = breaker.states(now=START + 10)
    assert (first.name, first.state, first.failures, first.retry_in) == ("a", State.OPEN, 5, 50)
    assert first.opened_at == datetime.fromtimestamp(START, UTC)
    assert (second.name, second.state, second.failures, second.opened_at) == ("b", State.CLOSED, 2, None)
    assert first.shared is (store == "redis")


def test_another_process_sees_it() -> None:
    code = (
        "import django; django.setup()\n"
        "from apps.core.breaker import Breaker\n"
        f"for _ in range(5): Breaker('venue').enter(now={START}).failed(now={START})\n"
    )
    environment = {"REDIS_URL": django_settings.REDIS_URL, "DJANGO_SETTINGS_MODULE": "config.settings"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment | {"DEBUG": "1"}, timeout=60)
    assert state() is State.OPEN


def test_redis_going_away_in_between_does_no_harm(settings: Settings) -> None:
    fail(times=5)
    there = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    permit = Breaker("venue").enter(now=START)
    permit.failed(now=START)
    cache.health.forget()
    assert breaker.states(now=START)[0].failures == 1
    settings.REDIS_URL = there
    cache.health.forget()
    assert state() is State.OPEN
