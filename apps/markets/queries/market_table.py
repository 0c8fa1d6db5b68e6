"""What the table of markets shows: every instrument of this world with its price, its week and its size."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from apps.accounts.models import User
from apps.core.cache import RedisOutage
from apps.markets.domain.instruments import InstrumentName
from apps.markets.domain.market_table import ROWS_PER_PAGE, MarketRow, MarketWish, select, spark_of
from apps.markets.domain.prices import Price
from apps.markets.models import Instrument, MarketSummary, WatchlistItem
from apps.markets.models.catalogue import world_is_simulated
from apps.markets.queries.prices import latest_prices

_COLUMNS = ("id", "venue", "symbol", "base__name", "base__symbol", "price_digits", "volume_usd")


@dataclass(frozen=True, slots=True)
class Week:
    """What the table knows of an instrument's last seven days."""

    hour_ago: Decimal | None
    week_ago: Decimal | None
    spark: str


@dataclass(frozen=True, slots=True)
class MarketPage:
    """One page of the table, how much there is in all, and which venues and quotes can be chosen."""

    rows: tuple[MarketRow, ...]
    found: int
    total: int
    page: int
    pages: int
    venues: tuple[str, ...]
    quotes: tuple[str, ...]
    simulated: bool
    with_price: int
    with_history: int


def market_rows(*, user: User, names: Collection[str] | None = None) -> list[MarketRow]:
    """Return the rows of all active instruments, the largest first, or of those named, whatever their state."""
    found = Instrument.objects.here().by_size()
    found = found.active() if names is None else found.filter(symbol__in={name.partition(":")[2] for name in names})
    raw = [(InstrumentName.of(row[1], row[2]), row) for row in found.values_list(*_COLUMNS)]
    if names is not None:
        wanted = set(names)
        raw = [pair for pair in raw if str(pair[0]) in wanted]
    prices = prices_or_none([str(name) for name, _row in raw])
    weeks = _weeks([row[0] for _name, row in raw])
    watched = watched_by(user=user)
    return [
        _row_of(name, row, prices.get(str(name)), weeks.get(row[0]), watched=str(name) in watched) for name, row in raw
    ]


def market_page(*, user: User, wish: MarketWish) -> MarketPage:
    """Return the page of the table that a reader asked for."""
    rows = market_rows(user=user)
    found = select(rows, wish)
    pages = max(1, -(-len(found) // ROWS_PER_PAGE))
    page = min(wish.page, pages)
    return MarketPage(
        rows=tuple(found[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE]),
        found=len(found),
        total=len(rows),
        page=page,
        pages=pages,
        venues=tuple(sorted({row.name.venue for row in rows})),
        quotes=_quotes(rows),
        simulated=world_is_simulated(),
        with_price=sum(row.price is not None for row in rows),
        with_history=sum(bool(row.spark) for row in rows),
    )


def find_markets(*, user: User, words: str, limit: int) -> list[MarketRow]:
    """Return the markets that fit some words, those whose ticker begins with them first, then the largest."""
    rows = select(market_rows(user=user), MarketWish(words=words))
    start = words.strip().upper()
    ranked = sorted(rows, key=lambda row: (row.name.base != start, not row.name.base.startswith(start)))
    return ranked[:limit]


def watched_by(*, user: User) -> frozenset[str]:
    """Return the names of the instruments on any list of a person."""
    return frozenset(WatchlistItem.objects.for_user(user).values_list("instrument", flat=True))


def prices_or_none(names: Collection[str]) -> Mapping[str, Price]:
    """Return the newest prices; none while the cache does not answer, since a page must open without it."""
    try:
        return latest_prices(instruments=names)
    except RedisOutage:
        return {}


def _row_of(
    name: InstrumentName, row: tuple[object, ...], price: Price | None, week: Week | None, *, watched: bool
) -> MarketRow:
    _id, _venue, _symbol, title, code, digits, volume = row
    return MarketRow(
        name=name,
        title=str(title or code),
        digits=int(str(digits)),
        price=Decimal(price.price) if price else None,
        ts=price.ts if price else None,
        source=price.source if price else "",
        change_24h=Decimal(price.change_24h) if price and price.change_24h is not None else None,
        hour_ago=week.hour_ago if week else None,
        week_ago=week.week_ago if week else None,
        volume=volume if isinstance(volume, Decimal) else None,
        spark=week.spark if week else "",
        watched=watched,
    )


def _quotes(rows: Collection[MarketRow]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.name.quote] = counts.get(row.name.quote, 0) + 1
    return tuple(sorted(counts, key=lambda code: (-counts[code], code)))


def _weeks(ids: Collection[UUID]) -> Mapping[UUID, Week]:
    found = MarketSummary.objects.filter(instrument_id__in=ids)
    rows = found.values_list("instrument_id", "price_1h_ago", "price_7d_ago", "closes")
    return {
        row_id: Week(_price(hour_ago), _price(week_ago), spark_of(closes))
        for row_id, hour_ago, week_ago, closes in rows
    }


def _price(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))
