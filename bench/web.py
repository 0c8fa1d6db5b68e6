"""Applications served as the product's web process is served, for a benchmark, and what a load on them shows."""

import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from apps.operations.domain.processes import WEB_THREADS
from bench import load, machine, product

CLIENTS = 16
SECONDS = 4.0
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Bore:
    """What a server bore: requests a second, the slowest of a hundred, and the processor time of one request."""

    per_second: float
    p99_ms: float
    cpu_ms: float


@contextmanager
def serving(application: str) -> Iterator[tuple[int, int]]:
    """Serve one WSGI application as the product's web process is served; yield (pid, port)."""
    port = machine.free_port()
    command = [sys.executable, "-m", "granian", application, "--interface", "wsgi", "--http", "1", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--blocking-threads", str(WEB_THREADS)]
    command += ["--log-level", "warning"]
    changes = {"ALLOWED_HOSTS": "127.0.0.1", "DJANGO_SETTINGS_MODULE": "bench.settings", "API_RATE_USER": "6000000/m"}
    process = subprocess.Popen(command, cwd=product.ROOT, env=os.environ | changes)
    try:
        _wait_for(port)
        yield process.pid, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"Nothing listens on port {port}.")


def bear(
    *,
    pid: int,
    port: int,
    path: str,
    headers: dict[str, str],
    seconds: float = SECONDS,
    rounds: int = ROUNDS,
    status: int = 200,
    before: Callable[[], object] | None = None,
) -> list[Bore]:
    """Load one address of a running server, some rounds of it; `before` is done at the start of each."""
    results = []
    for _ in range(rounds):
        if before is not None:
            before()
        used = machine.cpu_seconds(machine.family(pid))
        result = load.measure(port=port, path=path, headers=headers, clients=CLIENTS, seconds=seconds, status=status)
        used = machine.cpu_seconds(machine.family(pid)) - used
        share = seconds / (seconds + load.WARM_UP)  # the warm-up is in the processor time as well
        results.append(Bore(result.per_second, result.p99_ms, used * share / result.requests * 1000))
    return results


def middle(bores: list[Bore]) -> Bore:
    """Return the median of each figure."""
    return Bore(
        statistics.median(one.per_second for one in bores),
        statistics.median(one.p99_ms for one in bores),
        statistics.median(one.cpu_ms for one in bores),
    )
