"""Watching from any page: the star, and taking back what was deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core.errors import NotFoundError
from apps.markets.actions import watchlists
from apps.markets.models import Watchlist, WatchlistItem

if TYPE_CHECKING:
    from apps.accounts.models import User

_SUFFIXES: Final = 50


@dataclass(frozen=True, slots=True)
class Watched:
    """What a press of the star did: on which list, and whether the market is on it now."""

    watchlist: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class KeptItem:
    """An item of a list, as it is needed to put it back."""

    instrument: str
    note: str
    position: int


@dataclass(frozen=True, slots=True)
class KeptList:
    """A list, or one item of it where `watchlist_id` is set, as it is needed to put it back."""

    name: str
    position: int
    items: tuple[KeptItem, ...]
    watchlist_id: str = ""

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> KeptList:
        """Read it as a session has kept it."""
        items = tuple(KeptItem(**item) for item in kept["items"])
        return cls(str(kept["name"]), int(kept["position"]), items, str(kept["watchlist_id"]))


def watch(*, user: User, instrument: str, watchlist_id: UUID | None, new_list: str, now: datetime) -> Watched:
    """Put a market on a list or take it off: a new one, the one named, or the first, made where there is none."""
    with transaction.atomic():
        if new_list:
            row = watchlists.create_watchlist(user=user, name=new_list, now=now)
        else:
            row = _list_of(user, watchlist_id, now)
        held = WatchlistItem.objects.for_user(user).filter(watchlist=row, instrument=instrument).first()
        if held is not None:
            watchlists.remove_from_watchlist(user=user, watchlist_id=row.pk, item_id=held.pk)
        else:
            watchlists.add_to_watchlist(user=user, watchlist_id=row.pk, instrument=instrument, now=now)
        return Watched(row.name, is_on=held is None)


def drop_watchlist(*, user: User, watchlist_id: UUID) -> KeptList:
    """Delete a list and return what is needed to put it back."""
    with transaction.atomic():
        row = _list_of(user, watchlist_id, None)
        kept = KeptList(row.name, row.position, tuple(_kept(item) for item in row.items.in_order()))
        watchlists.delete_watchlist(user=user, watchlist_id=watchlist_id)
        return kept


def drop_item(*, user: User, watchlist_id: UUID, item_id: UUID) -> KeptList:
    """Take a market off a list and return what is needed to put it back."""
    with transaction.atomic():
        row = _list_of(user, watchlist_id, None)
        item = row.items.filter(pk=item_id).first()
        if item is None:
            raise NotFoundError
        watchlists.remove_from_watchlist(user=user, watchlist_id=watchlist_id, item_id=item_id)
        return KeptList(row.name, row.position, (_kept(item),), str(watchlist_id))


def put_back(*, user: User, kept: KeptList, now: datetime) -> UUID:
    """Put back a list or an item that was deleted, where it stood; return the list it is on."""
    with transaction.atomic():
        if kept.watchlist_id:
            row = _list_of(user, UUID(kept.watchlist_id), None)
        else:
            row = watchlists.create_watchlist(user=user, name=_free_name(user, kept.name), now=now)
            others = [one.pk for one in Watchlist.objects.for_user(user).in_order() if one != row]
            others.insert(min(kept.position, len(others)), row.pk)
            watchlists.order_watchlists(user=user, ids=others)
        for item in kept.items:
            _put_item(user, row, item, now)
        return row.pk


def _put_item(user: User, row: Watchlist, item: KeptItem, now: datetime) -> None:
    watchlists.hold_list(user=user, watchlist_id=row.pk)
    before = [one.pk for one in row.items.in_order()]
    if not row.items.filter(instrument=item.instrument).exists():
        watchlists.refuse_full(watchlist=row)
    made, _created = WatchlistItem.objects.get_or_create(
        watchlist=row,
        instrument=item.instrument,
        defaults={"note": item.note, "position": item.position, "created_at": now},
    )
    order = [one for one in before if one != made.pk]
    order.insert(min(item.position, len(order)), made.pk)
    watchlists.order_items(user=user, watchlist_id=row.pk, ids=order)


def _list_of(user: User, watchlist_id: UUID | None, now: datetime | None) -> Watchlist:
    mine = Watchlist.objects.for_user(user).in_order()
    row = mine.filter(pk=watchlist_id).first() if watchlist_id else mine.first()
    if row is None and watchlist_id is None and now is not None:
        return watchlists.create_watchlist(user=user, name=_("Watchlist"), now=now)
    if row is None:
        raise NotFoundError
    return row


def _free_name(user: User, name: str) -> str:
    taken = {held.lower() for held in Watchlist.objects.for_user(user).values_list("name", flat=True)}
    tries = (name, *(f"{name[:74]} ({count})" for count in range(2, _SUFFIXES)))
    return next(one for one in tries if one.lower() not in taken)


def _kept(item: WatchlistItem) -> KeptItem:
    return KeptItem(item.instrument, item.note, item.position)
