"""The product as a person starts it: its own process, its own data folder, seen from outside only."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from apps.operations.domain.processes import SIMULATED_PORTS
from apps.operations.supervisor.folder import CODE
from apps.operations.supervisor.ports import free_port
from apps.operations.supervisor.surroundings import SECRET_NAMES

STOP_PATIENCE = 40.0
_PAUSE, _MOST_TIMES = 0.1, 4
QUIET = ("--no-ml", "--feed", "off")
WITH_MARKET = ("--no-ml",)
OURS = (*SECRET_NAMES, "COINSPHERE_DATA", "MASTER_KEY_FILE", "PUBLIC_URL", "DJANGO_SETTINGS_MODULE")


def supervisor(*words: str) -> list[str]:
    """Return the command line that the `coinsphere` script ends up running."""
    return [sys.executable, "-m", "apps.operations.supervisor", *words]


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return our environment without what the test run itself was given."""
    return {name: value for name, value in os.environ.items() if name not in OURS} | dict(extra or {})


def wait_for(check: Callable[[], bool], *, seconds: float, what: str) -> float:
    """Wait until it holds and return how long that took; fail with what was waited for.

    Pauses count, and not what asking takes: on a machine that others use as well, everything asks more slowly. Even so
    nobody waits more than four times as long.
    """
    began_at, paused = time.monotonic(), 0.0
    while not check():
        took = time.monotonic() - began_at
        assert paused < seconds, f"waited {took:.0f} s in vain, of them {seconds:g} s without asking: {what}"
        assert took < _MOST_TIMES * seconds, f"waited {took:.0f} s in vain: {what}"
        time.sleep(_PAUSE)
        paused += _PAUSE
    return time.monotonic() - began_at


def living(data: Path) -> list[str]:
    """Return the command lines of all processes that belong to the data folder."""
    needle, found = str(data).encode(), []
    for entry in Path("/proc").glob("[0-9]*"):
        if int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            line = (entry / "cmdline").read_bytes()
            place = os.fsencode((entry / "cwd").readlink())
            if needle in line or needle in (entry / "environ").read_bytes() or place.startswith(needle):
                found.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return found


class Product:
    """One `up` on one data folder; may be started again after it has stopped."""

    def __init__(self, data: Path, *, options: Sequence[str] = QUIET, extra: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.port, self.live_port = free_port(), free_port()
        self.options = list(options)
        self.environment = clean_environment(extra)
        self.code = CODE
        self.errors = data.with_name(f"{data.name}.stderr")
        self.facts: dict[str, object] = {}
        self._process: subprocess.Popen[str] | None = None

    @property
    def number(self) -> int:
        """Return the supervisor's process number."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Say whether the supervisor lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start, and return when it says that it is ready."""
        ports = ["--port", str(self.port), "--live-port", str(self.live_port)]
        with self.errors.open("w", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                supervisor("supervise", "--json", "--data", str(self.data), *ports, *self.options),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=self.code,
                env=self.environment,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"it did not become ready:\n{self.errors.read_text(encoding='utf-8')}"
        self.facts = json.loads(line)

    def send(self, number: signal.Signals) -> None:
        """Send the supervisor a signal."""
        os.kill(self.number, number)

    def wait(self, *, seconds: float) -> int:
        """Wait for the supervisor to end and return its exit code; nothing more may stand on standard output."""
        assert self._process is not None
        assert self._process.stdout is not None
        code = self._process.wait(timeout=seconds)
        rest = self._process.stdout.read()
        self._process.stdout.close()
        self._process = None
        assert not rest
        return code

    def stop(self) -> None:
        """Stop if it runs, whatever state it is in."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self.send(signal.SIGTERM)
        self.wait(seconds=STOP_PATIENCE)

    def process(self, name: str) -> int:
        """Return the process number of one of the processes; 0 while it has none."""
        with suppress(OSError, ValueError):
            return int((self.data / "run" / f"{name}.pid").read_text(encoding="utf-8"))
        return 0

    def get(self, path: str) -> tuple[int, str]:
        """Ask the pages; status 0 when nobody answers."""
        return ask(self.port, path)

    def health(self) -> dict[str, object]:
        """Return what /health says; nothing when nobody answers."""
        status, body = self.get("/health")
        return dict(json.loads(body)) if status == 200 else {}

    def is_well(self) -> bool:
        """Say whether every process, the database and Redis are well."""
        return self.health().get("status") == "ok" and ask(self.live_port, "/")[0] > 0


def ask(port: int, path: str) -> tuple[int, str]:
    """Ask whoever listens on this port of this machine."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, HTTPException):
        return 0, ""
    finally:
        connection.close()


@contextmanager
def housed(name: str) -> Iterator[Path]:
    """Lend a folder for a product's data; nothing of it may live on afterwards."""
    root = Path(tempfile.mkdtemp(prefix=f"coinsphere-{name}-"))
    root.chmod(0o711)  # the database's account has to pass through, which pytest's own folders forbid
    yield root
    left = living(root)
    shutil.rmtree(root)
    assert left == []


@contextmanager
def _others_on_the_usual_ports() -> Iterator[None]:
    """Keep the usual ports of the exchanges taken, so that this product takes others and nobody comes in between."""
    with ExitStack() as held:
        for port in SIMULATED_PORTS:
            with suppress(OSError):  # it is taken already
                held.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


@contextmanager
def running(name: str, *, options: Sequence[str] = QUIET) -> Iterator[Product]:
    """Run a product of its own for as long as the block lasts."""
    with housed(name) as root:
        product = Product(root / "data", options=options)
        try:
            with _others_on_the_usual_ports():
                product.start()
            yield product
        finally:
            product.stop()
