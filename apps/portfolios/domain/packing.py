"""Drafts as plain rows, to be kept until they are posted, and back again; every digit stays."""

from collections.abc import Iterable
from dataclasses import fields
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

from apps.portfolios.domain.drafts import AMOUNTS, EntryDraft
from apps.portfolios.domain.transactions import EntryType

_FIELDS: Final = tuple(one.name for one in fields(EntryDraft))
_ROW: Final = attrgetter(*_FIELDS)
_TYPES: Final = {one.value: one for one in EntryType}


def packed(drafts: Iterable[EntryDraft]) -> dict[str, list[Any]]:
    """Return drafts as rows under the names of their fields; numbers stay numbers, to be written as text."""
    return {"fields": list(_FIELDS), "rows": [_ROW(draft) for draft in drafts]}


def unpacked(kept: dict[str, list[Any]]) -> list[EntryDraft]:
    """Return the drafts that were packed."""
    names = kept["fields"]
    places = [names.index(name) for name in AMOUNTS]
    kind = names.index("type")
    drafts = []
    for row in kept["rows"]:
        row[kind] = _TYPES[row[kind]]
        for place in places:
            if row[place] is not None:
                row[place] = Decimal(row[place])
        drafts.append(EntryDraft(**dict(zip(names, row, strict=True))))
    return drafts
