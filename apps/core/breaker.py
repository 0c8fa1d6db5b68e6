"""Circuit breakers that all processes share through Redis: after five failures nobody asks for a minute, then one."""

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import redis
from prometheus_client import Gauge

from apps.core.cache import RedisOutage, health, redis_client
from apps.core.errors import UnavailableError

FAILURES: Final = 5
REST_SECONDS: Final = 60.0

_KEY: Final = "coinsphere:breaker:"
_NAMES: Final = "coinsphere:breakers"
_KEPT_SECONDS: Final = 7 * 24 * 3600

Moment = float | datetime


class State(StrEnum):
    """What a breaker does with a call: lets it through, lets one through to see, or refuses it."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


_gauge = Gauge(
    "coinsphere_breaker_state",
    "State of a breaker: 0 closed, 1 half-open, 2 open.",
    ["name"],
    multiprocess_mode="mostrecent",
)
_LEVELS: Final = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


class BreakerOpenError(UnavailableError):
    """The other side failed several times in a row and is left alone for a while."""

    code = "breaker_open"
    title = "The other side does not answer"
    default_detail = "It failed several times in a row and is left alone for up to a minute. Nothing was lost."


@dataclass(frozen=True, slots=True)
class BreakerState:
    """One breaker as the operations page shows it; `shared` is false while only this process knows."""

    name: str
    state: State
    failures: int
    opened_at: datetime | None
    retry_in: float
    shared: bool


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is remembered of one name; a clock that jumps back must not keep it open for longer than its rest."""

    failures: int = 0
    opened_at: float | None = None
    probe_until: float = 0.0

    def state(self, now: float) -> State:
        if self.opened_at is None:
            return State.CLOSED
        return State.OPEN if now < self.opened_at + REST_SECONDS else State.HALF_OPEN

    def wait(self, now: float) -> float:
        if self.opened_at is None:
            return 0.0
        ends = (self.opened_at + REST_SECONDS, self.probe_until)
        return max(0.0, *(min(end - now, REST_SECONDS) for end in ends))

    def entered(self, now: float) -> "_Facts":
        return self if self.opened_at is None else replace(self, probe_until=now + REST_SECONDS)

    def reported(self, *, well: bool, probe: bool, now: float) -> "_Facts":
        if self.opened_at is not None and not probe:
            return self  # the late answer of a call from before; only the probe decides
        if well:
            return _Facts()
        failures = self.failures + 1
        return _Facts(failures, now if failures >= FAILURES else None)

    def released(self, *, probe: bool) -> "_Facts":
        return replace(self, probe_until=0.0) if probe else self


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one call; its outcome must be told, or after a minute somebody else may try."""

    breaker: "Breaker"
    probe: bool

    def succeeded(self, *, now: Moment) -> None:
        """Tell that the other side answered."""
        self._report(well=True, now=now)

    def failed(self, *, now: Moment) -> None:
        """Tell that the other side did not answer, or with nonsense."""
        self._report(well=False, now=now)

    def release(self, *, now: Moment) -> None:
        """Tell that the call says nothing about the other side."""
        self.breaker.change(lambda facts: facts.released(probe=self.probe), now=_seconds(now))

    def _report(self, *, well: bool, now: Moment) -> None:
        moment = _seconds(now)
        self.breaker.change(lambda facts: facts.reported(well=well, probe=self.probe, now=moment), now=moment)


class Breaker:
    """The breaker of one name, for example of one exchange."""

    def __init__(self, name: str) -> None:
        self.name = name

    def enter(self, *, now: Moment) -> Permit:
        """Return leave for one call, or raise `BreakerOpenError` that says when to ask again."""
        moment = _seconds(now)
        before = self.change(lambda facts: facts if facts.wait(moment) else facts.entered(moment), now=moment)
        wait = before.wait(moment)
        if wait:
            raise BreakerOpenError(retry_after=math.ceil(wait))
        return Permit(self, probe=before.opened_at is not None)

    @contextmanager
    def guarding(self, *, now: Moment, failures: tuple[type[Exception], ...]) -> Iterator[None]:
        """Make one call inside: these errors count as failures, other errors say nothing, the end is a success."""
        started, moment = time.monotonic(), _seconds(now)
        permit = self.enter(now=moment)
        try:
            yield
        except failures:
            permit.failed(now=moment + time.monotonic() - started)
            raise
        except BaseException:
            permit.release(now=moment + time.monotonic() - started)
            raise
        permit.succeeded(now=moment + time.monotonic() - started)

    def change(self, step: Callable[[_Facts], _Facts], *, now: float) -> _Facts:
        """Apply a step to what is remembered, in Redis or else in memory, and return what was there before."""
        before = self._in_redis(step)
        if before is None:
            with _memory_lock:
                before = _memory.get(self.name, _Facts())
                _memory[self.name] = step(before)
        _gauge.labels(self.name).set(_LEVELS[step(before).state(now)])
        return before

    def _in_redis(self, step: Callable[[_Facts], _Facts]) -> _Facts | None:
        if health.resting():
            return None
        found: list[_Facts] = []
        try:
            # Reads, decides, writes only what changed, and begins again if another process was faster.
            with health.noted():
                redis_client().transaction(lambda pipe: self._stepped(pipe, step, found), _KEY + self.name)
        except RedisOutage:
            return None
        return found[-1]

    def _stepped(self, pipe: redis.client.Pipeline, step: Callable[[_Facts], _Facts], found: list[_Facts]) -> None:
        facts = _decoded(pipe.get(_KEY + self.name))
        found.append(facts)
        after = step(facts)
        pipe.multi()
        if after != facts:
            pipe.set(_KEY + self.name, json.dumps(asdict(after)), ex=_KEPT_SECONDS)
            pipe.sadd(_NAMES, self.name)


def states(*, now: Moment) -> tuple[BreakerState, ...]:
    """Return every breaker that has had something to remember, by name."""
    moment = _seconds(now)
    remembered = _all_in_redis()
    shared = remembered is not None
    if remembered is None:
        with _memory_lock:
            remembered = dict(_memory)
    return tuple(_shown(name, facts, moment, shared=shared) for name, facts in sorted(remembered.items()))


def _all_in_redis() -> dict[str, _Facts] | None:
    if health.resting():
        return None
    try:
        with health.noted():
            client = redis_client()
            names = sorted(name.decode() for name in client.smembers(_NAMES) if isinstance(name, bytes))
            values = client.mget([_KEY + name for name in names]) if names else []
    except RedisOutage:
        return None
    return {name: _decoded(value) for name, value in zip(names, values, strict=True)}


def _shown(name: str, facts: _Facts, now: float, *, shared: bool) -> BreakerState:
    opened_at = None if facts.opened_at is None else datetime.fromtimestamp(facts.opened_at, UTC)
    return BreakerState(name, facts.state(now), facts.failures, opened_at, facts.wait(now), shared)


def _decoded(value: object) -> _Facts:
    return _Facts(**json.loads(value)) if isinstance(value, bytes) else _Facts()


def _seconds(now: Moment) -> float:
    return now.timestamp() if isinstance(now, datetime) else now


_memory: dict[str, _Facts] = {}
_memory_lock = threading.Lock()
