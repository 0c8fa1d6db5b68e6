"""What the table of markets shows: every instrument of this world with its price, its week and its size."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.core.cache import RedisOutage
from apps.markets.domain.instruments import InstrumentName
from apps.markets.domain.market_table import ROWS_PER_PAGE, MarketRow, MarketWish, select, spark_of
from apps.markets.domain.prices import Price
from apps.markets.models import Instrument, MarketSummary, WatchlistItem
from apps.markets.models.catalogue import world_is_simulated
from apps.markets.queries.prices import latest_prices

#: The lines that this process has drawn: of which summary, and the line.
_drawn: dict[UUID, tuple[datetime, str]] = {}
_MANY: Final = 100
_COLUMNS = ("id", "venue", "symbol", "base__name", "base__symbol", "price_digits", "volume_usd")


@dataclass(frozen=True, slots=True)
class Week:
    """What the table knows of an instrument's last seven days."""

    hour_ago: Decimal | None
    week_ago: Decimal | None


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


@dataclass(frozen=True, slots=True)
class _Listed:
    """An instrument as the table lists it, before prices and history are looked up."""

    id: UUID
    name: InstrumentName
    title: str
    digits: int
    volume: Decimal | None


def market_rows(*, user: User, names: Collection[str] | None = None) -> list[MarketRow]:
    """Return the rows of all active instruments, the largest first, or of those named, whatever their state."""
    listed = _listed(names)
    return _with_sparks(_figures(user, listed), listed)


def market_page(*, user: User, wish: MarketWish) -> MarketPage:
    """Return the page of the table that a reader asked for."""
    listed = _listed(None)
    rows = _figures(user, listed)
    found = select(rows, wish)
    pages = max(1, -(-len(found) // ROWS_PER_PAGE))
    page = min(wish.page, pages)
    return MarketPage(
        rows=tuple(_with_sparks(found[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE], listed)),
        found=len(found),
        total=len(rows),
        page=page,
        pages=pages,
        venues=tuple(sorted({row.name.venue for row in rows})),
        quotes=_quotes(rows),
        simulated=world_is_simulated(),
        with_price=sum(row.price is not None for row in rows),
        with_history=sum(row.week_ago is not None for row in rows),
    )


def find_markets(*, user: User, words: str, limit: int) -> list[MarketRow]:
    """Return the markets that fit some words, those whose ticker begins with them first, then the largest."""
    plain = [MarketRow(one.name, one.title, one.digits, volume=one.volume) for one in _listed(None)]
    start = words.strip().upper()
    fitting = select(plain, MarketWish(words=words))
    fitting.sort(key=lambda row: (row.name.base != start, not row.name.base.startswith(start)))
    best = [str(row.name) for row in fitting[:limit]]
    rows = {str(row.name): row for row in _figures(user, _listed(best))}
    return [rows[name] for name in best if name in rows]


def watched_by(*, user: User) -> frozenset[str]:
    """Return the names of the instruments on any list of a person."""
    return frozenset(WatchlistItem.objects.for_user(user).values_list("instrument", flat=True))


def prices_or_none(*, names: Collection[str]) -> Mapping[str, Price]:
    """Return the newest prices; none while the cache does not answer, since a page must open without it."""
    try:
        return latest_prices(instruments=names)
    except RedisOutage:
        return {}


def _listed(names: Collection[str] | None) -> list[_Listed]:
    found = Instrument.objects.here().by_size()
    found = found.active() if names is None else found.filter(symbol__in={name.partition(":")[2] for name in names})
    wanted = None if names is None else set(names)
    return [
        _Listed(row_id, InstrumentName.of(venue, symbol), title or code, digits, volume)
        for row_id, venue, symbol, title, code, digits, volume in found.values_list(*_COLUMNS)
        if wanted is None or f"{venue}:{symbol}" in wanted
    ]


def _figures(user: User, listed: Sequence[_Listed]) -> list[MarketRow]:
    prices = prices_or_none(names=[str(one.name) for one in listed])
    weeks = _weeks([one.id for one in listed])
    watched = watched_by(user=user)
    return [_row_of(one, prices.get(str(one.name)), weeks.get(one.id), watched) for one in listed]


def _row_of(one: _Listed, price: Price | None, week: Week | None, watched: frozenset[str]) -> MarketRow:
    return MarketRow(
        name=one.name,
        title=one.title,
        digits=one.digits,
        price=Decimal(price.price) if price else None,
        ts=price.ts if price else None,
        source=price.source if price else "",
        change_24h=Decimal(price.change_24h) if price and price.change_24h is not None else None,
        hour_ago=week.hour_ago if week else None,
        week_ago=week.week_ago if week else None,
        volume=one.volume,
        watched=str(one.name) in watched,
    )


def _quotes(rows: Collection[MarketRow]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.name.quote] = counts.get(row.name.quote, 0) + 1
    return tuple(sorted(counts, key=lambda code: (-counts[code], code)))


def _weeks(ids: Collection[UUID]) -> Mapping[UUID, Week]:
    rows = _summaries(ids).values_list("instrument_id", "price_1h_ago", "price_7d_ago")
    return {row_id: Week(_price(hour_ago), _price(week_ago)) for row_id, hour_ago, week_ago in rows}


def _with_sparks(rows: Sequence[MarketRow], listed: Sequence[_Listed]) -> list[MarketRow]:
    ids = {one.name: one.id for one in listed}
    sparks = _sparks([ids[row.name] for row in rows])
    return [replace(row, spark=sparks.get(ids[row.name], "")) for row in rows]


def _sparks(ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Return the lines of a week; a thousand of them take a while to read, so each is made once per summary."""
    made = dict(_summaries(ids).values_list("instrument_id", "at"))
    old = [row_id for row_id, at in made.items() if _drawn.get(row_id, (None, ""))[0] != at]
    if old:
        for row_id, at, closes in _summaries(old).values_list("instrument_id", "at", "closes"):
            _drawn[row_id] = (at, spark_of(closes))
    return {row_id: _drawn[row_id][1] for row_id in made if row_id in _drawn}


def _summaries(ids: Collection[UUID]) -> QuerySet[MarketSummary]:
    """Return the summaries of these; of many, those of the whole world, since a long list of ids costs more."""
    if len(ids) > _MANY:
        return MarketSummary.objects.filter(instrument__simulated=world_is_simulated())
    return MarketSummary.objects.filter(instrument_id__in=ids)


def _price(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))
