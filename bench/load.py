"""A small HTTP load generator: N keep-alive connections from one process, every answer checked."""

import asyncio
import statistics
import time
from dataclasses import dataclass
from functools import partial

WARM_UP = 1.0
_HEAD_END = b"\r\n\r\n"
_NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a run showed: requests a second and times in milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float
    requests: int


class UnexpectedAnswerError(RuntimeError):
    """The server did not answer as the benchmark expects; its figures would mean nothing."""


async def _answer(reader: asyncio.StreamReader, status: int) -> bytes:
    head = await reader.readuntil(_HEAD_END)
    first = head.split(b"\r\n", 1)[0]
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    if b" %d " % status not in first + b" " or not (lengths or status == _NOT_MODIFIED):
        raise UnexpectedAnswerError(head.decode(errors="replace"))
    if status == _NOT_MODIFIED:  # it never has a body, whatever length it names
        return b""
    return await reader.readexactly(int(lengths[0].split(b":")[1]))


async def _client(*, host: str, port: int, request: bytes, status: int, until: float, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    while time.perf_counter() < until:
        started = time.perf_counter()
        writer.write(request)
        await _answer(reader, status)
        times.append(time.perf_counter() - started)
    writer.close()
    await writer.wait_closed()


async def _run(*, host: str, port: int, request: bytes, status: int, clients: int, seconds: float) -> LoadResult:
    times: list[float] = []
    started = time.perf_counter()
    until = started + seconds
    jobs = (
        _client(host=host, port=port, request=request, status=status, until=until, times=times) for _ in range(clients)
    )
    await asyncio.gather(*jobs)
    elapsed = time.perf_counter() - started
    cuts = statistics.quantiles(times, n=100)
    return LoadResult(
        per_second=len(times) / elapsed, p50_ms=cuts[49] * 1000, p99_ms=cuts[98] * 1000, requests=len(times)
    )


def request_bytes(*, path: str, host: str, headers: dict[str, str]) -> bytes:
    """Return a GET request as it goes over the wire."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def measure(
    *, port: int, path: str, headers: dict[str, str], clients: int, seconds: float, status: int = 200
) -> LoadResult:
    """Load one address on this machine and return what it bore; the first second warms up."""
    request = request_bytes(path=path, host=f"127.0.0.1:{port}", headers=headers)
    run = partial(_run, host="127.0.0.1", port=port, request=request, status=status, clients=clients)
    asyncio.run(run(seconds=WARM_UP))
    return asyncio.run(run(seconds=seconds))
