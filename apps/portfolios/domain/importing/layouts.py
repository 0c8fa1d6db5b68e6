"""The layouts of exports: which columns each must have, so that a file is known by its header."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from apps.portfolios.domain.importing.reading import ReadLines
from apps.portfolios.domain.importing.times import zone_named

_ZONED: Final = re.compile(r"(.*?)\s*\((?:utc|gmt)\s*([+-]\d{1,2}:?\d{0,2})?\)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of export: its format, a name for people, the columns it must have, and its reader."""

    format: str
    title: str
    columns: tuple[str, ...]
    read: ReadLines


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a file by their normalized names, and the time zones that some of them state."""

    names: tuple[str, ...]
    columns: Mapping[str, int]
    zones: Mapping[str, tzinfo]


def header_of(cells: Sequence[str]) -> Header:
    """Return the columns of a header row; a repeated name gets its number, as `cur.#2`."""
    columns: dict[str, int] = {}
    zones: dict[str, tzinfo] = {}
    names: list[str] = []
    for index, cell in enumerate(cells):
        name = normalized(cell)
        zone = None
        if found := _ZONED.fullmatch(name):
            name, zone = found[1], zone_named(found[2] or "UTC")
        count = sum(1 for other in names if other == name or other.startswith(f"{name}#")) + 1
        name = name if count == 1 else f"{name}#{count}"
        names.append(name)
        columns[name] = index
        if zone is not None:
            zones[name] = zone
    return Header(tuple(names), columns, zones)


def normalized(cell: str) -> str:
    """Return a column's name in small letters without doubled blanks and invisible marks."""
    return " ".join(cell.replace("\ufeff", "").lower().split())
