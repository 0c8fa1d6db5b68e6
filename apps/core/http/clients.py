"""The clients: one deadline over redirects, retries and body; every redirect is a new, checked request."""

import asyncio
import functools
import math
import random
import ssl
import time
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final, cast

import httpx
from django.conf import settings

from apps.core.http.guard import MAX_REDIRECTS, AddressRefusedError, Guard, Resolver, allowed_hosts, system_resolver
from apps.core.http.transport import DeadlineError, GuardedAsyncTransport, GuardedTransport, TooLargeError, until

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_WORTH_REPEATING: Final = frozenset({429, 502, 503, 504})
_FINAL_ERRORS: Final = (DeadlineError, TooLargeError, httpx.LocalProtocolError, httpx.UnsupportedProtocol)
_KEPT_ELSEWHERE: Final = frozenset({"accept", "accept-encoding", "accept-language", "host", "user-agent"})
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 8.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, how often and how much; times in seconds, `deadline` is over all of it."""

    deadline: float = 30.0
    connect: float = 5.0
    read: float = 10.0
    retries: int = 2
    redirects: int = MAX_REDIRECTS
    max_bytes: int = 10 * 1024 * 1024

    def timeout(self) -> httpx.Timeout:
        """Return the limits of single steps as httpx wants them."""
        return httpx.Timeout(self.read, connect=self.connect, pool=self.connect)


@dataclass(slots=True)
class _Exchange:
    """What one call has used up so far: its time, its attempts, its redirects."""

    limits: Limits
    started_at: float = field(default_factory=time.monotonic)
    redirects: int = 0
    attempt: int = 0
    has_left_host: bool = False

    @property
    def ends_at(self) -> float:
        return self.started_at + self.limits.deadline

    def pause_after_error(self, request: httpx.Request, error: httpx.TransportError) -> float:
        """Return how long to wait before the next attempt, or raise the error when there is none."""
        pause = self._pause(request, 0.0)
        if pause is None or isinstance(error, _FINAL_ERRORS):
            raise error
        return pause

    def pause_after_answer(self, response: httpx.Response) -> float | None:
        """Return how long to wait before asking again, or None when this is the answer to give."""
        if response.status_code not in _WORTH_REPEATING:
            return None
        return self._pause(response.request, retry_after(response))

    def _pause(self, request: httpx.Request, at_least: float) -> float | None:
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self.attempt)
        pause = at_least + random.uniform(0, longest)  # noqa: S311 - spreads load, keeps no secret
        in_time = time.monotonic() + pause < self.ends_at
        if request.method not in _IDEMPOTENT or self.attempt >= self.limits.retries or not in_time:
            return None
        self.attempt += 1
        return pause

    def redirected(self, response: httpx.Response) -> httpx.Request | None:
        """Return the request that a redirect leads to, fit to be sent there, or None when it is the answer."""
        request = response.next_request
        if request is None or not self.limits.redirects:
            return None
        self.redirects += 1
        if self.redirects > self.limits.redirects:
            raise httpx.TooManyRedirects(f"More than {self.limits.redirects} redirects.", request=request)
        self.has_left_host |= _make_safe(request, came_from=response.request)
        return request

    def options_for_redirect(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of the next request; another host never gets the login that httpx would add again."""
        return {**options, "auth": None} if self.has_left_host else dict(options)


def _make_safe(request: httpx.Request, *, came_from: httpx.Request) -> bool:
    """Take off what another host must not see; tell whether it is another one."""
    old, new = came_from.url, request.url
    if old.scheme == "https" and new.scheme != "https":
        raise AddressRefusedError("The server redirects from https to an address without it.")
    if (old.scheme, old.host, old.port) == (new.scheme, new.host, new.port):
        return False
    if request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers:
        raise AddressRefusedError("The server redirects what was sent to another host. Use that address itself.")
    for name in set(request.headers) - _KEPT_ELSEWHERE:
        del request.headers[name]
    return True


def retry_after(response: httpx.Response) -> float:
    """Return the seconds that `Retry-After` asks for; infinite where it cannot be understood, zero without it."""
    text = response.headers.get("retry-after", "").strip()
    if not text or text.isdecimal():
        return float(text or 0)
    try:
        moment = parsedate_to_datetime(text)
        asked_at = parsedate_to_datetime(response.headers["date"])
        return max(0.0, (moment - asked_at).total_seconds())
    except (KeyError, TypeError, ValueError):
        return math.inf


@dataclass(frozen=True, slots=True)
class _Ask:
    """A step: send this once and give the answer back, or throw what went wrong."""

    request: httpx.Request
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Drop:
    """A step: let go of an answer that is not the one to give."""

    response: httpx.Response


@dataclass(frozen=True, slots=True)
class _Pause:
    """A step: wait."""

    seconds: float


_Step = _Ask | _Drop | _Pause
_Course = Generator[_Step, httpx.Response | None, httpx.Response]


def _course(exchange: _Exchange, request: httpx.Request, options: Mapping[str, Any]) -> _Course:
    """Follow and repeat: the steps of one call, for a client that waits and for one that awaits."""
    options = {**options, "follow_redirects": False}
    response = yield from _attempts(exchange, request, options)
    while (following := exchange.redirected(response)) is not None:
        yield _Drop(response)
        options = exchange.options_for_redirect(options)
        response = yield from _attempts(exchange, following, options)
    return response


def _attempts(exchange: _Exchange, request: httpx.Request, options: Mapping[str, Any]) -> _Course:
    while True:
        try:
            response = yield _Ask(request, options)
            assert response is not None  # noqa: S101 - what an `_Ask` is answered with
            pause = exchange.pause_after_answer(response)
        except httpx.TransportError as error:
            pause = exchange.pause_after_error(request, error)
        else:
            if pause is None:
                return response
            yield _Drop(response)
        yield _Pause(pause)


def _is_read_at_once(response: httpx.Response, *, stream: bool) -> bool:
    return not stream and response.next_request is None


class _RefusingRequests:
    """Says of an address that is none what every other refusal says."""

    def build_request(self, *args: Any, **options: Any) -> httpx.Request:  # noqa: ANN401 - httpx's own
        try:
            request: httpx.Request = super().build_request(*args, **options)  # type: ignore[misc]  # the client's
        except httpx.InvalidURL:
            raise AddressRefusedError("This is no address. Check its spelling.") from None
        return request


class Client(_RefusingRequests, httpx.Client):
    """An httpx client that keeps its limits; made by `client`."""

    limits: Limits

    def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:  # noqa: ANN401
        """Send, follow and repeat within the deadline; a body that is not streamed is read within it too."""
        exchange = _Exchange(self.limits)
        course = _course(exchange, request, options)
        with until(exchange.ends_at):
            try:
                step = next(course)
                while True:
                    try:
                        answer = self._take(step, stream=stream)
                    except httpx.TransportError as error:
                        step = course.throw(error)
                    else:
                        step = course.send(answer)
            except StopIteration as end:
                return cast("httpx.Response", end.value)

    def _take(self, step: _Step, *, stream: bool) -> httpx.Response | None:
        if isinstance(step, _Ask):
            return self._once(step, stream=stream)
        if isinstance(step, _Drop):
            step.response.close()
        else:
            time.sleep(step.seconds)
        return None

    def _once(self, step: _Ask, *, stream: bool) -> httpx.Response:
        response = super().send(step.request, stream=True, **step.options)
        try:
            if _is_read_at_once(response, stream=stream):
                response.read()
        except BaseException:
            response.close()
            raise
        return response


class AsyncClient(_RefusingRequests, httpx.AsyncClient):
    """The same for asyncio; made by `async_client`."""

    limits: Limits

    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:  # noqa: ANN401
        """Send, follow and repeat within the deadline; a body that is not streamed is read within it too."""
        exchange = _Exchange(self.limits)
        course = _course(exchange, request, options)
        with until(exchange.ends_at):
            try:
                step = next(course)
                while True:
                    try:
                        answer = await self._take(step, stream=stream)
                    except httpx.TransportError as error:
                        step = course.throw(error)
                    else:
                        step = course.send(answer)
            except StopIteration as end:
                return cast("httpx.Response", end.value)

    async def _take(self, step: _Step, *, stream: bool) -> httpx.Response | None:
        if isinstance(step, _Ask):
            return await self._once(step, stream=stream)
        if isinstance(step, _Drop):
            await step.response.aclose()
        else:
            await asyncio.sleep(step.seconds)
        return None

    async def _once(self, step: _Ask, *, stream: bool) -> httpx.Response:
        response = await super().send(step.request, stream=True, **step.options)
        try:
            if _is_read_at_once(response, stream=stream):
                await response.aread()
        except BaseException:
            await response.aclose()
            raise
        return response


@functools.lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


@dataclass(frozen=True, slots=True)
class _Parts:
    transport: dict[str, Any]
    client: dict[str, Any]


def _parts(
    limits: Limits,
    ports: Iterable[int],
    private_hosts: Iterable[str],
    resolver: Resolver,
    context: ssl.SSLContext | None,
    options: dict[str, Any],
) -> _Parts:
    allowed = allowed_hosts([*settings.PRIVATE_HOSTS_ALLOWED, *private_hosts])
    headers = {"user-agent": f"Coinsphere/{settings.VERSION}", "accept-encoding": "gzip, deflate"}
    return _Parts(
        transport={
            "guard": Guard(allowed=allowed, ports=frozenset(ports)),
            "resolver": resolver,
            "max_bytes": limits.max_bytes,
            "context": context or _certificates(),
        },
        client={"trust_env": False, "timeout": limits.timeout(), "headers": headers | options.pop("headers", {})}
        | options,
    )


def client(
    *,
    limits: Limits = Limits(),
    ports: Iterable[int] = (),
    private_hosts: Iterable[str] = (),
    resolver: Resolver = system_resolver,
    context: ssl.SSLContext | None = None,
    **options: Any,  # noqa: ANN401 - httpx's own: headers, base_url, auth, params, cookies, event_hooks
) -> Client:
    """Return a client for gateways; `private_hosts` comes from the operator's settings only, never from a user."""
    parts = _parts(limits, ports, private_hosts, resolver, context, options)
    made = Client(transport=GuardedTransport(**parts.transport), **parts.client)
    made.limits = limits
    return made


def async_client(
    *,
    limits: Limits = Limits(),
    ports: Iterable[int] = (),
    private_hosts: Iterable[str] = (),
    resolver: Resolver = system_resolver,
    context: ssl.SSLContext | None = None,
    **options: Any,  # noqa: ANN401 - httpx's own: headers, base_url, auth, params, cookies, event_hooks
) -> AsyncClient:
    """Return the same client for asyncio."""
    parts = _parts(limits, ports, private_hosts, resolver, context, options)
    made = AsyncClient(transport=GuardedAsyncTransport(**parts.transport), **parts.client)
    made.limits = limits
    return made


def check_url(*, url: str, ports: Iterable[int] = (), resolver: Resolver = system_resolver) -> None:
    """Refuse an address that a person typed and that no client of ours would talk to; looks its name up once."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise AddressRefusedError("This is no address. Check its spelling.") from None
    guard = Guard(allowed=allowed_hosts(settings.PRIVATE_HOSTS_ALLOWED), ports=frozenset(ports))
    host, port = parsed.raw_host.decode("ascii"), parsed.port or (443 if parsed.scheme == "https" else 80)
    guard.check_target(scheme=parsed.scheme, host=host, port=parsed.port, has_login=bool(parsed.userinfo))
    guard.check_addresses(host=host, port=port, addresses=resolver(host, port))
