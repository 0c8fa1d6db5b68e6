"""The door through which other apps borrow a client of an exchange that works with somebody's key.

Manners are shared with the reading of prices: one bucket per exchange and address, strict answers, our own errors.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from apps.core.breaker import Breaker
from apps.core.errors import ProductError
from apps.markets.gateways.ccxt_client import is_ours
from apps.markets.gateways.private_client import Judge, Loan, PrivateClient, Read, lend, private_breaker_of
from apps.markets.gateways.venue_errors import (
    BadAnswerError,
    Heard,
    VenueBlockedError,
    VenueBusyError,
    VenueRefusedError,
    VenueUnavailableError,
    classified,
)

__all__ = [
    "BadAnswerError",
    "Heard",
    "Judge",
    "Loan",
    "PrivateClient",
    "Read",
    "VenueBlockedError",
    "VenueBusyError",
    "VenueRefusedError",
    "VenueUnavailableError",
    "breaker_of",
    "is_on_this_machine",
    "lend_client",
    "usual_meaning",
]


@contextmanager
def lend_client(*, loan: Loan, now: datetime) -> Iterator[PrivateClient]:
    """Lend a client with a key for this thread and this piece of work."""
    with lend(loan=loan, now=now) as client:
        yield client


def usual_meaning(*, exchange: str, error: Exception, heard: Heard) -> ProductError:
    """Return what an error of ccxt means where no key has to do with it."""
    return classified(exchange, error, heard)


def breaker_of(*, exchange: str) -> Breaker:
    """Return the breaker of an exchange's private side."""
    return private_breaker_of(exchange)


def is_on_this_machine(*, exchange: str) -> bool:
    """Tell whether an exchange is a server on this machine, as the simulator is."""
    return is_ours(exchange)
