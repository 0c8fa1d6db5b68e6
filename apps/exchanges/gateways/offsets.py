"""Reads a list that a venue tells newest first, counted from the newest, from its old end: what is read stays read.

The first answer tells how many rows there are up to a fixed end. If they do not fit into it, reading goes on at the
oldest ones. A row that slips in meanwhile moves the others; the count shows it, and the place is moved along.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apps.exchanges.domain.reading import Cursor, Page, VenueRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Rows as they were told, newest first, and how many there are in all; `withheld` of the newest come again.

    `told` is how many the venue sent, where fewer rows were made of them.
    """

    rows: Sequence[VenueRow]
    count: int
    told: int
    withheld: int = 0


Ask = Callable[[int, int], Counted]


def next_page(*, cursor: Cursor | None, since_ms: int, until_ms: int, size: int, ask: Ask) -> Page:
    """Return the next page; `ask` takes how many of the newest to skip, and the end of the pass."""
    end = int(cursor["end"]) if cursor else until_ms
    if cursor is None:
        found = ask(0, end)
        if found.count <= found.told or not found.told:
            return _last(found, end)
        follow = {"end": end, "next": found.count, "count": found.count}
        return Page(rows=(), cursor=follow, covered_to_ms=since_ms, is_last=False)
    place, known = int(cursor["next"]), int(cursor["count"])
    skipped = max(0, place - size)
    found = ask(skipped, end)
    if found.count != known:
        follow = {"end": end, "next": max(0, place + found.count - known), "count": found.count}
        return Page(rows=tuple(found.rows), cursor=follow, covered_to_ms=since_ms, is_last=False)
    if skipped == 0:
        return _last(found, end)
    kept = found.rows
    newest = max((row.at_ms for row in kept), default=since_ms + 1)
    follow = {"end": end, "next": skipped + found.withheld, "count": found.count}
    return Page(rows=tuple(kept), cursor=follow, covered_to_ms=max(since_ms, min(newest - 1, end)), is_last=False)


def _last(found: Counted, end: int) -> Page:
    return Page(rows=tuple(found.rows), cursor={"end": end, "next": 0, "count": 0}, covered_to_ms=end, is_last=True)
