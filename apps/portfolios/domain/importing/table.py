"""Opens a file: encoding, delimiter, rows with their line numbers, and the limits that keep a hostile one harmless."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from apps.portfolios.domain.importing.problems import ImportRefusedError

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_ROWS: Final = 200_000
MAX_COLUMNS: Final = 200
MAX_CELL: Final = 10_000
#: Exports put titles, names and remarks above the header; it is looked for in this many rows.
HEADER_ROWS: Final = 40
#: The first words of a file stand in so many characters.
_HEAD: Final = 200

_DELIMITERS: Final = (",", ";", "\t", "|")
_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_ZIPS: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_PACKED: Final = (b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_FOREIGN: Final = (
    *(
        (mark, "spreadsheet", "This is a spreadsheet or a zip file. Unpack it, or save the sheet as CSV.")
        for mark in _ZIPS
    ),
    (b"\xd0\xcf\x11\xe0", "spreadsheet", "This is an old spreadsheet. Open it and save the sheet as CSV."),
    *((mark, "compressed", "This file is compressed. Unpack it first.") for mark in _PACKED),
    (b"%PDF", "not_text", "This is a PDF. Download the history as CSV."),
    (b"{\\rtf", "not_text", "This is a document of a word processor. Download the history as CSV."),
)
#: What a download is when its site asks to sign in again, and a spreadsheet that is saved as XML.
_PAGES: Final = ("<!doctype html", "<html", "<?xml", "<workbook")
_WORD: Final = re.compile(r"[^\W\d_]", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one record and the line of the file that it begins on."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file, blank ones left out, and how it was written."""

    rows: Sequence[Row]
    encoding: str
    delimiter: str
    #: Whether a spreadsheet was told to leave cells as text: ="2024-01-01".
    formulas: bool = False


def open_table(data: bytes) -> Table:
    """Return the rows of a CSV file, or raise `ImportRefusedError` naming why it cannot be read."""
    text, encoding = decoded(data)
    text, declared = _declared(text)
    delimiter = declared or _delimiter(text)
    return Table(_rows(text, delimiter, first=2 if declared else 1), encoding, delimiter, '="' in text)


def whole_lines(data: bytes) -> bytes:
    """Return the beginning of a file without its last line, which may be cut."""
    if data.startswith(tuple(mark for mark, name in _MARKS if name != "utf-8-sig")):
        return data
    return data[: max(data.rfind(b"\n"), data.rfind(b"\r")) + 1]


def first_rows(data: bytes) -> list[Row]:
    """Return the rows in which a header is looked for, or raise `ImportRefusedError`."""
    text, declared = _declared(decoded(data)[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=declared or _delimiter(text))
    return [Row(reader.line_num, cells) for cells in islice(reader, HEADER_ROWS) if any(cells)]


def decoded(data: bytes) -> tuple[str, str]:
    """Return the text of a file and its encoding, or raise `ImportRefusedError`."""
    if len(data) > MAX_BYTES:
        raise ImportRefusedError(
            "file_too_large", f"A file may have {MAX_BYTES // 1024 // 1024} MiB. Split it by year."
        )
    for mark, code, message in _FOREIGN:
        if data.startswith(mark):
            raise ImportRefusedError(code, message)
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "") or _guessed(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ImportRefusedError(
            "encoding_unknown", "The letters of this file cannot be read. Save it as CSV in UTF-8."
        ) from error
    if "\0" in text:
        raise ImportRefusedError("not_text", "This file is not text. Download the history as CSV.")
    if not text.strip():
        raise ImportRefusedError("file_empty", "This file is empty.")
    if text[:_HEAD].lstrip("\ufeff \t\r\n").lower().startswith(_PAGES):
        message = "This is a web page, or a spreadsheet saved as XML. Download the history again, as CSV."
        raise ImportRefusedError("web_page", message)
    return text, encoding


def _guessed(data: bytes) -> str:
    """Return the likely encoding of a file that does not say: UTF-8, UTF-16 by its zeros, else Windows."""
    head = data[:2_000]
    zeros = head.count(0)
    if zeros * 3 > len(head) > 1:
        return "utf-16-le" if head[1] == 0 else "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _declared(text: str) -> tuple[str, str]:
    """Take the line with which Excel names the delimiter off the text."""
    head, _newline, body = text.partition("\n")
    found = head.strip("\r\ufeff").lower()
    if len(found) == 5 and found.startswith("sep=") and found[4] in _DELIMITERS:
        return body, found[4]
    return text, ""


def _delimiter(text: str) -> str:
    """Return the delimiter that gives the widest row of words, which is the header."""
    head = "".join(line for line, _number in zip(io.StringIO(text, newline=""), range(HEADER_ROWS), strict=False))
    return max(_DELIMITERS, key=lambda sign: _widest(head, sign))


def _widest(head: str, delimiter: str) -> int:
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    widths = [0]
    try:
        widths.extend(sum(1 for cell in row if _WORD.search(cell)) for row in reader)
    except csv.Error:
        return 0
    return max(widths)


def _rows(text: str, delimiter: str, *, first: int) -> list[Row]:
    """Return the rows; of one that is far too wide only so much that it is seen to be."""
    rows: list[Row] = []
    for number, cells in _numbered(text, delimiter, first):
        if not any(cells):
            continue
        rows.append(Row(number, cells if len(cells) <= MAX_COLUMNS else _narrow(cells)))
        if len(rows) > MAX_ROWS:
            raise ImportRefusedError("too_many_rows", f"A file may have {MAX_ROWS} lines. Split it by year.")
    return rows


def _narrow(cells: list[str]) -> list[str]:
    """Return the cells of a wide row; one more than there may be stands for those beyond that say anything."""
    return cells[: MAX_COLUMNS + any(cells[MAX_COLUMNS:])]


def _numbered(text: str, delimiter: str, first: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the records with the line each begins on; a quote that never ends is named by its line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = first
    try:
        for cells in reader:
            yield begins, cells
            begins = first + reader.line_num
    except csv.Error as error:
        code, message = "quotes_broken", "has a quotation mark without a partner. Correct it, or export the file again."
        if "limit" in str(error):
            code, message = "cell_too_long", f"has a cell of far more than {MAX_CELL} characters. Shorten it."
        raise ImportRefusedError(code, f"The record that begins on line {begins} {message}") from error
