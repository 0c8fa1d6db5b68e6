"""The table of the markets page: its rows, what a reader wants to see of them, and in which order."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from apps.markets.domain.instruments import InstrumentName

SPARK_POINTS: Final = 42
SPARK_LEVELS: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
ROWS_PER_PAGE: Final = 60


@dataclass(frozen=True, slots=True)
class MarketRow:
    """One instrument as the table shows it; what is unknown is None."""

    name: InstrumentName
    title: str
    digits: int
    price: Decimal | None = None
    ts: int | None = None
    source: str = ""
    change_24h: Decimal | None = None
    hour_ago: Decimal | None = None
    week_ago: Decimal | None = None
    volume: Decimal | None = None
    spark: str = ""
    watched: bool = False

    @property
    def change_1h(self) -> Decimal | None:
        """How far the price has moved within an hour, as a fraction."""
        return moved(self.hour_ago, self.price)

    @property
    def change_7d(self) -> Decimal | None:
        """How far the price has moved within a week, as a fraction."""
        return moved(self.week_ago, self.price)


@dataclass(frozen=True, slots=True)
class MarketWish:
    """What a reader of the table asked for."""

    words: str = ""
    venue: str = ""
    quote: str = ""
    sort: str = "volume"
    descending: bool = True
    page: int = 1


def moved(before: Decimal | None, after: Decimal | None) -> Decimal | None:
    """Return the change from one price to another as a fraction, or None where one of them is unknown."""
    if before is None or after is None or before <= 0:
        return None
    return after / before - 1


COLUMNS: Final[dict[str, Callable[[MarketRow], Decimal | str | None]]] = {
    "name": lambda row: f"{row.title.lower()} {row.name.symbol} {row.name.venue}",
    "price": lambda row: row.price,
    "change_1h": lambda row: row.change_1h,
    "change_24h": lambda row: row.change_24h,
    "change_7d": lambda row: row.change_7d,
    "volume": lambda row: row.volume,
}


def select(rows: Iterable[MarketRow], wish: MarketWish) -> list[MarketRow]:
    """Keep what the reader asked for, in the order they asked for; unknown figures stand last either way."""
    words = wish.words.lower().split()
    kept = [row for row in rows if _fits(row, wish, words)]
    key = COLUMNS[wish.sort]
    known = [row for row in kept if key(row) is not None]
    known.sort(key=key, reverse=wish.descending)  # type: ignore[arg-type]
    return known + [row for row in kept if key(row) is None]


def _fits(row: MarketRow, wish: MarketWish, words: Sequence[str]) -> bool:
    if wish.venue and row.name.venue != wish.venue:
        return False
    if wish.quote and row.name.quote != wish.quote:
        return False
    text = f"{row.title} {row.name.symbol} {row.name.venue}".lower()
    return all(word in text for word in words)


def spark_of(closes: Sequence[float | None]) -> str:
    """Write a week of closes as one letter a point, the lowest as 0 and the highest as _."""
    known = [close for close in closes if close is not None and close > 0]
    if len(known) < 2:
        return ""
    count = min(SPARK_POINTS, len(known))
    picked = [known[round(at * (len(known) - 1) / (count - 1))] for at in range(count)]
    low, high = min(picked), max(picked)
    scale = (len(SPARK_LEVELS) - 1) / (high - low) if high > low else 0.0
    middle = 0.0 if scale else (len(SPARK_LEVELS) - 1) / 2
    return "".join(SPARK_LEVELS[round((close - low) * scale + middle)] for close in picked)
