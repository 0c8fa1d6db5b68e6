"""The newest price of every instrument, once a process, ready to be put into any number of frames.

A price is encoded when somebody needs it; its age is added once a send phase, whoever gets it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from apps.markets.domain.instruments import VENUES
from apps.markets.domain.prices import STALE_AFTER_MS, Price

NEVER: Final = -1


class Quote:
    """One instrument on the board; `revision` says when it changed last, 0 that no price is known.

    `text` is its ticker as JSON with the age it has in `phase`; `Board.write` makes it for a newer phase.
    """

    __slots__ = ("head", "phase", "price", "revision", "text")

    def __init__(self) -> None:
        self.price: Price | None = None
        self.revision = 0
        self.head = b""
        self.phase = NEVER
        self.text = b""

    def take(self, price: Price, revision: int) -> None:
        """Keep a newer price."""
        self.price, self.revision, self.head, self.phase = price, revision, b"", NEVER


def _head_of(price: Price, *, simulated: bool) -> bytes:
    ticker = {
        "instrument": price.instrument,
        "price": price.price,
        "change_24h": price.change_24h,
        "volume_24h": price.volume_24h,
        "ts": price.ts,
        "source": price.source,
        "simulated": simulated,
    }
    return orjson.dumps(ticker)[:-1] + b',"age_ms":'


class Board:
    """All instruments of this instance's world."""

    def __init__(self, *, simulated: bool, now_ms: int) -> None:
        self.simulated = simulated
        self.revision = 0
        self.phase = 0
        self.now_ms = now_ms
        self._quotes: dict[str, Quote] = {}
        self._names: frozenset[str] = frozenset()
        self._heard_at = dict.fromkeys(VENUES, now_ms)

    # --- What is known ----------------------------------------------------------------------------------------------
    def name(self, instruments: Iterable[str]) -> None:
        """Learn which instruments there are; one whose price is known is known anyway."""
        self._names = frozenset(instruments)

    def knows(self, instrument: str) -> bool:
        """Tell whether there is such an instrument."""
        quote = self._quotes.get(instrument)
        return instrument in self._names or (quote is not None and quote.revision > 0)

    def quote(self, instrument: str) -> Quote:
        """Return the place of an instrument; ask `knows` first."""
        return self._quotes.setdefault(instrument, Quote())

    # --- Prices -----------------------------------------------------------------------------------------------------
    def load(self, prices: Mapping[str, Price]) -> None:
        """Take over the whole cache, as after a start or a gap; what has not changed stays as it is."""
        self._apply(price for name, price in prices.items() if self._is_news(name, price))
        for venue in VENUES:
            newest = max((price.ts for name, price in prices.items() if venue_of(name) == venue), default=0)
            self._heard_at[venue] = max(self._heard_at[venue], newest)

    def _is_news(self, instrument: str, price: Price) -> bool:
        quote = self._quotes.get(instrument)
        return quote is None or quote.price is None or quote.price != price

    def hear(self, prices: Iterable[Price], *, now_ms: int) -> None:
        """Take a batch that was just published."""
        for venue in self._apply(prices):
            self._heard_at[venue] = now_ms

    def _apply(self, prices: Iterable[Price]) -> set[str]:
        revision, venues = self.revision + 1, set()
        for price in prices:
            self.quote(price.instrument).take(price, revision)
            venues.add(venue_of(price.instrument))
        if venues:
            self.revision = revision
        return venues

    def begin(self, now_ms: int) -> None:
        """Begin a send phase: from here on ages are those of this moment."""
        self.phase += 1
        self.now_ms = now_ms

    def write(self, quote: Quote) -> bytes:
        """Write a ticker with the age it has in this phase."""
        if quote.price is not None:
            quote.head = quote.head or _head_of(quote.price, simulated=self.simulated)
            quote.text = b"%b%d}" % (quote.head, max(0, self.now_ms - quote.price.ts))
        quote.phase = self.phase
        return quote.text

    def tickers(self, quotes: Iterable[Quote], *, after: int) -> list[bytes]:
        """Return the tickers of these that have changed after a revision; most are written for several clients."""
        phase, write = self.phase, self.write
        return [quote.text if quote.phase == phase else write(quote) for quote in quotes if quote.revision > after]

    # --- Silence ----------------------------------------------------------------------------------------------------
    def silent(self, *, now_ms: int) -> dict[str, int]:
        """Return the venues of which nothing has been heard for long, and since when (ms)."""
        return {venue: at for venue, at in self._heard_at.items() if now_ms - at > STALE_AFTER_MS}


def venue_of(instrument: str) -> str:
    """Return the venue of an instrument's name."""
    return instrument.partition(":")[0]
