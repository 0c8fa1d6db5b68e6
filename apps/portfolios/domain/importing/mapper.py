"""The column mapper: says which column of an unknown file is what, and in which styles it is written.

A mapping comes as JSON and can be kept: `columns` (our field to their column), `constants` (our field to a text),
`kinds` (their word to our type), `numbers`, `dates`, `time_zone`. The styles may be given for a known format too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from apps.portfolios.domain.importing.generic import FIELDS, TYPES
from apps.portfolios.domain.importing.layouts import Header, normalized
from apps.portfolios.domain.importing.numbers import NumberStyle
from apps.portfolios.domain.importing.problems import ImportRefusedError, LineError, quoted
from apps.portfolios.domain.importing.reading import Line
from apps.portfolios.domain.importing.times import DateStyle, zone_named

_LONGEST: Final = 200
_MOST: Final = 200
_PARTS: Final = ("columns", "constants", "kinds")
_KEYS: Final = (*_PARTS, "numbers", "dates", "time_zone")


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """What the columns of a file are, and how its numbers and dates are written."""

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    numbers: NumberStyle = NumberStyle.AUTO
    dates: DateStyle = DateStyle.AUTO
    time_zone: str = "UTC"

    @property
    def zone(self) -> tzinfo:
        """Return the time zone of times that do not state one."""
        return zone_named(self.time_zone)

    def as_json(self) -> dict[str, object]:
        """Return the mapping as it is kept."""
        parts = {name: dict(getattr(self, name)) for name in _PARTS}
        return {**parts, "numbers": self.numbers.value, "dates": self.dates.value, "time_zone": self.time_zone}


def parse_mapping(raw: object) -> ColumnMapping:
    """Return the checked mapping, or raise `ImportRefusedError` naming what is wrong."""
    if not isinstance(raw, Mapping) or any(name not in _KEYS for name in raw):
        raise _bad(f"A mapping is an object with {', '.join(_KEYS)}.")
    columns, constants, kinds = (_texts(raw, name) for name in _PARTS)
    unknown = sorted(({*columns} | {*constants}) - {*FIELDS})
    if unknown:
        raise _bad(f"{quoted(unknown[0])} is no field of ours. The fields are {', '.join(FIELDS)}.")
    for kind in kinds.values():
        if kind not in TYPES:
            raise _bad(f"{quoted(kind)} is no type of ours. The types are {', '.join(TYPES)}.")
    if columns and not all({"ts", "type"} & {one} and one in {*columns, *constants} for one in ("ts", "type")):
        raise _bad("Name the columns of the time (ts) and of the type, or give the type as a constant.")
    kinds = {word.lower(): kind for word, kind in kinds.items()}
    numbers, dates = _choice(raw, "numbers", NumberStyle), _choice(raw, "dates", DateStyle)
    return ColumnMapping(columns, constants, kinds, NumberStyle(numbers), DateStyle(dates), _zone(raw))


def _texts(raw: Mapping[object, object], name: str) -> dict[str, str]:
    found = raw.get(name) or {}
    if not isinstance(found, Mapping) or len(found) > _MOST:
        raise _bad(f"{name} is an object of texts.")
    texts: dict[str, str] = {}
    for key, value in found.items():
        if not isinstance(key, str) or not isinstance(value, str) or not value or len(key) + len(value) > _LONGEST:
            raise _bad(f"{name} is an object of texts.")
        texts[key] = value
    return texts


def _choice(raw: Mapping[object, object], name: str, styles: type[NumberStyle | DateStyle]) -> str:
    value = raw.get(name) or "auto"
    if value not in [style.value for style in styles]:
        raise _bad(f"{name} is one of {', '.join(style.value for style in styles)}.")
    return str(value)


def _zone(raw: Mapping[object, object]) -> str:
    name = raw.get("time_zone") or "UTC"
    try:
        zone_named(str(name))
    except LineError as error:
        raise _bad(error.message) from error
    return str(name)


def _bad(message: str) -> ImportRefusedError:
    return ImportRefusedError("mapping_bad", message)


def mapped_lines(lines: Sequence[Line], mapping: ColumnMapping, header: Header) -> list[Line]:
    """Return the lines under our own names, with the constants filled in and their words put into ours."""
    places = {ours: header.columns[normalized(theirs)] for ours, theirs in mapping.columns.items()}
    width = len(header.names)
    constants = {name: text for name, text in mapping.constants.items() if name not in places}
    places |= {name: width + place for place, name in enumerate(constants)}
    places["type"] = width + len(constants)
    kind_place = header.columns.get(normalized(mapping.columns.get("type", "")))
    found: list[Line] = []
    for line in lines:
        word = mapping.constants.get("type", "") if kind_place is None else line.cells[kind_place]
        kind = mapping.kinds.get(word.lower(), word)
        found.append(Line(line.number, [*line.cells, *constants.values(), kind], places))
    return found
