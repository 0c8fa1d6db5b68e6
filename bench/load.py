"""A small HTTP load generator: N keep-alive connections from one process, every answer checked."""

import asyncio
import statistics
import time
from dataclasses import dataclass

_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a run showed: requests a second and times in milliseconds."""

    per_second: float
    p50_ms: float
    p99_ms: float
    requests: int


class UnexpectedAnswerError(RuntimeError):
    """The server did not answer as the benchmark expects; its figures would mean nothing."""


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(_HEAD_END)
    status = head.split(b"\r\n", 1)[0]
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    if b" 200 " not in status + b" " or not lengths:
        raise UnexpectedAnswerError(head.decode(errors="replace"))
    return await reader.readexactly(int(lengths[0].split(b":")[1]))


async def _client(*, host: str, port: int, request: bytes, until: float, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    while time.perf_counter() < until:
        started = time.perf_counter()
        writer.write(request)
        await _answer(reader)
        times.append(time.perf_counter() - started)
    writer.close()
    await writer.wait_closed()


async def _run(*, host: str, port: int, request: bytes, clients: int, seconds: float) -> LoadResult:
    times: list[float] = []
    started = time.perf_counter()
    until = started + seconds
    jobs = (_client(host=host, port=port, request=request, until=until, times=times) for _ in range(clients))
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


def measure(*, port: int, path: str, headers: dict[str, str], clients: int, seconds: float) -> LoadResult:
    """Load one address on this machine and return what it bore; the first second warms up."""
    request = request_bytes(path=path, host=f"127.0.0.1:{port}", headers=headers)
    asyncio.run(_run(host="127.0.0.1", port=port, request=request, clients=clients, seconds=1.0))
    return asyncio.run(_run(host="127.0.0.1", port=port, request=request, clients=clients, seconds=seconds))
