"""ccxt with somebody's key inside, as narrow as it can be: only the calls named beforehand, exact numbers, no traces.

Whoever borrows a client says which calls there are, under words of its own, and what each costs; nothing else can be
reached through it. What ccxt's errors quote, the signed address and the body, stays here.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, NoReturn

from apps.core.breaker import Breaker, BreakerOpenError
from apps.core.errors import ProductError
from apps.core.locks import TokenBucket
from apps.markets.gateways.ccxt_client import (
    SHAPE_ERRORS,
    StrictSync,
    address_of,
    bucket_of,
    checked,
    forget_heard,
    heard_last,
    is_ours,
    redirect,
    settings_of,
    wait_for,
)
from apps.markets.gateways.venue_errors import BadAnswerError, Heard, VenueUnavailableError

Judge = Callable[[str, Exception, Heard], ProductError]

#: The words by which ccxt knows the parts of a key.
_FIELDS: Final = {"api_key": "apiKey", "api_secret": "secret", "passphrase": "password"}
_SILENT: Final = logging.getLogger("coinsphere.silent")
_SILENT.disabled = True


class Read(NamedTuple):
    """One call that may be made: ccxt's method, what it costs the address, and what it costs the key."""

    method: str
    calls: float = 1.0
    key_calls: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """What a client is borrowed for: a venue, a key, the calls that will be made, and who tells what an error means."""

    exchange: str
    key: Mapping[str, str]
    reads: Mapping[str, Read]
    judge: Judge
    #: Raised by `judge` where the clock or the nonce is off; the call is made once more after the clock was measured.
    clock_errors: tuple[type[ProductError], ...]
    #: How many `key_calls` a second and at once the venue grants one key; None where only addresses are counted.
    key_rate: tuple[float, float] | None = None
    key_name: str = ""


class PrivateClient:
    """The calls of one loan; `requests` counts those that went out."""

    def __init__(self, loan: Loan, client: Any, *, now: datetime) -> None:  # noqa: ANN401 - ccxt is not typed
        self._loan, self._client = loan, client
        self._began, self._began_at = time.monotonic(), now
        self.requests = 0

    @property
    def now(self) -> datetime:
        """The present, counted on from the moment of borrowing."""
        return self._began_at + timedelta(seconds=time.monotonic() - self._began)

    @property
    def address(self) -> str:
        """The operator's own address of the venue, or nothing."""
        return address_of(self._loan.exchange)

    def ask(self, word: str, *arguments: Any) -> Any:  # noqa: ANN401 - a venue's answer has any shape
        """Make one of the calls of the loan and return the venue's answer, or raise one of our errors."""
        read = self._loan.reads[word]
        try:
            return self._once(read, arguments)
        except self._loan.clock_errors:
            self.measure_clock()
        return self._once(read, arguments)

    def measure_clock(self) -> int:
        """Ask the venue for its time, count with it from now on, and return by how much our clock is ahead, in ms."""
        return int(self._once(Read("load_time_difference"), ()))

    def holds(self, word: str) -> bool:
        """Tell whether a call is part of the loan."""
        return word in self._loan.reads

    def _once(self, read: Read, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401 - a venue's answer has any shape
        ours = is_ours(self._loan.exchange)
        wait_for(bucket_of(self._loan.exchange), min(1.0, read.calls) if ours else read.calls)
        if self._loan.key_rate and read.key_calls and not ours:
            rate, burst = self._loan.key_rate
            wait_for(TokenBucket(f"venue-key:{self._loan.key_name}", rate=rate, burst=burst), read.key_calls)
        self.requests += 1
        try:
            with private_breaker_of(self._loan.exchange).guarding(now=self.now, failures=(VenueUnavailableError,)):
                return self._called(read, arguments)
        except BreakerOpenError as error:
            pause = error.retry_after
        raise VenueUnavailableError(retry_after=pause)

    def _called(self, read: Read, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401 - a venue's answer has any shape
        # 81 MB: only processes that call an exchange load it
        from ccxt.base.errors import BaseError

        forget_heard()
        failure: ProductError
        try:
            return getattr(self._client, read.method)(*arguments)
        except ProductError:
            raise
        except BaseError as error:
            failure = self._loan.judge(self._loan.exchange, error, heard_last())
        except SHAPE_ERRORS:
            failure = BadAnswerError()
        raise failure  # outside of the handlers, so that it takes nothing of what ccxt said along


def private_breaker_of(exchange: str) -> Breaker:
    """Return the breaker that all processes share for a venue's private side."""
    return Breaker(f"venue:{exchange}:private")


@contextmanager
def lend(*, loan: Loan, now: datetime) -> Iterator[PrivateClient]:
    """Lend a client for this thread and this piece of work."""
    client = _made(loan)
    try:
        yield PrivateClient(loan, client, now=now)
    finally:
        client.session.close()
        for name in _FIELDS.values():
            setattr(client, name, "")


def _made(loan: Loan) -> Any:  # noqa: ANN401 - ccxt is not typed
    client = _class(loan.exchange)(settings_of(loan.exchange))
    for ours, theirs in _FIELDS.items():
        setattr(client, theirs, loan.key.get(ours, ""))
    client.judge = loan.judge
    client.logger = _SILENT  # at its most talkative it would tell headers, and with them keys
    redirect(client)
    return client


class _Discreet(StrictSync):
    """Refuses what is not JSON, keeps every digit, and lets no error out that quotes a signed address."""

    judge: Judge

    def fetch(self, url: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - ccxt's own signature
        # 81 MB: only processes that call an exchange load it
        from ccxt.base.errors import BaseError

        forget_heard()
        failure: ProductError
        try:
            return checked(super(StrictSync, self).fetch(url, *arguments, **options))  # type: ignore[misc]  # ccxt's
        except BaseError as error:
            failure = self.judge(self.id, error, heard_last())
        raise failure

    def sign(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - ccxt's own signature
        """Sign a request; a secret that cannot sign is a wrong key, whatever the library under ccxt says of it."""
        # 81 MB: only processes that call an exchange load it
        from ccxt.base.errors import AuthenticationError

        try:
            return super().sign(*arguments, **options)  # type: ignore[misc]  # ccxt's
        except SHAPE_ERRORS:
            unfit = AuthenticationError(self.id)
        raise unfit

    @staticmethod
    def on_json_response(text: str) -> Any:  # noqa: ANN401 - any JSON
        """Read JSON without a float: a number with a point stays the text that it was."""
        return json.loads(text, parse_float=str, parse_constant=_refuse_constant)

    def seconds(self) -> int:
        """Return the venue's time once the clock was measured; Coinbase's tokens are made with it."""
        ahead = int(self.options.get("timeDifference") or 0)  # type: ignore[attr-defined]  # ccxt's
        return int(time.time() * 1000 - ahead) // 1000


def _refuse_constant(_text: str) -> NoReturn:
    raise BadAnswerError


_classes: dict[str, type] = {}


def _class(exchange: str) -> type:
    if exchange not in _classes:
        # 81 MB and a second: only processes that call an exchange load it
        import ccxt

        _classes[exchange] = type(f"Discreet_{exchange}", (_Discreet, getattr(ccxt, exchange)), {})
    return _classes[exchange]
