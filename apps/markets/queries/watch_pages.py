"""What the pages show of a person's watchlists: the lists, what is on one, and on which a market is."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Exists, OuterRef

from apps.accounts.models import User
from apps.markets.domain.instruments import InstrumentName, InstrumentNameError
from apps.markets.domain.market_table import MarketRow
from apps.markets.models import Instrument, Watchlist, WatchlistItem
from apps.markets.models.catalogue import world_is_simulated
from apps.markets.queries.asset_page import preferred_instrument
from apps.markets.queries.market_table import market_rows


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A list by name, how much is on it, and whether a market asked for is."""

    id: UUID
    name: str
    count: int
    holds: bool


@dataclass(frozen=True, slots=True)
class WatchedItem:
    """An item with its market; `row` is None where this world does not know the market."""

    id: UUID
    instrument: str
    note: str
    row: MarketRow | None


@dataclass(frozen=True, slots=True)
class WatchlistPage:
    """A person's lists and what is on the one that is open."""

    lists: tuple[ListEntry, ...]
    current: ListEntry | None
    items: tuple[WatchedItem, ...]
    simulated: bool


@dataclass(frozen=True, slots=True)
class Glance:
    """A few markets: those of a list, or the largest where `watchlist` is empty."""

    watchlist: str
    rows: tuple[MarketRow, ...]
    simulated: bool


def lists_with(*, user: User, instrument: str) -> tuple[ListEntry, ...]:
    """Return a person's lists in their order, each saying whether the market is on it."""
    on_it = WatchlistItem.objects.filter(watchlist=OuterRef("pk"), instrument=instrument)
    found = Watchlist.objects.for_user(user).in_order().annotate(count=Count("items"), holds=Exists(on_it))
    return tuple(ListEntry(*row) for row in found.values_list("id", "name", "count", "holds"))


def watchlist_page(*, user: User, watchlist_id: UUID | None) -> WatchlistPage | None:
    """Return a person's lists and the open one, the first where none is named; nothing where it is not theirs."""
    lists = lists_with(user=user, instrument="")
    current = next((one for one in lists if watchlist_id in {None, one.id}), None)
    if watchlist_id is not None and current is None:
        return None
    return WatchlistPage(lists, current, watched_items(user=user, watchlist_id=current.id) if current else (),
                         world_is_simulated())  # fmt: skip


def watched_items(*, user: User, watchlist_id: UUID) -> tuple[WatchedItem, ...]:
    """Return what is on a list, in its order, with prices."""
    items = list(WatchlistItem.objects.for_user(user).filter(watchlist=watchlist_id).in_order())
    rows = {str(row.name): row for row in market_rows(user=user, names=[item.instrument for item in items])}
    return tuple(WatchedItem(item.pk, item.instrument, item.note, rows.get(item.instrument)) for item in items)


def glance(*, user: User, limit: int) -> Glance:
    """Return a few markets for another page: the person's first list, or the largest where it is empty."""
    first = Watchlist.objects.for_user(user).in_order().first()
    names = list(first.items.in_order().values_list("instrument", flat=True)[:limit]) if first else []
    rows = {str(row.name): row for row in market_rows(user=user, names=names)} if names else {}
    if first is not None and rows:
        return Glance(first.name, tuple(rows[name] for name in names if name in rows), world_is_simulated())
    largest = Instrument.objects.here().active().by_size().values_list("base", "venue", "symbol")[: limit * 8]
    chosen: dict[UUID, str] = {}
    for base, venue, symbol in largest:
        chosen.setdefault(base, f"{venue}:{symbol}")
    found = market_rows(user=user, names=list(chosen.values())[:limit]) if chosen else []
    return Glance("", tuple(found), world_is_simulated())


def named_instrument(*, text: str) -> InstrumentName | None:
    """Return the market that a person wrote by its full name; nothing where the text is something else."""
    try:
        return InstrumentName.parse(text.strip())
    except InstrumentNameError:
        return None


def market_meant(*, text: str) -> InstrumentName | None:
    """Return the market that a person means by its full name or by the symbol of its asset."""
    words = text.split()
    return named_instrument(text=text) or (preferred_instrument(symbol=words[0]) if words else None)
