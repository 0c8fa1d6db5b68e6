"""ccxt as we let it out: without keys, strict about answers, numbers as text, and polite over all processes.

Codes such as kraken's XBT and XXBT come out of ccxt as BTC; what a venue names otherwise is the catalog's matter.
"""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings

from apps.core.breaker import Breaker
from apps.core.errors import ProductError
from apps.core.locks import TokenBucket
from apps.markets.gateways.venue_errors import (
    BadAnswerError,
    Heard,
    VenueBusyError,
    VenueUnavailableError,
    classified,
)

TIMEOUT_SECONDS: Final = 10.0
MARKETS_KEPT_SECONDS: Final = 3600.0
KEEP_ALIVE_SECONDS: Final = 15.0

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PATIENCE_SECONDS: Final = 60.0
_SOCKET_SCHEMES: Final = {"http": "ws", "https": "wss"}
#: Calls a second and at once, well below what each venue allows an address; our own simulator needs no sparing.
_POLITE: Final = {"binance": (10.0, 20.0), "coinbase": (5.0, 10.0), "kraken": (1.0, 5.0), "kucoin": (10.0, 20.0)}
_CAREFUL: Final = (1.0, 5.0)
_UNSPARING: Final = (200.0, 400.0)
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "binance": {"fetchMarkets": {"types": ["spot"]}, "fetchMargins": False, "fetchCurrencies": False},
    "coinbase": {},
    "kraken": {},
    "kucoin": {"fetchMarkets": {"types": ["spot"], "fetchTickersFees": False}},
}
#: What ccxt or we stumble over when an answer has another shape than it should.
SHAPE_ERRORS: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

_heard: ContextVar[Heard] = ContextVar("coinsphere_venue_heard")


class _Strict:
    """Remembers status and Retry-After of an answer, and refuses what is not JSON; ccxt would take it for empty."""

    id: str

    def on_rest_response(self, code: int, reason: str, url: str, method: str, response_headers: Any, *rest: Any) -> Any:  # noqa: ANN401 - ccxt's own signature
        names = {str(name).lower(): str(value) for name, value in dict(response_headers).items()}
        _heard.set(Heard(int(code), names.get("retry-after", "")))
        return super().on_rest_response(  # type: ignore[misc]  # the other base is ccxt's
            code, reason, url, method, response_headers, *rest
        )


class StrictSync(_Strict):
    """What each sync client of ours is made of, besides ccxt's own class."""

    def fetch(self, url: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - ccxt's own signature
        with _translated(self.id):
            return checked(super().fetch(url, *arguments, **options))  # type: ignore[misc]  # ccxt's


class _StrictAsync(_Strict):
    async def fetch(self, url: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - ccxt's own signature
        with _translated(self.id):
            return checked(await super().fetch(url, *arguments, **options))  # type: ignore[misc]  # ccxt's


def checked(answer: object) -> object:
    """Return an answer that is JSON's object or list, or raise `BadAnswerError`."""
    if not isinstance(answer, dict | list):
        raise BadAnswerError
    return answer


def forget_heard() -> None:
    """Let nothing that was said before count for the call that comes."""
    _heard.set(Heard())


def heard_last() -> Heard:
    """Return what the last answer said besides its body."""
    return _heard.get()


@contextmanager
def _translated(venue: str) -> Iterator[None]:
    """Turn whatever ccxt raises inside into our own errors."""
    # 81 MB: only processes that call an exchange load it
    from ccxt.base.errors import BaseError

    forget_heard()
    try:
        yield
    except BaseError as error:
        raise classified(venue, error, _heard.get()) from error


# --- Where a venue is reached -----------------------------------------------------------------------------------------
def address_of(venue: str) -> str:
    """Return the operator's own address of a venue, or nothing where the venue's counts."""
    return str(settings.EXCHANGE_BASE_URLS.get(venue, "")).rstrip("/")


def redirected(url: str, base: str) -> str:
    """Return the URL with scheme, host and port of `base` and its own path; sockets stay sockets."""
    old, new = urlsplit(url), urlsplit(base)
    scheme = _SOCKET_SCHEMES[new.scheme] if old.scheme in {"ws", "wss"} else new.scheme
    path = old.path
    if old.scheme in {"ws", "wss"} and (old.hostname or "").startswith("stream.") and "/stream" not in path:
        path = f"/stream{path}"  # ccxt tells Binance's spot socket from others by this word in its URL
    return urlunsplit((scheme, new.netloc, path, old.query, ""))


def redirect(client: Any) -> None:  # noqa: ANN401 - ccxt is not typed
    """Point a fresh client at the operator's own address of its venue, if there is one."""
    base = address_of(client.id)
    if base:
        _redirect(client.urls["api"], base)


def _redirect(urls: dict[str, Any], base: str) -> None:
    for name, value in urls.items():
        if isinstance(value, dict):
            _redirect(value, base)
        elif isinstance(value, str):
            urls[name] = redirected(value, base)


# --- Clients ----------------------------------------------------------------------------------------------------------
_classes: dict[tuple[str, str], type] = {}


def _client_class(venue: str, flavor: str) -> type:
    if (venue, flavor) not in _classes:
        # 81 MB and a second: only processes that call an exchange load it
        if flavor == "sync":
            import ccxt as library
        elif flavor == "async":
            import ccxt.async_support as library
        else:
            import ccxt.pro as library
        strict = StrictSync if flavor == "sync" else _StrictAsync
        _classes[venue, flavor] = type(f"Strict_{venue}", (strict, getattr(library, venue)), {})
    return _classes[venue, flavor]


def _client(venue: str, flavor: str) -> Any:  # noqa: ANN401 - ccxt is not typed
    client = _client_class(venue, flavor)(settings_of(venue))
    if flavor == "pro":
        client.streaming = {**client.streaming, "keepAlive": int(KEEP_ALIVE_SECONDS * 1000)}
    redirect(client)
    return client


def settings_of(venue: str) -> dict[str, Any]:
    """Return what each of our clients of a venue is made with."""
    return {
        "number": str,
        "enableRateLimit": False,  # its limiter counts one client; our bucket counts all processes
        "timeout": int(TIMEOUT_SECONDS * 1000),
        "options": dict(_OPTIONS.get(venue, {})),
    }


@contextmanager
def sync_client(venue: str) -> Iterator[Any]:
    """Lend a client for this thread and this piece of work, without markets."""
    client = _client(venue, "sync")
    try:
        yield client
    finally:
        client.session.close()


@asynccontextmanager
async def async_client(venue: str) -> AsyncIterator[Any]:
    """Lend a client for this event loop, without markets."""
    client = _client(venue, "async")
    try:
        yield client
    finally:
        await client.close()


def stream_client(venue: str) -> Any:  # noqa: ANN401 - ccxt is not typed
    """Return a ccxt.pro client for this event loop, without markets; whoever takes it awaits its `close`."""
    return _client(venue, "pro")


# --- Markets, loaded once an hour per process -------------------------------------------------------------------------
_sources: dict[tuple[int, str, str], tuple[float, Any]] = {}
_sources_lock = threading.Lock()


@contextmanager
def market_client(venue: str, *, now: datetime) -> Iterator[Any]:
    """Lend a sync client that knows the venue's markets; they are loaded at most once an hour in a process."""
    with sync_client(venue) as client:
        client.set_markets_from_exchange(_source(venue, now=now))
        yield client


def _source(venue: str, *, now: datetime) -> Any:  # noqa: ANN401 - ccxt is not typed
    key = (os.getpid(), venue, address_of(venue))
    with _sources_lock:
        loaded_at, source = _sources.get(key, (0.0, None))
        if source is None or time.monotonic() - loaded_at > MARKETS_KEPT_SECONDS:
            with sync_client(venue) as source, asking(venue, now=now, calls=4):
                source.load_markets()
            _sources[key] = (time.monotonic(), source)
    return source


def forget_markets(venue: str) -> None:
    """Load a venue's markets anew at the next need."""
    with _sources_lock:
        for key in [key for key in _sources if key[1] == venue]:
            del _sources[key]


# --- Manners ----------------------------------------------------------------------------------------------------------
def bucket_of(venue: str) -> TokenBucket:
    """Return the bucket that all processes share for a venue and an address."""
    host = urlsplit(address_of(venue)).hostname
    rate, burst = _UNSPARING if is_ours(venue) else _POLITE.get(venue, _CAREFUL)
    return TokenBucket(f"venue:{venue}:{host or 'own'}", rate=rate, burst=burst)


def is_ours(venue: str) -> bool:
    """Tell whether the venue is a server on this machine, which needs no sparing."""
    return urlsplit(address_of(venue)).hostname in _LOOPBACK


def breaker_of(venue: str) -> Breaker:
    """Return the breaker that all processes share for a venue's public side."""
    return Breaker(f"venue:{venue}")


@contextmanager
def asking(venue: str, *, now: datetime, calls: float = 1.0) -> Iterator[None]:
    """Make so many calls inside: wait for our turn, keep to the breaker, and raise our own errors only."""
    _wait_for_turn(venue, calls)
    with _guarded(venue, now=now):
        yield


@asynccontextmanager
async def asking_async(venue: str, *, now: datetime, calls: float = 1.0) -> AsyncIterator[None]:
    """Do the same on an event loop."""
    bucket, given_up_at = bucket_of(venue), time.monotonic() + _PATIENCE_SECONDS
    while wait := bucket.take(calls):
        _refuse_long_wait(wait, given_up_at)
        await asyncio.sleep(wait)
    with _guarded(venue, now=now):
        yield


def _wait_for_turn(venue: str, calls: float) -> None:
    wait_for(bucket_of(venue), calls)


def wait_for(bucket: TokenBucket, calls: float) -> None:
    """Wait until a bucket gives so many calls, or raise `VenueBusyError` where that would take too long."""
    given_up_at = time.monotonic() + _PATIENCE_SECONDS
    while wait := bucket.take(calls):
        _refuse_long_wait(wait, given_up_at)
        time.sleep(wait)


def _refuse_long_wait(wait: float, given_up_at: float) -> None:
    if time.monotonic() + wait > given_up_at:
        raise VenueBusyError(retry_after=max(1, round(wait)))


@contextmanager
def _guarded(venue: str, *, now: datetime) -> Iterator[None]:
    with breaker_of(venue).guarding(now=now, failures=(VenueUnavailableError,)), _translated(venue):
        try:
            yield
        except ProductError:
            raise
        except SHAPE_ERRORS as error:
            raise BadAnswerError from error
