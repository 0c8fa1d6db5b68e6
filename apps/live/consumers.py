"""The socket's door: who comes in, what they ask, and why they are sent away. Sending is the hub's business.

A browser sees a close code only on a socket that was accepted, so a foreign page (4403) and a bad ticket (4401)
are let as far as that; neither is told anything else.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

import structlog
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from apps.live import actions
from apps.live.channels import CHANNELS, LATER, Channel
from apps.live.domain import protocol
from apps.live.domain.allowance import Allowance
from apps.live.domain.bonds import Bond, Viewer
from apps.live.domain.origins import is_ours
from apps.live.domain.protocol import CloseCode, Refusal, Request
from apps.live.hub import Client, Hub, SocketLine
from apps.live.hub.fanout import NamesPausedError, closes

log = structlog.get_logger(__name__)

MESSAGES_A_SECOND = 20.0
MESSAGES_AT_ONCE = 60.0
_LINGER_SECONDS = 20.0
_CLOSE_SECONDS = 5.0


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels carries no types
    """One socket."""

    channel_layer_alias = ""  # no channel layer: the hub is the only way to a socket

    def __init__(self, *, hub: Hub, origins: frozenset[str]) -> None:
        super().__init__()
        self._hub = hub
        self._origins = origins
        self._client: Client | None = None
        self._closing = False
        self._allowance = Allowance(rate=MESSAGES_A_SECOND, burst=MESSAGES_AT_ONCE)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._let_go()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Hand on a message without Channels' trip to a thread, where it would look after database connections."""
        handler = {
            "websocket.connect": self.websocket_connect,
            "websocket.receive": self.websocket_receive,
            "websocket.disconnect": self.websocket_disconnect,
        }[message["type"]]
        await handler(message)

    async def websocket_disconnect(self, _message: dict[str, Any]) -> None:
        """End; Channels would look after groups and database connections first, and there are none here."""
        raise StopConsumer

    # --- Coming in --------------------------------------------------------------------------------------------------
    async def connect(self) -> None:
        """Let a page of ours or a program in, if its ticket is good."""
        await self.accept()
        if not is_ours(_header(self.scope["headers"], b"origin"), allowed=self._origins):
            await self.shut(CloseCode.NOT_YOURS)
            return
        try:
            admitted = await self._hub.desk.admit(_ticket(self.scope["query_string"]))
        except (actions.LivePausedError, DatabaseError, InterfaceError):
            await self.shut(CloseCode.TRY_LATER)
            return
        if admitted is None:
            await self.shut(CloseCode.NO_TICKET)
            return
        await self._join(*admitted)

    async def _join(self, bond: Bond, viewer: Viewer) -> None:
        if self._closing:
            return
        self._client = self._hub.join(bond=bond, viewer=viewer, line=SocketLine(self._protocol()), hang_up=self.shut)
        if self._client is None:
            await self.shut(CloseCode.TOO_MANY)
            return
        await self._client.answer(protocol.welcome(now=self._hub.now()))

    # --- What a client asks -----------------------------------------------------------------------------------------
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Do what one frame asks, within the limits."""
        if self._closing or self._client is None:
            return
        if not self._allowance.spend(1.0, at=asyncio.get_running_loop().time()):
            await self.shut(CloseCode.TOO_MANY)
        elif text_data is None or bytes_data is not None:
            await self.shut(CloseCode.UNSUPPORTED)
        elif len(text_data.encode()) > protocol.MAX_FRAME_BYTES:
            await self._refuse_size(text_data, self._client)
        else:
            await self._do(protocol.parse(text_data), self._client)

    async def _refuse_size(self, text: str, client: Client) -> None:
        """Close a socket that sends too much at once; a list of far too many keys is only told so."""
        asked = protocol.parse(text)
        if isinstance(asked, Refusal) and asked.code == protocol.TOO_MANY_KEYS:
            await client.answer(protocol.error(asked))
        else:
            await self.shut(CloseCode.TOO_BIG)

    async def _do(self, asked: Request | Refusal, client: Client) -> None:
        if isinstance(asked, Refusal):
            await client.answer(protocol.error(asked))
        elif asked.op == "ping":
            await client.answer(protocol.pong(reference=asked.id, echo=asked.echo))
        elif asked.op == "subscribe":
            await self._subscribe(asked, client)
        elif asked.op == "unsubscribe":
            left = self._hub.unwatch(client, asked.channel, asked.keys)
            await client.answer(protocol.unsubscribed(reference=asked.id, channel=asked.channel, keys=left))
        else:
            await self._resync(asked, client)

    async def _subscribe(self, asked: Request, client: Client) -> None:
        channel = CHANNELS.get(asked.channel)
        if channel is None:
            await client.answer(protocol.error(_no_channel(asked)))
            return
        keys = asked.keys if channel.has_keys else ()
        if _held(client, channel, keys) > protocol.KEYS_PER_SOCKET:
            message = f"A socket holds at most {protocol.KEYS_PER_SOCKET} keys. Unsubscribe from some first."
            await client.answer(protocol.error(Refusal("too_many_keys", message, asked.id, asked.channel)))
            return
        try:
            known = await self._hub.known(channel, keys, viewer=client.viewer)
        except NamesPausedError:  # as at the door: the client comes back by itself
            await self.shut(CloseCode.TRY_LATER)
            return
        for key in asked.keys:
            if key not in known:
                message = f"There is no {key[:40]} in this channel; the rest is subscribed."
                await client.answer(protocol.error(Refusal("unknown_key", message, asked.id, asked.channel)))
        before = client.subscriptions.get(channel.name)
        watched = tuple(dict.fromkeys((*before.keys, *known) if before else known))
        await client.answer(protocol.subscribed(reference=asked.id, channel=channel.name, keys=watched))
        self._hub.watch(client, channel, known)

    async def _resync(self, asked: Request, client: Client) -> None:
        if asked.channel in client.subscriptions:
            client.refresh(asked.channel)
            return
        message = "Subscribe to the channel first."
        await client.answer(protocol.error(Refusal("not_subscribed", message, asked.id, asked.channel)))

    # --- Going out --------------------------------------------------------------------------------------------------
    def _protocol(self) -> WebSocketsSansIOProtocol:
        """Return uvicorn's end of the line; the hub writes to it, so the live process runs with this protocol only."""
        held = getattr(self.base_send, "__self__", None)
        if not isinstance(held, WebSocketsSansIOProtocol):
            raise ImproperlyConfigured("Run the live process under uvicorn with --ws websockets-sansio.")
        return held

    async def shut(self, code: CloseCode) -> None:
        """Close the socket with a code, once; never waits for a reader that has stopped reading."""
        if self._closing:
            return
        self._closing = True
        closes.labels(code=str(int(code))).inc()
        if self._client is not None:
            self._hub.leave(self._client)
        self._release_writes()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.close(int(code))

    def _release_writes(self) -> None:
        """Let the close frame out although the buffer is full, and cut the line if it is never read.

        uvicorn holds back every frame, the closing one too, until a slow reader has caught up: one that
        never reads would keep its socket and its buffer for ever.
        """
        held = self._protocol()
        if not held.writable.is_set():
            held.writable.set()
            asyncio.get_running_loop().call_later(_LINGER_SECONDS, held.transport.abort)

    def _let_go(self) -> None:
        if self._client is not None:
            self._hub.leave(self._client)


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in headers if key == name), None)


def _ticket(query: bytes) -> str:
    """Return the ticket of the address, also where somebody put one to an address that had it already."""
    values = parse_qs(query.decode("latin-1"), max_num_fields=None).get("ticket", [""])
    return values[0].partition("?")[0]


def _no_channel(asked: Request) -> Refusal:
    if asked.channel in LATER:
        message = "This channel is not served by this version yet."
        return Refusal("channel_unavailable", message, asked.id, asked.channel)
    known = ", ".join(sorted(CHANNELS))
    return Refusal("unknown_channel", f"There is no such channel. Served: {known}.", asked.id, asked.channel)


def _held(client: Client, channel: Channel, keys: Iterable[str]) -> int:
    """Return how many keys the socket would hold with these."""
    already = client.subscriptions.get(channel.name)
    new = set(keys) - set(already.keys if already else ())
    return sum(len(subscription.keys) for subscription in client.subscriptions.values()) + len(new)
