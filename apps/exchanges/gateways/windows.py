"""Reads a stretch of time in windows that a venue allows, oldest first; what does not fit into one answer is halved.

The cursor is plain JSON: where the window begins, how long it is, and a place within it where answers have pages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from apps.exchanges.domain.reading import Cursor, Page, VenueRow
from apps.exchanges.gateways.errors import BadAnswerError

DAY_MS: Final = 86_400_000
_SHORTEST_MS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is asked for: a pass over [since, until], in windows of at most `longest`, no earlier than `opened`."""

    since_ms: int
    until_ms: int
    longest_ms: int
    opened_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one request brought: rows, the next place within the window, or that the window holds too much."""

    rows: Sequence[VenueRow]
    place: Any = None
    is_cut: bool = False


def next_page(*, span: Span, cursor: Cursor | None, ask: Callable[[int, int, Any], Answer]) -> Page:
    """Return the page that one request within the present window makes."""
    begin = max(span.since_ms, span.opened_ms)
    start = int(cursor["start"]) if cursor else begin
    length = int(cursor["length"]) if cursor else span.longest_ms
    end = min(start + length, span.until_ms)
    if start >= span.until_ms:
        return Page(rows=(), cursor=_cursor(span.until_ms, span.longest_ms), covered_to_ms=span.until_ms, is_last=True)
    found = ask(start, end, cursor["place"] if cursor else None)
    if found.is_cut:
        return _halved(span, start, end, found)
    if found.place is not None:
        follow = _cursor(start, length, found.place)
        return Page(rows=tuple(found.rows), cursor=follow, covered_to_ms=max(start, span.since_ms), is_last=False)
    is_last = end >= span.until_ms
    return Page(rows=tuple(found.rows), cursor=_cursor(end, span.longest_ms), covered_to_ms=end, is_last=is_last)


def _halved(span: Span, start: int, end: int, found: Answer) -> Page:
    half = (end - start) // 2
    if half < _SHORTEST_MS:
        raise BadAnswerError  # no account does so much in a second; the venue does not keep to what it was asked
    follow = _cursor(start, half)
    return Page(rows=tuple(found.rows), cursor=follow, covered_to_ms=max(start, span.since_ms), is_last=False)


def _cursor(start: int, length: int, place: object = None) -> Cursor:
    return {"start": start, "length": length, "place": place}
