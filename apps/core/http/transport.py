"""The guarded way out: resolves a name once per connection, connects to a checked address, ends on time."""

# ruff: noqa: ASYNC109 - the signatures are httpcore's

import asyncio
import contextvars
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

import httpcore
import httpx

from apps.core.http.guard import Guard, Resolver

_T = TypeVar("_T")
_SLICE: Final = 1024  # so that one slice of a compressed answer cannot unpack into more than about a megabyte
_SocketOptions = Iterable[httpcore.SOCKET_OPTION] | None

_deadline: contextvars.ContextVar[float | None] = contextvars.ContextVar("http_deadline", default=None)


class DeadlineError(httpx.TimeoutException):
    """The whole exchange, redirects, retries and body included, took longer than allowed."""


class TooLargeError(httpx.TransportError):
    """The answer is larger than allowed."""


@contextmanager
def until(moment: float | None) -> Iterator[None]:
    """Let everything that goes out inside end by this moment of `time.monotonic`."""
    token = _deadline.set(moment)
    try:
        yield
    finally:
        _deadline.reset(token)


def within(timeout: float | None) -> float | None:
    """Return the timeout, shortened to what is left until the deadline."""
    moment = _deadline.get()
    if moment is None:
        return timeout
    left = moment - time.monotonic()
    if left <= 0:
        raise DeadlineError("The exchange took too long.")
    return left if timeout is None else min(timeout, left)


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.UnsupportedProtocol,
    ) as error:
        moment = _deadline.get()
        if isinstance(error, httpcore.TimeoutException) and moment is not None and time.monotonic() >= moment:
            raise DeadlineError("The exchange took too long.") from error
        translated: type[httpx.TransportError] = getattr(httpx, type(error).__name__, httpx.TransportError)
        raise translated(str(error)) from error


class GuardedResponse(httpx.Response):
    """An answer that stops with `TooLargeError` once its unpacked body passes the limit."""

    max_bytes: int

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        total = 0
        for chunk in super().iter_bytes(chunk_size):
            total += len(chunk)
            self._limit(total)
            yield chunk

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        total = 0
        async for chunk in super().aiter_bytes(chunk_size):
            total += len(chunk)
            self._limit(total)
            yield chunk

    def _limit(self, total: int) -> None:
        if total > self.max_bytes:
            raise TooLargeError(f"The answer is larger than {self.max_bytes} bytes.")


def _slices(chunk: bytes) -> Iterator[bytes]:
    return (chunk[start : start + _SLICE] for start in range(0, len(chunk), _SLICE))


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response, max_bytes: int) -> None:
        self._response, self._max_bytes, self._moment = response, max_bytes, _deadline.get()

    def __iter__(self) -> Iterator[bytes]:
        chunks, total = iter(self._response.iter_stream()), 0
        while True:
            with until(self._moment), _as_httpx():
                chunk = next(chunks, None)
            if chunk is None:
                return
            total = _counted(total, chunk, self._max_bytes)
            yield from _slices(chunk)

    def close(self) -> None:
        self._response.close()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response, max_bytes: int) -> None:
        self._response, self._max_bytes, self._moment = response, max_bytes, _deadline.get()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks, total = self._response.aiter_stream().__aiter__(), 0
        while True:
            with until(self._moment), _as_httpx():
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            total = _counted(total, chunk, self._max_bytes)
            for part in _slices(chunk):
                yield part

    async def aclose(self) -> None:
        await self._response.aclose()


def _counted(total: int, chunk: bytes, max_bytes: int) -> int:
    if total + len(chunk) > max_bytes:
        raise TooLargeError(f"The answer is larger than {max_bytes} bytes.")
    return total + len(chunk)


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait is cut at the deadline, so that a trickle of bytes cannot hold us."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, within(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, within(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, within(timeout)))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's own
        return self._inner.get_extra_info(info)


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._inner.read(max_bytes, within(timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._inner.write(buffer, within(timeout))

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._inner.start_tls(ssl_context, server_hostname, within(timeout)))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's own
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Opens connections: the name is resolved here, once, and only an address that was checked is used."""

    def __init__(self, guard: Guard, resolver: Resolver) -> None:
        self._guard, self._resolver, self._inner = guard, resolver, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: _SocketOptions = None,
    ) -> httpcore.NetworkStream:
        found = _in_time(lambda: self._resolver(host, port), within(timeout))
        if not found:
            raise httpcore.ConnectError(f"The name {host} leads nowhere.")
        addresses = self._guard.check_addresses(host=host, port=port, addresses=found)
        *earlier, last = addresses
        for address in earlier:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):  # the next address may answer
                return _Stream(self._inner.connect_tcp(address, port, within(timeout), local_address, socket_options))
        return _Stream(self._inner.connect_tcp(last, port, within(timeout), local_address, socket_options))


class _AsyncBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, guard: Guard, resolver: Resolver) -> None:
        self._guard, self._resolver, self._inner = guard, resolver, httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: _SocketOptions = None,
    ) -> httpcore.AsyncNetworkStream:
        found = await _in_time_async(asyncio.to_thread(self._resolver, host, port), within(timeout))
        if not found:
            raise httpcore.ConnectError(f"The name {host} leads nowhere.")
        addresses = self._guard.check_addresses(host=host, port=port, addresses=found)
        *earlier, last = addresses
        for address in earlier:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):  # the next address may answer
                return await self._connected(address, port, timeout, local_address, socket_options)
        return await self._connected(last, port, timeout, local_address, socket_options)

    async def _connected(
        self, address: str, port: int, timeout: float | None, local: str | None, options: _SocketOptions
    ) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(await self._inner.connect_tcp(address, port, within(timeout), local, options))


def _in_time(ask: Callable[[], Sequence[str]], timeout: float | None) -> Sequence[str]:
    """Resolve in a thread of its own, because the system's resolver knows no time limit."""
    answers: SimpleQueue[Sequence[str]] = SimpleQueue()
    threading.Thread(target=lambda: answers.put(ask()), name="resolve", daemon=True).start()
    try:
        return answers.get(timeout=timeout)
    except Empty:
        raise httpcore.ConnectTimeout("The name was not resolved in time.") from None


async def _in_time_async(answer: Awaitable[_T], timeout: float | None) -> _T:
    try:
        return await asyncio.wait_for(answer, timeout)
    except TimeoutError:
        raise httpcore.ConnectTimeout("The name was not resolved in time.") from None


def _checked(request: httpx.Request, guard: Guard) -> httpcore.Request:
    url = request.url
    guard.check_target(
        scheme=url.scheme, host=url.raw_host.decode("ascii"), port=url.port, has_login=bool(url.userinfo)
    )
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _answer(
    response: httpcore.Response, body: httpx.SyncByteStream | httpx.AsyncByteStream, limit: int
) -> httpx.Response:
    answer = GuardedResponse(
        status_code=response.status, headers=response.headers, stream=body, extensions=response.extensions
    )
    answer.max_bytes = limit
    packing = answer.headers.get("content-encoding", "identity").strip().lower()
    if packing not in {"identity", "gzip", "deflate", ""}:
        raise httpx.DecodingError(f"The answer is packed in a way that was not asked for: {packing[:40]}.")
    return answer


class GuardedTransport(httpx.BaseTransport):
    """httpx on connections that the guard has checked."""

    def __init__(self, *, guard: Guard, resolver: Resolver, max_bytes: int, context: ssl.SSLContext) -> None:
        self._guard, self._max_bytes = guard, max_bytes
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, keepalive_expiry=30, network_backend=_Backend(guard, resolver)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with _as_httpx():
            response = self._pool.handle_request(_checked(request, self._guard))
        body = _Body(response, self._max_bytes)
        try:
            return _answer(response, body, self._max_bytes)
        except httpx.DecodingError:
            body.close()
            raise

    def close(self) -> None:
        self._pool.close()


class GuardedAsyncTransport(httpx.AsyncBaseTransport):
    """The same for asyncio."""

    def __init__(self, *, guard: Guard, resolver: Resolver, max_bytes: int, context: ssl.SSLContext) -> None:
        self._guard, self._max_bytes = guard, max_bytes
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context, keepalive_expiry=30, network_backend=_AsyncBackend(guard, resolver)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with _as_httpx():
            response = await self._pool.handle_async_request(_checked(request, self._guard))
        body = _AsyncBody(response, self._max_bytes)
        try:
            return _answer(response, body, self._max_bytes)
        except httpx.DecodingError:
            await body.aclose()
            raise

    async def aclose(self) -> None:
        await self._pool.aclose()
