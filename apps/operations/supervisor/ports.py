"""Ports on this machine: is the wanted one free, and which one can an embedded service have."""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

from apps.operations.domain.processes import StartError

# below the range from which Linux takes ports for outgoing connections, so that a restart finds its port free
_LOWEST, _HIGHEST = 20_000, 32_000
_TRIES = 200


def is_free(*, host: str, port: int) -> bool:
    """Say whether nobody listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def demand(*, host: str, port: int, option: str) -> None:
    """Refuse to start on a port that cannot be had, and say which option chooses another."""
    if not 0 < port < 65_536:
        raise StartError(f"{port} is not a port. Choose one between 1 and 65535 with {option}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise StartError(f"Port {port} needs more rights. Choose one above 1023 with {option}.") from error
        except socket.gaierror as error:
            raise StartError(f"{host} is not an address of this machine. Choose another with --host.") from error
        except OSError as error:
            if is_free(host="127.0.0.1", port=port):
                raise StartError(f"{host} is not an address of this machine. Choose another with --host.") from error
            raise StartError(f"Port {port} is taken by another program. Choose another with {option}.") from error


class Claims:
    """Ports that this product has chosen although nobody listens there yet, so that a second one chooses others.

    Between the choice and the moment an exchange of the demo world listens lies the start of its process. A lock
    that this process holds says meanwhile that the port is taken; it ends with the process, however that ends.
    """

    def __init__(self, place: Path | None = None) -> None:
        self._place = place or Path(tempfile.gettempdir())
        self._held: list[int] = []

    def take(self, port: int) -> bool:
        """Claim a port; False when somebody else has claimed it or listens there."""
        try:
            held = os.open(self._place / f"coinsphere-port-{port}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError:
            return False  # another account of this machine has it
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(held)
            return False
        self._held.append(held)
        return is_free(host="127.0.0.1", port=port)

    def take_any(self) -> int:
        """Claim any port that nobody uses."""
        for _ in range(_TRIES):
            port = free_port()
            if self.take(port):
                return port
        raise StartError("This machine has no free port for a simulated exchange. End other programs and try again.")

    def release(self) -> None:
        """Give all of them back."""
        while self._held:
            os.close(self._held.pop())


def free_port() -> int:
    """Return a port on 127.0.0.1 that nobody uses."""
    for _ in range(_TRIES):
        port = random.randrange(_LOWEST, _HIGHEST)  # noqa: S311 - not a secret
        if is_free(host="127.0.0.1", port=port):
            return port
    raise StartError("This machine has no free port for an embedded service. End other programs and try again.")
