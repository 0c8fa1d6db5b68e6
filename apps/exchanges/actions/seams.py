"""The seam between files and a connection: what a file has told already is not told a second time by the venue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

from apps.exchanges.models import Connection, RowState, StoredRow
from apps.exchanges.queries.ledger import file_entries
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.transactions import EntryType, moment

#: Files often tell seconds where venues tell milliseconds, and round them up or down.
APART: Final = timedelta(seconds=2)
#: Marks a row that a file has told; its detail is the id of that entry.
TOLD_BY_FILE: Final = "told_by_file"
_AMOUNTS: Final = ("asset", "amount", "out_asset", "out_amount", "in_asset", "in_amount")

_Facts: TypeAlias = tuple[Any, ...]


def told_by_files(
    *, connection: Connection, rows: Sequence[StoredRow], drafts: Sequence[EntryDraft]
) -> Mapping[int, UUID]:
    """Return for each draft, by its place, the entry of a file that tells the same; each entry stands for one row.

    Where both have the same id nothing has to be found out: such an id is posted once anyway.
    """
    if not drafts or not file_entries(account_id=connection.account_id).exists():
        return {}
    first, last = (moment(pick(draft.at_us for draft in drafts)) for pick in (min, max))
    free = _free_entries(connection, {row.pk for row in rows}, first - APART, last + APART)
    found: dict[int, UUID] = {}
    for place, draft in enumerate(drafts):
        candidates = free[_facts_of(draft)]
        same = [one for one in candidates if one[2] == draft.external_id]
        near = [one for one in candidates if abs(one[0] - moment(draft.at_us)) <= APART]
        if same or not near:
            continue
        chosen = min(near, key=lambda one: abs(one[0] - moment(draft.at_us)))
        candidates.remove(chosen)
        found[place] = chosen[1]
    return found


# --- Steps ------------------------------------------------------------------------------------------------------------
def _free_entries(
    connection: Connection, own: set[UUID], first: datetime, last: datetime
) -> defaultdict[_Facts, list[tuple[datetime, UUID, str | None]]]:
    """Return what files tell of a stretch of time and no other row stands for, by what it says."""
    others = StoredRow.objects.filter(
        connection=connection, state=RowState.NOTHING, problem_code=TOLD_BY_FILE, at__gte=first - APART,
        at__lte=last + APART,
    ).exclude(pk__in=own)  # fmt: skip
    taken = {UUID(text) for text in others.values_list("problem_detail", flat=True)}
    free: defaultdict[_Facts, list[tuple[datetime, UUID, str | None]]] = defaultdict(list)
    rows = file_entries(account_id=connection.account_id).filter(at__gte=first, at__lte=last)
    columns = ("at", "pk", "external_id", "type", "from_account", *_AMOUNTS)
    for at, pk, external_id, kind, sender, *amounts in rows.values_list(*columns):
        if pk not in taken:
            leaves = kind == EntryType.TRANSFER and sender == connection.account_id
            free[_facts(kind, leaves, amounts)].append((at, pk, external_id))
    return free


def _facts_of(draft: EntryDraft) -> _Facts:
    leaves = draft.type is EntryType.TRANSFER and draft.sides[0] == draft.account
    return _facts(draft.type.value, leaves, [getattr(draft, name) for name in _AMOUNTS])


def _facts(kind: str, leaves: bool, amounts: Iterable[Any]) -> _Facts:  # noqa: FBT001 - which way a transfer goes
    return (kind, leaves, *(amount or None for amount in amounts))
