"""Shared by the tests of the socket: a live process, and a way to talk to it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import orjson
import pytest
from websockets.sync.client import ClientConnection, connect

from apps.core import clock
from apps.live.domain.bonds import Bond
from apps.live.hub import Hub, Limits
from apps.live.tests.factories import LiveProcess, make_live_process

PATIENCE = 30.0  # what is due at once may take seconds on a machine that others use as well


class Talk:
    """A client's end of a socket, in JSON."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **frame: Any) -> None:
        self.connection.send(orjson.dumps(frame).decode())

    def hear(self, *, timeout: float = PATIENCE) -> dict[str, Any]:
        heard: dict[str, Any] = orjson.loads(self.connection.recv(timeout=timeout))
        return heard

    def hear_op(self, op: str, *, timeout: float = PATIENCE) -> dict[str, Any]:
        """Return the next frame of this kind, past all others."""
        while True:
            frame = self.hear(timeout=timeout)
            if frame["op"] == op:
                return frame

    def subscribe(self, channel: str) -> dict[str, Any]:
        """Subscribe and return the snapshot."""
        self.say(op="subscribe", id=1, channel=channel)
        return self.hear_op("snapshot")


@pytest.fixture
def hub() -> Hub:
    limits = Limits(pending=20, slow_after=0.3, hopeless_after=2.0, retry_after=0.3)
    return Hub(now=clock.now, limits=limits, sockets_per_user=3, bond_check_seconds=0.3)


@pytest.fixture
def live(transactional_db: None, hub: Hub) -> Iterator[LiveProcess]:
    with make_live_process(hub) as process:
        yield process


@pytest.fixture
def talk(live: LiveProcess) -> Iterator[Callable[..., Talk]]:
    """Open sockets that are closed at the end of the test."""
    with ExitStack() as open_ones:

        def _open(bond: Bond, **options: Any) -> Talk:
            connection = open_ones.enter_context(connect(live.address_for(bond), proxy=None, **options))
            conversation = Talk(connection)
            assert conversation.hear()["op"] == "welcome"
            return conversation

        yield _open
