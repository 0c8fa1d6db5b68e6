"""Makes sign-ins that a socket can be bound to, and a live process of the test's own."""

import asyncio
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import uvicorn
from allauth.usersessions.models import UserSession
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils.module_loading import import_string

from apps.accounts.models import PersonalToken, RefreshFamily, User
from apps.core import clock
from apps.core.ids import uuid7
from apps.live.actions import issue_ticket
from apps.live.domain.bonds import Bond, SignIn
from apps.live.hub import Hub
from apps.markets.domain.prices import Price

LARGEST_FRAME = 512 * 1024  # as the live process is started

# An app does not know the wiring, so the wiring is asked for by name.
LIVE_APPLICATION = "config.asgi.live_application"


def make_session_bond(user: User) -> Bond:
    """Sign a person in with a browser."""
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.create()
    listed = UserSession.objects.create(user=user, ip="127.0.0.1", session_key=store.session_key, user_agent="test")
    return Bond(user_id=user.pk, sign_in=SignIn.SESSION, reference=str(listed.pk))


def make_family_bond(user: User) -> Bond:
    """Sign a person in with a program."""
    now = clock.now()
    family = RefreshFamily.objects.create(
        user=user,
        live_token=uuid7(),
        created_at=now,
        authenticated_at=now,
        last_used_at=now,
        expires_at=now + timedelta(days=7),
    )
    return Bond(user_id=user.pk, sign_in=SignIn.FAMILY, reference=str(family.pk))


def make_token_bond(user: User, *, scopes: str = "read", expires_in: timedelta = timedelta(days=1)) -> Bond:
    """Give a person a personal access token."""
    now = clock.now()
    token = PersonalToken.objects.create(
        user=user,
        name="socket",
        scopes=scopes,
        lookup=secrets.token_hex(8),
        secret_hash=secrets.token_hex(32),
        created_at=now,
        expires_at=now + expires_in,
    )
    return Bond(user_id=user.pk, sign_in=SignIn.PERSONAL_TOKEN, reference=str(token.pk))


def make_price(
    instrument: str,
    price: str,
    *,
    change_24h: str | None = None,
    volume_24h: str | None = None,
    source: str = "binance",
    age_ms: int = 0,
    ts: int | None = None,
) -> Price:
    """Make a price of now, or of a while ago."""
    at = int(clock.now().timestamp() * 1000) - age_ms if ts is None else ts
    return Price(instrument, price, change_24h, volume_24h, at, source)


class FakeLine:
    """A wire that keeps what is sent, and whose reader can be stopped."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.is_full = False
        self.held = 0

    def waiting(self) -> int:
        return self.held

    def write(self, text: bytes) -> None:
        self.frames.append(orjson.loads(text))
        self.times.append(time.monotonic())


def small_pipe(port: int) -> socket.socket:
    """Return a connection whose receive buffer fills at once."""
    pipe = socket.socket()
    pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    pipe.connect(("127.0.0.1", port))
    return pipe


@dataclass
class LiveProcess:
    """The live process, in a thread of the test."""

    port: int
    hub: Hub
    server: uvicorn.Server
    loop: asyncio.AbstractEventLoop

    def address(self, ticket: str | None = None) -> str:
        """Return where the socket is."""
        query = "" if ticket is None else f"?ticket={ticket}"
        return f"ws://127.0.0.1:{self.port}/ws/live{query}"

    def address_for(self, bond: Bond) -> str:
        """Return where the socket is, with a fresh ticket."""
        return self.address(issue_ticket(bond=bond).secret)

    def run(self, action: Callable[[], None]) -> None:
        """Do something in the live process's own thread, and wait for it."""
        done = threading.Event()

        def _act() -> None:
            action()
            done.set()

        self.loop.call_soon_threadsafe(_act)
        assert done.wait(5)


@contextmanager
def make_live_process(hub: Hub) -> Iterator[LiveProcess]:
    """Run uvicorn with one hub for as long as the block lasts."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        import_string(LIVE_APPLICATION)(hub),
        log_config=None,
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=3,
        lifespan="on",
    )
    server = uvicorn.Server(config)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            thread.join(0.01)
        yield LiveProcess(port=listener.getsockname()[1], hub=hub, server=server, loop=loop)
    finally:
        server.should_exit = True
        thread.join(60)  # after a flood on a busy machine much is still to be let go
        loop.close()
        listener.close()
    assert not thread.is_alive()
