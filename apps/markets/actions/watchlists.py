"""Watchlists: made, named, ordered, filled and emptied by their owner alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from apps.core.errors import ConflictError, FieldProblem, InvalidError, NotFoundError
from apps.markets.domain.instruments import InstrumentName, InstrumentNameError
from apps.markets.models import Watchlist, WatchlistItem
from apps.markets.queries.catalogue import known_instruments

if TYPE_CHECKING:
    from apps.accounts.models import User

_Row = TypeVar("_Row", Watchlist, WatchlistItem)
MOST_LISTS: Final = 50
MOST_ITEMS: Final = 500


class NameTakenError(ConflictError):
    """The person has a list of that name already."""

    code = "watchlist_name_taken"
    title = "You have a list of that name"
    default_detail = "Choose another name, or use the list that has it."


class TooManyListsError(ConflictError):
    """The person keeps as many lists as they can."""

    code = "too_many_watchlists"
    title = "Too many lists"
    default_detail = f"You can keep {MOST_LISTS} lists. Delete one that you no longer need."


class TooManyItemsError(ConflictError):
    """The list is full."""

    code = "watchlist_full"
    title = "The list is full"
    default_detail = f"A list holds {MOST_ITEMS} instruments. Remove some, or begin another list."


def create_watchlist(*, user: User, name: str, now: datetime) -> Watchlist:
    """Make a list at the end of the person's lists."""
    with transaction.atomic():
        _hold_lists(user)
        mine = list(Watchlist.objects.for_user(user).values_list("name", "position"))
        if len(mine) >= MOST_LISTS:
            raise TooManyListsError
        _refuse_taken(name, [held for held, _position in mine])
        last = max((position for _name, position in mine), default=-1)
        return Watchlist.objects.create(owner=user, name=name, position=last + 1, created_at=now)


def rename_watchlist(*, user: User, watchlist_id: UUID, name: str) -> Watchlist:
    """Give a list another name."""
    with transaction.atomic():
        row = _own(user, watchlist_id)
        _refuse_taken(name, Watchlist.objects.for_user(user).exclude(pk=row.pk).values_list("name", flat=True))
        row.name = name
        row.save(update_fields=["name"])
        return row


def delete_watchlist(*, user: User, watchlist_id: UUID) -> None:
    """Delete a list and what is on it."""
    with transaction.atomic():
        _own(user, watchlist_id).delete()


def order_watchlists(*, user: User, ids: Sequence[UUID]) -> None:
    """Put the person's lists in this order; those not named follow as they stood."""
    with transaction.atomic():
        rows = list(Watchlist.objects.for_user(user).in_order().select_for_update())
        Watchlist.objects.bulk_update(_ordered(rows, ids, field="watchlists"), ["position"])


def add_to_watchlist(
    *, user: User, watchlist_id: UUID, instrument: str, note: str = "", now: datetime
) -> tuple[WatchlistItem, bool]:
    """Put an instrument at the end of a list, once; return its item and whether it is new."""
    name = _known(instrument)
    with transaction.atomic():
        row = _own(user, watchlist_id)
        held = WatchlistItem.objects.filter(watchlist=row, instrument=str(name)).first()
        if held is not None:
            return held, False
        refuse_full(watchlist=row)
        items = WatchlistItem.objects.filter(watchlist=row)
        last = items.aggregate(last=Max("position"))["last"]
        position = 0 if last is None else last + 1
        made = WatchlistItem.objects.create(
            watchlist=row, instrument=str(name), note=note, position=position, created_at=now
        )
        return made, True


def note_on_item(*, user: User, watchlist_id: UUID, item_id: UUID, note: str) -> WatchlistItem:
    """Write a note beside an instrument on a list."""
    with transaction.atomic():
        row = _own_item(user, watchlist_id, item_id)
        row.note = note
        row.save(update_fields=["note"])
        return row


def remove_from_watchlist(*, user: User, watchlist_id: UUID, item_id: UUID) -> None:
    """Take an instrument off a list."""
    with transaction.atomic():
        _own_item(user, watchlist_id, item_id).delete()


def order_items(*, user: User, watchlist_id: UUID, ids: Sequence[UUID]) -> None:
    """Put the items of a list in this order; those not named follow as they stood."""
    with transaction.atomic():
        row = _own(user, watchlist_id)
        rows = list(WatchlistItem.objects.filter(watchlist=row).in_order())
        WatchlistItem.objects.bulk_update(_ordered(rows, ids, field="items"), ["position"])


def refuse_full(*, watchlist: Watchlist) -> None:
    """Raise when a list, which the caller has locked, holds as much as it may."""
    if WatchlistItem.objects.filter(watchlist=watchlist).count() >= MOST_ITEMS:
        raise TooManyItemsError


def hold_list(*, user: User, watchlist_id: UUID) -> Watchlist:
    """Lock one of the person's lists for as long as the transaction lasts."""
    return _own(user, watchlist_id)


def _hold_lists(user: User) -> None:
    """Let nobody else make a list of this person's until the transaction is over: a new row cannot be locked before."""
    digest = hashlib.blake2b(f"watchlists:{user.pk}".encode(), digest_size=7).digest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest)])


def _own(user: User, watchlist_id: UUID) -> Watchlist:
    """Lock one of the person's lists; another's does not exist for them."""
    row = Watchlist.objects.for_user(user).select_for_update().filter(pk=watchlist_id).first()
    if row is None:
        raise NotFoundError
    return row


def _own_item(user: User, watchlist_id: UUID, item_id: UUID) -> WatchlistItem:
    found = WatchlistItem.objects.for_user(user).filter(watchlist=_own(user, watchlist_id), pk=item_id).first()
    if found is None:
        raise NotFoundError
    return found


def _refuse_taken(name: str, others: Iterable[str]) -> None:
    if name.lower() in {other.lower() for other in others}:
        raise NameTakenError(problems=[FieldProblem("name", "taken", "You have a list of that name.")])


def _known(text: str) -> InstrumentName:
    try:
        name = InstrumentName.parse(text)
    except InstrumentNameError as error:
        raise InvalidError(problems=[FieldProblem("instrument", "invalid", str(error))]) from error
    if not known_instruments(names=[name]):
        message = f"{name} is not an instrument that is known here."
        raise InvalidError(problems=[FieldProblem("instrument", "unknown_instrument", message)])
    return name


def _ordered(rows: list[_Row], ids: Sequence[UUID], *, field: str) -> list[_Row]:
    """Return the rows with their new positions; an id that is not among them is refused."""
    held = {row.pk for row in rows}
    strange = [one for one in ids if one not in held]
    if strange:
        raise InvalidError(problems=[FieldProblem(field, "unknown", f"{strange[0]} is not on the list.")])
    first = {one: place for place, one in reversed(list(enumerate(ids)))}
    rows.sort(key=lambda row: first.get(row.pk, len(ids)))
    for position, row in enumerate(rows):
        row.position = position
    return rows
