"""What every exchange's door has in common; the hub, the fault switches and the counters see an exchange only as this."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

import orjson
from aiohttp import web

from apps.simulator.domain.world import World
from apps.simulator.gateways.sockets import Push, Sockets

Clock = Callable[[], int]


class Refusal(Exception):
    """The exchange says no: a status and a body of its own."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class Venue(ABC):
    """One exchange: routes, the key a request claims, the body of a failure, and what it pushes to its sockets."""

    name: ClassVar[str]

    def __init__(self, *, world: World, clock: Clock) -> None:
        self.world = world
        self.clock = clock  # milliseconds since 1970, of the world
        self.skew_ms = 0  # how far this exchange's own clock is off (the clock_skew fault)
        self.sockets = Sockets()

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of this exchange's paths."""

    @abstractmethod
    def key_of(self, request: web.Request) -> str:
        """Return the API key a request claims, or "" for a public one; costs no signature check."""

    @abstractmethod
    def failure(self, fault: str) -> web.Response:
        """Return this exchange's own answer for one of 429, 418, 5xx, revoke_key."""

    @abstractmethod
    def pushes(self, symbols: Sequence[str]) -> Iterable[Push]:
        """Yield the messages that follow from a move of these symbols, for topics somebody listens to."""

    def push(self, symbols: Sequence[str]) -> None:
        """Tell the sockets that these symbols ("BTC/USDT") have moved; called by the hub at every tick."""
        if self.sockets.listeners:
            self.sockets.broadcast(self.pushes(symbols))

    def now(self) -> int:
        """Return what this exchange believes the time is."""
        return self.clock() + self.skew_ms


def answer(body: object, *, status: int = 200) -> web.Response:
    """Return a body as JSON."""
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")
