"""What an instrument is called: a venue and a pair, in the two ways in which it is written."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

VENUES: Final = ("binance", "coinbase", "kraken", "kucoin")
#: Venues whose old candles may be loaded from files; nobody asks them for anything.
ARCHIVED_VENUES: Final = ("binanceus",)
KNOWN_VENUES: Final = (*VENUES, *ARCHIVED_VENUES)
LONGEST_CODE: Final = 32

# Codes are upper case and may hold any letters (venues list names in Chinese, too), but no sign that a list,
# an address or a name uses.
_CODE: Final = r"[^\s:/,\-?#%&\\\"'<>]{1,32}"
_NAME: Final = re.compile(rf"({'|'.join(KNOWN_VENUES)}):({_CODE})[/-]({_CODE})")
_IS_CODE: Final = re.compile(_CODE)


class InstrumentNameError(ValueError):
    """A text that names no instrument; the message says how to write one."""

    def __init__(self, text: str) -> None:
        self.text = text[:100]
        super().__init__(f"Write an instrument as venue:BASE/QUOTE, for example {VENUES[0]}:BTC/USDT.")


@dataclass(frozen=True, slots=True, order=True)
class InstrumentName:
    """A pair that is traded on a venue."""

    venue: str
    base: str
    quote: str

    def __str__(self) -> str:
        return f"{self.venue}:{self.base}/{self.quote}"

    @property
    def symbol(self) -> str:
        """The pair alone: BTC/USDT."""
        return f"{self.base}/{self.quote}"

    @property
    def path(self) -> str:
        """The name as it stands in an address: binance:BTC-USDT."""
        return f"{self.venue}:{self.base}-{self.quote}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read either way of writing, or raise `InstrumentNameError`."""
        found = _NAME.fullmatch(text)
        if found is None:
            raise InstrumentNameError(text)
        return cls(*found.groups())

    @classmethod
    def of(cls, venue: str, symbol: str) -> Self:
        """Build the name from a venue and a pair as tables hold them."""
        return cls.parse(f"{venue}:{symbol}")


def is_code(text: str) -> bool:
    """Tell whether a venue's code can stand in a name."""
    return _IS_CODE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Listing:
    """A pair as its venue lists it at the moment."""

    name: InstrumentName
    venue_symbol: str
    price_digits: int
    amount_digits: int
    active: bool


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What a venue says of a pair's last 24 hours; the volume is in the quote, `change` is a fraction."""

    name: InstrumentName
    price: Decimal
    change: Decimal | None
    volume: Decimal | None
    ts: int
