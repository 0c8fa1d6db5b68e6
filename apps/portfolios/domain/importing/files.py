"""Reads a whole file: opens it, finds its header and format, settles its styles, and hands its lines to the reader."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from apps.portfolios.domain.drafts import LONGEST_ACCOUNT, LONGEST_EXTERNAL_ID, EntryDraft
from apps.portfolios.domain.importing import (
    binance,
    binance_movements,
    coinbase,
    cointracking,
    generic,
    ghostfolio,
    koinly,
    kraken,
    kucoin,
    numbers,
    rotki,
    times,
)
from apps.portfolios.domain.importing.layouts import Header, Layout, header_of, normalized
from apps.portfolios.domain.importing.mapper import ColumnMapping, mapped_lines
from apps.portfolios.domain.importing.numbers import NumberStyle
from apps.portfolios.domain.importing.problems import ImportRefusedError, LineError, Problem
from apps.portfolios.domain.importing.reading import ImportedRow, Line, Reading, line_by_line
from apps.portfolios.domain.importing.rules import NO_RULES, FileRules
from apps.portfolios.domain.importing.table import HEADER_ROWS, MAX_CELL, MAX_COLUMNS, Row, Table, decoded, open_table
from apps.portfolios.domain.importing.times import DateStyle
from apps.portfolios.domain.transactions import EntryType

AUTO: Final = "auto"
#: The formats and the account that an export goes to when none is chosen.
FORMATS: Final = {
    "binance": "Binance",
    "coinbase": "Coinbase",
    "kraken": "Kraken",
    "kucoin": "KuCoin",
    "koinly": "Koinly",
    "cointracking": "CoinTracking",
    "rotki": "rotki",
    "ghostfolio": "Ghostfolio",
    "generic": "default",
}
LAYOUTS: Final[tuple[Layout, ...]] = (
    *binance.LAYOUTS,
    *binance_movements.LAYOUTS,
    *coinbase.LAYOUTS,
    *kraken.LAYOUTS,
    *kucoin.LAYOUTS,
    *koinly.LAYOUTS,
    *cointracking.LAYOUTS,
    *rotki.LAYOUTS,
    *ghostfolio.LAYOUTS,
    *generic.LAYOUTS,
)
_MAPPED: Final = Layout("generic", "mapped columns", (), line_by_line(generic.read_line))
_SAMPLE: Final = 5_000
_TIME_WORDS: Final = ("time", "date", "created", "ts")


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """What a file says: its format, how it was read, and what became of its lines, in the file's order.

    `lines` counts those below the header; one entry may be made of several, and its row bears the first.
    """

    format: str
    title: str
    columns: tuple[str, ...]
    numbers: NumberStyle
    dates: DateStyle
    lines: int
    rows: tuple[ImportedRow, ...]
    rules: FileRules = NO_RULES

    @property
    def drafts(self) -> list[EntryDraft]:
        """Return the entries."""
        return [row.draft for row in self.rows if row.draft is not None]

    @property
    def errors(self) -> list[tuple[int, Problem]]:
        """Return the lines that could not be read, with the reasons."""
        return [(row.line, row.error) for row in self.rows if row.error is not None]

    @property
    def notes(self) -> dict[str, int]:
        """Return how many lines need no entry, by the reason."""
        counts: dict[str, int] = {}
        for row in self.rows:
            if row.note:
                counts[row.note] = counts.get(row.note, 0) + 1
        return counts


@dataclass(frozen=True, slots=True)
class Columns:
    """What a person who maps a file sees of it: its columns, its first lines, and the format it looks like."""

    names: tuple[str, ...]
    samples: tuple[tuple[str, ...], ...]
    format: str


def read_file(
    *,
    data: bytes,
    wanted: str = AUTO,
    account: str = "",
    currency: str = "USD",
    mapping: ColumnMapping | None = None,
    name: str = "",
) -> ImportedFile:
    """Return what a file says, or raise `ImportRefusedError`; a bad line is a value in the result."""
    if wanted != AUTO and wanted not in FORMATS:
        raise ImportRefusedError("format_unknown", f"The format is auto or one of {', '.join(FORMATS)}.")
    style = mapping or ColumnMapping()
    text, _encoding = decoded(data)
    if text.lstrip("\ufeff \t\r\n")[:1] in {"{", "["}:
        return _read_json(text, wanted, account, currency, style)
    table = open_table(data)
    if style.columns:
        place, header = _mapped_header(table, style)
        layout = _MAPPED
    else:
        place, header, layout = _known_header(table, wanted)
    lines, crooked = _lines(table.rows[place:], header, _bare if table.formulas else str.strip)
    count = len(lines) + len(crooked)
    if style.columns:
        lines = mapped_lines(lines, style, header)
    reading = _reading(layout.format, account, currency, style)
    reading.zones, reading.file_name = header.zones, name
    reading.numbers = style.numbers if style.numbers is not NumberStyle.AUTO else _number_style(lines, table)
    reading.dates = style.dates if style.dates is not DateStyle.AUTO else _date_style(lines)
    reading.falling = _falls(reading, lines)
    rows = [*crooked, *(_settled(reading, row) for row in layout.read(reading, lines))]
    rows.sort(key=lambda row: row.line)
    return ImportedFile(layout.format, layout.title, header.names, reading.numbers, reading.dates, count, tuple(rows))


def columns_of(*, data: bytes) -> Columns:
    """Return the columns and first lines of a file for the mapper, or raise `ImportRefusedError`."""
    table = open_table(data)
    known = _best(table, AUTO)
    if known is None:
        place = max(range(min(len(table.rows), HEADER_ROWS)), key=lambda one: _words(table.rows[one]))
        return Columns(tuple(table.rows[place].cells), _samples(table, place), "")
    place, _header, layout = known
    return Columns(tuple(table.rows[place].cells), _samples(table, place), layout.format)


def _samples(table: Table, place: int) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(row.cells) for row in table.rows[place + 1 : place + 6])


def _words(row: Row) -> int:
    return sum(1 for cell in row.cells if any(sign.isalpha() for sign in cell))


def _read_json(text: str, wanted: str, account: str, currency: str, style: ColumnMapping) -> ImportedFile:
    if wanted in {AUTO, "generic"} and (portable := generic.portable_of(text, currency=currency)) is not None:
        reading = _reading("generic", account, currency, style)
        rows = generic.read_portable(reading, portable.listed)
        return _json_file("portable JSON", reading, rows, portable.rules)
    if wanted in {AUTO, "ghostfolio"} and (activities := ghostfolio.activities_of(text)) is not None:
        reading = _reading("ghostfolio", account, currency, style)
        lines = [
            Line(number, [text.strip() for text in one.values()], {name: place for place, name in enumerate(one)})
            for number, one in enumerate(activities, start=1)
        ]
        return _json_file("activities", reading, ghostfolio.READ(reading, lines))
    raise _unknown_json(text)


def _unknown_json(text: str) -> ImportRefusedError:
    """Return why JSON cannot be read: it breaks off, or is not what is known here."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        message = f"This looks like JSON, but goes wrong at line {error.lineno}. Export it again."
        return ImportRefusedError("json_broken", message)
    except (ValueError, RecursionError):
        return ImportRefusedError("json_broken", "This JSON is nested too deeply, or holds a number that is too long.")
    return ImportRefusedError("format_unknown", "This JSON is neither a portable ledger nor a Ghostfolio export.")


def _json_file(title: str, reading: Reading, rows: Sequence[ImportedRow], rules: FileRules = NO_RULES) -> ImportedFile:
    settled = tuple(_settled(reading, row) for row in rows)
    count = len({row.line for row in settled})
    return ImportedFile(reading.source, title, (), reading.numbers, reading.dates, count, settled, rules)


def _reading(source: str, account: str, currency: str, style: ColumnMapping) -> Reading:
    return Reading(source, account or FORMATS[source], currency, zone=style.zone)


def _known_header(table: Table, wanted: str) -> tuple[int, Header, Layout]:
    found = _best(table, wanted)
    if found is not None:
        place, header, layout = found
        return place + 1, header, layout
    other = _best(table, AUTO)
    if wanted != AUTO and other is not None:
        raise ImportRefusedError(
            "format_differs", f"This is no export of {_name(wanted)}; it looks like {_name(other[2].format)}."
        )
    raise ImportRefusedError(
        "format_unknown", "This file is no export that is known here. Tell which column is what, then it can be read."
    )


def _name(known: str) -> str:
    return "Coinsphere itself" if known == "generic" else FORMATS[known]


def _best(table: Table, wanted: str) -> tuple[int, Header, Layout] | None:
    """Return the header row and the layout that needs most of its columns."""
    layouts = [layout for layout in LAYOUTS if wanted in {AUTO, layout.format}]
    for place, row in enumerate(table.rows[:HEADER_ROWS]):
        header = _header(row)
        fitting = [one for one in layouts if header is not None and header.columns.keys() >= {*one.columns}]
        if header is not None and fitting:
            return place, header, max(fitting, key=lambda layout: len(layout.columns))
    return None


def _header(row: Row) -> Header | None:
    try:
        return header_of(row.cells)
    except LineError:
        return None


def _mapped_header(table: Table, mapping: ColumnMapping) -> tuple[int, Header]:
    wanted = {normalized(name) for name in mapping.columns.values()}
    for place, row in enumerate(table.rows[:HEADER_ROWS]):
        header = _header(row)
        if header is not None and wanted <= header.columns.keys():
            return place + 1, header
    raise ImportRefusedError("columns_missing", "The columns of the mapping are not in this file.")


def _lines(rows: Sequence[Row], header: Header, bare: Callable[[str], str]) -> tuple[list[Line], list[ImportedRow]]:
    """Return the lines below the header; one with more cells than the header has shifted columns and is refused."""
    lines: list[Line] = []
    crooked: list[ImportedRow] = []
    width = len(header.names)
    for row in rows:
        if max(map(len, row.cells)) > MAX_CELL:
            message = f"A cell of this line has more than {MAX_CELL} characters."
            crooked.append(ImportedRow(row.number, error=Problem("cell_too_long", message)))
        elif len(row.cells) > width and any(cell.strip() for cell in row.cells[width:]):
            count = f"more than {MAX_COLUMNS}" if len(row.cells) > MAX_COLUMNS else len(row.cells)
            message = f"This line has {count} cells, the header has {width}."
            crooked.append(ImportedRow(row.number, error=Problem("cells_too_many", message)))
        elif normalized(row.cells[0]) != header.names[0] or not _repeats(row, header):
            cells = [bare(cell) for cell in row.cells[:width]]
            lines.append(Line(row.number, cells + [""] * (width - len(cells)), header.columns))
    return lines, crooked


def _bare(cell: str) -> str:
    """Return a cell without blanks around, and what a spreadsheet was told to leave as text: ="2024-01-01"."""
    bare = cell.strip()
    return bare[2:-1].strip() if bare[:2] == '="' and bare.endswith('"') and len(bare) > 2 else bare


def _repeats(row: Row, header: Header) -> bool:
    found = _header(row)
    return found is not None and found.names == header.names


def _number_style(lines: Sequence[Line], table: Table) -> NumberStyle:
    cells = (cell for line in islice(lines, _SAMPLE) for cell in line.cells if "," in cell or "." in cell)
    return numbers.style_of(cells, semicolons=table.delimiter == ";")


def _date_style(lines: Sequence[Line]) -> DateStyle:
    return times.style_of(_time_cells(lines))


def _time_cells(lines: Sequence[Line]) -> Iterator[str]:
    """Yield the cells of the columns that look like times by their names."""
    if lines:
        places = [place for name, place in lines[0].columns.items() if any(word in name for word in _TIME_WORDS)]
        yield from (line.cells[place] for line in lines for place in places)


def _falls(reading: Reading, lines: Sequence[Line]) -> bool:
    """Tell whether the file runs from the newest to the oldest."""
    first = next(_moments(reading, lines), None)
    last = next(_moments(reading, lines[::-1]), None)
    return first is not None and last is not None and first > last


def _moments(reading: Reading, lines: Sequence[Line]) -> Iterator[int]:
    for cell in islice(_time_cells(lines), HEADER_ROWS):
        try:
            yield times.parse_time(cell.strip(), style=reading.dates, zone=reading.zone)
        except LineError:
            continue


def _settled(reading: Reading, row: ImportedRow) -> ImportedRow:
    """Return the row as the ledger can take it: its own money is not held there, and names have a longest length."""
    draft = row.draft
    if draft is None:
        return row
    if draft.type in {EntryType.TRANSFER, EntryType.SPEND} and draft.asset == reading.currency:
        return ImportedRow(row.line, note="money")
    if max(map(len, (draft.account, *draft.sides))) > LONGEST_ACCOUNT:
        return ImportedRow(row.line, error=Problem("text_too_long", "The name of the account is too long.", "account"))
    if draft.external_id is not None and len(draft.external_id) > LONGEST_EXTERNAL_ID:
        return ImportedRow(row.line, error=Problem("text_too_long", "The id of this line is too long.", "id"))
    return row
