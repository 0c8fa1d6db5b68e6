"""The product started as people start it, for a benchmark, in a folder of its own."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machine import free_port

ROOT = Path(__file__).resolve().parent.parent
# The benchmark itself runs inside throw-away services; the product under test makes its own.
_OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "JWT_SIGNING_SEED", "MASTER_KEY_FILE", "COINSPHERE_DATA")
_PATIENCE = 180.0
_ANSWER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Product:
    """A running product: its supervisor, what it printed, and how long it took to be ready."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    seconds: float


def _environment() -> dict[str, str]:
    dropped = {*_OURS, "PROMETHEUS_MULTIPROC_DIR", "DJANGO_SETTINGS_MODULE"}
    return {name: value for name, value in os.environ.items() if name not in dropped}


@contextmanager
def running(*, data: Path, options: Sequence[str] = ()) -> Iterator[Product]:
    """Start the product, wait for the line that says it is ready, stop it at the end."""
    command = [str(ROOT / "coinsphere"), "up", "--json", "--no-ml", "--data", str(data)]
    command += ["--port", str(free_port()), "--live-port", str(free_port()), *options]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=_environment())
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise RuntimeError(f"The product did not start; exit status {process.wait(timeout=_PATIENCE)}.")
        yield Product(process=process, ready=json.loads(line), seconds=time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def post(*, url: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
    """Send JSON to the product's API and return the JSON it answers."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers, method="POST")  # noqa: S310
    with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - an address of this machine
        return dict(json.load(answer))


def sign_in(*, url: str, email: str, password: str) -> str:
    """Return an access token."""
    return str(post(url=f"{url}/api/v1/auth/login", body={"email": email, "password": password})["access"])


def etag(*, url: str, token: str) -> str:
    """Return the version that an answer of the product names."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - an address of this machine
        return str(answer.headers["ETag"])
