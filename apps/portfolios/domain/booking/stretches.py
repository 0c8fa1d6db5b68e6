"""Booking stretch by stretch: what each came to is handed out, and the state can be put to rest between two."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

from apps.portfolios.domain.booking.basis import Key
from apps.portfolios.domain.booking.engine import State
from apps.portfolios.domain.booking.lines import Line
from apps.portfolios.domain.booking.records import Sink

Span = tuple[int, int]


class Stretch(NamedTuple):
    """Lines that were booked one after the other: from where to where, when the last one was, and what came of it.

    `chain` is the hash of all lines up to its end, and `keys` are the bases that may have changed.
    """

    start: int
    end: int
    until_us: int
    chain: bytes
    sink: Sink
    keys: frozenset[Key]


def stretches(
    state: State, lines: Sequence[Line], *, start: int, chain: bytes, cuts: Sequence[int]
) -> Iterator[Stretch]:
    """Book lines in order of time, of which `start` came before, and pause after every cut and at the end."""
    apply, place = state.apply, start
    for end in (*cuts, start + len(lines)):
        for line in lines[place - start : end - start]:
            chain = sha256(chain + repr(line).encode()).digest()
            apply(line)
        until_us = lines[end - start - 1].at_us if end > start else 0
        yield Stretch(place, end, until_us, chain, *state.cut())
        place = end


def chain_of(lines: Sequence[Line], *, chain: bytes) -> bytes:
    """Return the hash of all lines in this order, after what the chain stands for already."""
    for line in lines:
        chain = sha256(chain + repr(line).encode()).digest()
    return chain


def safe_cuts(lines: Sequence[Line], cuts: Sequence[int], *, start: int, spans: Sequence[Span] = ()) -> list[int]:
    """Move cuts back to where the time of day parts the lines: no two of one moment, and no span of time, are torn."""
    found: list[int] = []
    for cut in cuts:
        place = cut - start
        while place > 0 and not _parts(lines, place, spans):
            place -= 1
        if place > 0 and start + place not in found:
            found.append(start + place)
    return found


def _parts(lines: Sequence[Line], place: int, spans: Sequence[Span]) -> bool:
    before = lines[place - 1].at_us
    return before < lines[place].at_us and not any(first <= before < last for first, last in spans)
