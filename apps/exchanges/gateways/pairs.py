"""Every pair a venue ever had, as far as anybody remembers, and which of them an account is likely to have traded."""

import threading
import time
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Final, NamedTuple

from apps.exchanges.gateways.errors import VenueRefusedError
from apps.markets.queries import instruments
from apps.portfolios.domain.importing.pairs import split_pair
from apps.portfolios.domain.importing.problems import LineError

#: What is traded against most, most first.
_QUOTES: Final = ("USDT", "USDC", "BTC", "USD", "EUR", "FDUSD", "BUSD", "ETH", "BNB", "TUSD", "TRY", "GBP")
_USUAL: Final = frozenset(_QUOTES[:10])
_KEPT_SECONDS: Final = 3_600.0


class Pair(NamedTuple):
    """A pair by the codes of its venue, and what the venue calls it."""

    base: str
    quote: str
    id: str = ""

    def __str__(self) -> str:
        return f"{self.base}/{self.quote}"


_listed: dict[tuple[str, str], tuple[float, tuple[Pair, ...]]] = {}
_listed_lock = threading.Lock()


def pairs_of(venue: str, ask: Callable[[], Iterable[Pair]], *, address: str, now: datetime) -> Collection[Pair]:
    """Return the pairs that the venue lists, asked for once an hour in a process, and those that it has had before."""
    with _listed_lock:
        asked_at, found = _listed.get((venue, address), (0.0, ()))
    if not found or time.monotonic() - asked_at > _KEPT_SECONDS:
        try:
            found = tuple(ask())
        except VenueRefusedError:
            found = ()  # a venue without a list; what we have seen of it before counts
        with _listed_lock:
            _listed[venue, address] = (time.monotonic(), found)
    return {*found, *_remembered(venue, now)}


def _remembered(venue: str, now: datetime) -> list[Pair]:
    known = instruments(venue=venue, now=now).values_list("symbol", "venue_symbol")
    sides = ((symbol.partition("/"), name) for symbol, name in known)
    return [Pair(base, quote, name) for (base, _slash, quote), name in sides]


def likely_pairs(known: Collection[Pair], *, coins: Collection[str], hints: Collection[str]) -> list[Pair]:
    """Return the pairs that were named, and those of coins that the account has or had against what is usual."""
    by_id = {one.id: one for one in known}
    named = [pair for hint in hints if (pair := _named(hint, by_id, coins)) is not None]
    seen = {*coins, *(hint for hint in hints if "/" not in hint)}
    fitting = [one for one in known if one.base in seen and (one.quote in seen or one.quote in _USUAL)]
    return list(dict.fromkeys([*named, *sorted(fitting, key=_rank)]))


def other_pairs(known: Collection[Pair]) -> list[Pair]:
    """Return every pair, what is traded most first."""
    return sorted(known, key=_rank)


def _rank(pair: Pair) -> tuple[int, str]:
    place = _QUOTES.index(pair.quote) if pair.quote in _QUOTES else len(_QUOTES)
    return place, pair.base


def _named(hint: str, by_id: dict[str, Pair], coins: Collection[str]) -> Pair | None:
    """Return the pair that a hint names: ETH/BTC, or GONEUSDT by the table of every pair ever seen; None for a coin."""
    if hint in by_id:
        return by_id[hint]
    if hint in coins or not any(sign in hint for sign in "/-_"):
        return None
    try:
        return Pair(*split_pair(hint))
    except LineError:
        return None
