"""Tells at a glance that a draft is sound: what is usual passes here, whatever is not is looked at in full.

A draft that passes would pass `checked_draft` unchanged; one that does not may still be sound.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from apps.portfolios.domain.drafts import (
    AMOUNTS,
    FIRST_COIN,
    LONGEST_ADDRESS,
    LONGEST_EXTERNAL_ID,
    LONGEST_HASH,
    LONGEST_NOTE,
    OUTSIDE,
    EntryDraft,
)
from apps.portfolios.domain.transactions import SHAPES, EntryType, microseconds

_EARLIEST_US: Final = microseconds(FIRST_COIN)
#: The year 2100: far from the end of the calendar.
_LATEST_US: Final = 4_102_444_800_000_000
_USUAL_NAME: Final = 32
_USUAL_DIGITS: Final = 28
_LARGEST_SEQUENCE: Final = 2**31
_CODES: Final = attrgetter("asset", "fee_asset", "out_asset", "in_asset", "quote", "kind")
_PLACES: Final = attrgetter("account", "from_account", "to_account")
_REMARKS: Final = attrgetter("note", "tx_hash", "address")
_NUMBERS: Final = attrgetter(*AMOUNTS)
_SIDES: Final = frozenset({None, "in", "out"})


def _all_of(names: tuple[str, ...]) -> Callable[[EntryDraft], tuple[Any, ...]]:
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda draft: (get(draft),)


_NEEDED: Final = {
    kind: (
        _all_of(tuple(name for name in (*shape.names, *shape.positive) if not name.endswith("_account"))),
        _all_of(shape.needed) if shape.needed else lambda _draft: (),
        shape.takes_fee,
    )
    for kind, shape in SHAPES.items()
}


def is_sound(draft: EntryDraft) -> bool:
    """Tell whether the ledger can keep the draft as it is; no says only that a closer look is needed."""
    return _is_written_as_usual(draft) and _has_what_it_needs(draft)


def _is_written_as_usual(draft: EntryDraft) -> bool:
    return (
        all(map(_is_code, _CODES(draft)))
        and all(map(_is_place, _PLACES(draft)))
        and all(map(_is_usual, _NUMBERS(draft)))
        and _EARLIEST_US <= draft.at_us <= _LATEST_US
        and -_LARGEST_SEQUENCE <= draft.sequence <= _LARGEST_SEQUENCE
        and (draft.external_id is None or 0 < len(draft.external_id) <= LONGEST_EXTERNAL_ID)
        and _is_spelled(draft.external_id or "")
        and all(map(_is_spelled, _REMARKS(draft)))
        and len(draft.note) <= LONGEST_NOTE
        and len(draft.tx_hash) <= LONGEST_HASH
        and len(draft.address) <= LONGEST_ADDRESS
    )


@lru_cache(maxsize=4_096)
def _is_code(text: str | None) -> bool:
    return text is None or (text.isascii() and text.isalnum() and len(text) <= _USUAL_NAME)


@lru_cache(maxsize=4_096)
def _is_place(text: str | None) -> bool:
    return text is None or (0 < len(text) <= _USUAL_NAME and "  " not in text and _is_spelled(text))


def _is_spelled(text: str) -> bool:
    return text.isascii() and text.isprintable() and text.strip() == text


def _is_usual(number: Decimal | None) -> bool:
    """Tell whether a number, if there is one, is zero or more and written in few digits without an exponent."""
    if number is None:
        return True
    text = str(number)
    return len(text) <= _USUAL_DIGITS and text.replace(".", "", 1).isdecimal()


def _has_what_it_needs(draft: EntryDraft) -> bool:
    told, needed, takes_fee = _NEEDED[draft.type]
    if not all(told(draft)) or None in needed(draft) or not (takes_fee or not draft.fee):
        return False
    if draft.type is not EntryType.TRANSFER:
        return draft.account != OUTSIDE and draft.fee_on in _SIDES
    if draft.received is not None and draft.amount is not None and draft.received > draft.amount:
        return False
    sender, receiver = draft.sides
    return sender != receiver
