"""The WebSocket side of an exchange: who listens to what, and frames that are encoded once for all of them."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from aiohttp import WSMsgType, web

EVERYTHING = "*"
_TEXT = 0x81
_SLOW = 8 * 1024 * 1024
_LARGEST_MESSAGE = 1024 * 1024


class Topic(NamedTuple):
    """What one can listen to: a symbol (BTC/USDT, or * for all of them) and a kind of message about it."""

    symbol: str
    kind: str


class Push(NamedTuple):
    """One message for everybody who listens to a topic.

    An exchange that numbers the messages of each connection gives it in two parts, before and after the number.
    """

    topic: Topic
    payload: bytes
    tail: bytes = b""


def text_frame(payload: bytes) -> bytes:
    """Return the payload as one finished text frame; a server's frames are unmasked, so all clients get the same."""
    size = len(payload)
    if size < 126:
        return bytes((_TEXT, size)) + payload
    if size < 65536:
        return bytes((_TEXT, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big") + payload


class Socket:
    """One open connection, what it listens to, and the frames it has not been given yet."""

    def __init__(self, *, request: web.Request, response: web.WebSocketResponse, book: "Sockets") -> None:
        self.request = request
        self.response = response
        self.topics: dict[Topic, str] = {}
        self.waiting: list[bytes] = []
        self.numbered = 0
        self._book = book

    def send(self, payload: bytes, tail: bytes = b"") -> None:
        """Send one text message now, after whatever waits already."""
        self.waiting.append(self.number(payload, tail) if tail else text_frame(payload))
        self.flush()

    def number(self, head: bytes, tail: bytes) -> bytes:
        """Return the frame of a message with its number within this connection between its two parts."""
        frame = text_frame(b"%b%d%b" % (head, self.numbered, tail))
        self.numbered += 1
        return frame

    def flush(self) -> None:
        """Hand the waiting frames to the network; a peer that does not read is cut off, as the exchanges do."""
        frames, self.waiting = self.waiting, []
        transport = self.request.transport
        if not frames or self._book.silent or transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > _SLOW:
            transport.abort()
            return
        transport.write(b"".join(frames))

    def listen(self, topic: Topic, *, name: str = "") -> None:
        """Listen to a topic; the name is what the client called it."""
        self.topics[topic] = name
        self._book.listeners.setdefault(topic.symbol, {}).setdefault(topic.kind, set()).add(self)

    def forget(self, topic: Topic) -> None:
        """Listen to a topic no longer."""
        self.topics.pop(topic, None)
        kinds = self._book.listeners.get(topic.symbol, {})
        kinds.get(topic.kind, set()).discard(self)
        if not kinds.get(topic.kind):
            kinds.pop(topic.kind, None)
        if not kinds:
            self._book.listeners.pop(topic.symbol, None)


OnOpen = Callable[[Socket], None]
OnText = Callable[[Socket, str], None]


class Sockets:
    """All open connections of one exchange: per symbol and kind of message, who listens."""

    def __init__(self) -> None:
        self.listeners: dict[str, dict[str, set[Socket]]] = {}
        self.open: set[Socket] = set()
        self.silent = False

    async def serve(self, request: web.Request, *, on_open: OnOpen, on_text: OnText) -> web.WebSocketResponse:
        """Serve one connection until it ends; pings are answered here, so that a silent exchange can ignore them."""
        response = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=_LARGEST_MESSAGE)
        await response.prepare(request)
        socket = Socket(request=request, response=response, book=self)
        self.open.add(socket)
        try:
            on_open(socket)
            async for message in response:
                if message.type is WSMsgType.TEXT:
                    on_text(socket, message.data)
                elif message.type is WSMsgType.PING and not self.silent:
                    await response.pong(message.data)
        finally:
            for topic in list(socket.topics):
                socket.forget(topic)
            self.open.discard(socket)
        return response

    def kinds(self, symbol: str) -> list[str]:
        """Return the kinds of message about a symbol that somebody listens to."""
        return list(self.listeners.get(symbol, ()))

    def broadcast(self, pushes: Iterable[Push]) -> None:
        """Give each message to the listeners of its topic: one encoding per message, one write per listener."""
        touched: set[Socket] = set()
        for topic, payload, tail in pushes:
            listeners = self.listeners.get(topic.symbol, {}).get(topic.kind)
            if not listeners:
                continue
            frame = b"" if tail else text_frame(payload)
            for socket in listeners:
                socket.waiting.append(frame or socket.number(payload, tail))
            touched |= listeners
        for socket in touched:
            socket.flush()

    async def close_all(self, *, code: int = 1012) -> None:
        """Close every connection, as an exchange does when it restarts."""
        for socket in list(self.open):
            await socket.response.close(code=code)
