"""The wire of one socket: frames go straight into the transport, for as long as the reader keeps up.

uvicorn's own `send` awaits, makes a frame object and asks its protocol for the bytes: three times the price
of the frame itself. A frame of a server is two to ten bytes of head and the text, so it is written here.
"""

import socket
from typing import Final, Protocol

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from apps.live.domain.protocol import text_frame

#: What may wait in this process for one reader, and what the kernel may hold for it (it doubles the number).
#: Little on purpose: whoever stops reading is noticed soon, and is not fed old prices when it reads again.
HELD_BYTES: Final = 16 * 1024
KERNEL_BYTES: Final = 32 * 1024


class Line(Protocol):
    """What the hub needs of a socket."""

    @property
    def is_full(self) -> bool:
        """Tell whether as much waits for the reader as may wait."""

    def waiting(self) -> int:
        """Return how many bytes the kernel has not taken yet."""

    def write(self, text: bytes) -> None:
        """Send one text frame; nothing happens when the other side is gone."""


class SocketLine:
    """A socket as uvicorn holds it."""

    __slots__ = ("_socket", "_transport", "waiting")

    def __init__(self, held: WebSocketsSansIOProtocol) -> None:
        self._socket, self._transport = held, held.transport
        self.waiting = self._transport.get_write_buffer_size
        self._transport.set_write_buffer_limits(high=HELD_BYTES)
        wire = self._transport.get_extra_info("socket")
        if wire is not None:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)

    @property
    def is_full(self) -> bool:
        """Tell whether as much waits for the reader as may wait."""
        return not self._socket.writable.is_set()

    def write(self, text: bytes) -> None:
        """Send one text frame; nothing happens when the other side is gone: the disconnect message follows."""
        if not (self._socket.close_sent or self._transport.is_closing()):
            self._transport.write(text_frame(text))
