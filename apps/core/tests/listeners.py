"""Real servers on loopback that count who connects and answer from a script."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[["Listener", str], Sequence[bytes]]


def reply(body: bytes = b"ok", *, status: str = "200 OK", headers: Sequence[str] = ()) -> list[bytes]:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return ["\r\n".join(head).encode() + body]


@dataclass
class Listener:
    """One listening socket, the connections it saw and the heads of the requests that came."""

    script: Script
    pause: float = 0.0
    connections: int = 0
    requests: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    port: int = 0
    context: ssl.SSLContext | None = None

    def serve(self, server: socket.socket) -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer: socket.socket) -> None:
        with suppress(OSError), closing(peer):
            connection = self.context.wrap_socket(peer, server_side=True) if self.context else peer
            with closing(connection):
                while head := self._head(connection):
                    self.requests.append(head)
                    self.times.append(time.monotonic())
                    for piece in self.script(self, head):
                        connection.sendall(piece)
                        time.sleep(self.pause)

    @staticmethod
    def _head(connection: socket.socket) -> str:
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = connection.recv(65536)
            if not chunk:
                return ""
            received += chunk
        return received.decode("latin-1")


@contextmanager
def listening(
    script: Script | None = None, *, pause: float = 0.0, host: str = "127.0.0.1", context: ssl.SSLContext | None = None
) -> Iterator[Listener]:
    """Listen on a free port until the block ends."""
    listener = Listener(script or (lambda _listener, _head: reply()), pause, context=context)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        listener.port = server.getsockname()[1]
        thread = threading.Thread(target=listener.serve, args=(server,), daemon=True)
        thread.start()
        yield listener
        server.shutdown(socket.SHUT_RDWR)
    thread.join(2)
