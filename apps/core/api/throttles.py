"""Limits on requests, counted in Redis for all processes, or in this one's memory while Redis is away; never none."""

import math
import threading
import time
from abc import ABC, abstractmethod
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest
from prometheus_client import Counter
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.core.locks import TokenBucket

if TYPE_CHECKING:
    from rest_framework.views import APIView  # that module loads this one, through the settings

_hits = Counter("coinsphere_throttle_hits_total", "Requests refused because they came too fast.", ["scope"])
_LOT_SECONDS = 1.0
_SPENDERS = 8  # so many processes may each let a lot expire every second, and a steady caller is still not held back
_MOST_LOTS = 10_000
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def client_address(request: HttpRequest | Request) -> str:
    """Return where the request comes from; forwarded addresses count only as far as we trust the proxies."""
    trusted = settings.TRUSTED_PROXIES
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    raw = hops[-trusted] if trusted and len(hops) >= trusted else request.META.get("REMOTE_ADDR") or ""
    try:
        address = ip_address(raw)
    except ValueError:
        return "unknown"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def network_of(address: str) -> str:
    """Return what is counted as one caller: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else str(IPv6Address(int(parsed) >> 64 << 64)) + "/64"


@lru_cache(maxsize=256)
def parse_rate(rate: str) -> tuple[int, int]:
    """Return number and seconds of a rate such as "300/min" or "10/15m"."""
    number, _, period = rate.partition("/")
    digits = "".join(character for character in period if character.isdigit())
    unit = period[len(digits) :][:1]
    return int(number), int(digits or 1) * _SECONDS[unit]


class _Lots:
    """Tokens that this process has taken from the shared bucket and not spent yet.

    Where a limit is generous its tokens are taken some at a time, so that most requests ask nobody. What is spent was
    taken before, so the limit holds for all processes together; what is not spent within a second is forgotten.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[str, tuple[int, float]] = {}

    def spend(self, key: str) -> bool:
        """Spend one token, if there is one left."""
        with self._lock:
            left, until = self._left.get(key, (0, 0.0))
            if not left or time.monotonic() > until:
                return False
            self._left[key] = (left - 1, until)
        return True

    def keep(self, key: str, tokens: int) -> None:
        """Keep tokens for the requests to come."""
        with self._lock:
            if len(self._left) >= _MOST_LOTS:
                self._left.clear()
            self._left[key] = (tokens, time.monotonic() + _LOT_SECONDS)


_lots = _Lots()


def _lot_size(number: int, seconds: int) -> int:
    """Return how many tokens to take at once: few beside the limit, and less than flow back before they expire."""
    return min(number // 256, int(number / seconds * _LOT_SECONDS) // _SPENDERS)


def take(*, scope: str, caller: str, rate: str) -> int:
    """Count one request of the caller; return 0, or the seconds after which it may try again."""
    key = f"{scope}:{caller}:{rate}"
    if _lots.spend(key):
        return 0
    number, seconds = parse_rate(rate)
    bucket = TokenBucket(f"throttle:{scope}:{caller}", rate=number / seconds, burst=number)
    lot = _lot_size(number, seconds)
    if lot > 1 and not bucket.take(lot):
        _lots.keep(key, lot - 1)
        return 0
    wait = bucket.take()
    if not wait:
        return 0
    _hits.labels(scope=scope).inc()
    return max(1, math.ceil(wait))


class Throttle(BaseThrottle, ABC):
    """Counts requests of one kind; the rates stand in the settings under API_RATES. One serves all requests."""

    @abstractmethod
    def caller(self, request: Request, view: "APIView") -> tuple[str, str] | None:
        """Return the scope and who is counted in it, or nothing when this throttle is not about them."""

    def seconds(self, request: Request, view: "APIView") -> int:
        """Count the request; return the seconds after which it may come again, or 0 if it may go on."""
        counted = self.caller(request, view)
        if counted is None:
            return 0
        scope, caller = counted
        return take(scope=scope, caller=caller, rate=settings.API_RATES[scope])

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Answer views of the framework that are none of ours."""
        return not self.seconds(request, view)


def _address(request: Request) -> str:
    return network_of(client_address(request))


class AnonThrottle(Throttle):
    """Counts by address, whoever they say they are."""

    def caller(self, request: Request, view: "APIView") -> tuple[str, str] | None:  # noqa: ARG002 - as above
        return "anon", _address(request)


class CallerThrottle(Throttle):
    """Counts people, whatever token or address they use, and by address those who are not signed in."""

    def caller(self, request: Request, view: "APIView") -> tuple[str, str] | None:  # noqa: ARG002 - as above
        person = request.user
        return ("user", str(person.pk)) if person.is_authenticated else ("anon", _address(request))


class ScopedThrottle(Throttle):
    """Counts what a view names as its `throttle_scope`, by person or else by address."""

    def caller(self, request: Request, view: "APIView") -> tuple[str, str] | None:
        scope = getattr(view, "throttle_scope", "")
        if not scope:
            return None
        person = request.user
        return scope, str(person.pk) if person.is_authenticated else _address(request)
