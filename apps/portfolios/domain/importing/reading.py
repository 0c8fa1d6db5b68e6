"""What a reader of one format works with: lines with named cells, the styles of the file, and stable ids."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Final

from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing.numbers import NumberStyle, is_blank, parse_number
from apps.portfolios.domain.importing.problems import LineError, Problem, quoted
from apps.portfolios.domain.importing.times import DateStyle, parse_time

_ASSET: Final = re.compile(r"[\w$][\w.$+*-]{0,63}")
#: Coins that stand for a money one to one; trades against them have their value in the file.
STABLE: Final = {"USD": frozenset({"USDT", "USDC", "BUSD", "FDUSD", "TUSD", "USDP", "PYUSD", "GUSD"})}
FIAT: Final = frozenset({
    "USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "NZD", "TRY", "BRL", "PLN", "CZK", "HUF", "RON", "SEK", "NOK",
    "DKK", "ZAR", "MXN", "SGD", "HKD", "CNY", "INR", "KRW", "UAH", "RUB", "NGN", "AED", "ARS", "COP", "IDR", "THB",
    "VND", "PHP", "ILS", "SAR", "KZT", "BGN", "CLP", "ISK", "MYR", "TWD",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One record of the file: where it begins, and its cells without blanks around, one for each column."""

    number: int
    cells: Sequence[str]
    columns: Mapping[str, int]

    def text(self, *names: str) -> str:
        """Return the first filled cell among these columns, or an empty text."""
        for name in names:
            index = self.columns.get(name)
            if index is not None and (cell := self.cells[index]):
                return cell
        return ""

    def required(self, *names: str) -> str:
        """Return the first filled cell among these columns, or raise `LineError`."""
        cell = self.text(*names)
        if not cell:
            raise LineError("cell_missing", f"The column {quoted(names[0])} is empty.", field=names[0])
        return cell


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """What became of one line: an entry, a problem, or a note why it needs no entry; never two of them."""

    line: int
    draft: EntryDraft | None = None
    error: Problem | None = None
    note: str = ""


@dataclass(slots=True)
class Reading:
    """How one file is read: for which account and money, and in which styles."""

    source: str
    account: str
    currency: str = "USD"
    numbers: NumberStyle = NumberStyle.POINT
    dates: DateStyle = DateStyle.AUTO
    zone: tzinfo = UTC
    zones: Mapping[str, tzinfo] = field(default_factory=dict)
    falling: bool = False
    file_name: str = ""
    number_of_line: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def sequence(self) -> int:
        """Return the place of the current line among those of the same moment, the oldest first."""
        return -self.number_of_line if self.falling else self.number_of_line

    def moment(self, line: Line, *names: str) -> int:
        """Return a line's time in microseconds UTC, or raise `LineError`."""
        text = line.required(*names)
        zone = self.zone
        if self.zones:
            zone = next((self.zones[name] for name in names if name in self.zones), zone)
        return parse_time(text, style=self.dates, zone=zone, field=names[0])

    def optional(self, line: Line, *names: str) -> Decimal | None:
        """Return a number, or None where the line has none."""
        text = line.text(*names)
        return None if is_blank(text) else parse_number(text, style=self.numbers, field=names[0])

    def number(self, line: Line, *names: str) -> Decimal:
        """Return a number that the line must have, or raise `LineError`."""
        found = self.optional(line, *names)
        if found is None:
            raise LineError("cell_missing", f"The column {quoted(names[0])} is empty.", field=names[0])
        return found

    def positive(self, line: Line, *names: str) -> Decimal:
        """Return a number above zero, or raise `LineError`."""
        found = self.number(line, *names)
        if found <= 0:
            raise LineError("amount_not_positive", f"The column {quoted(names[0])} must be above zero.", field=names[0])
        return found

    def asset(self, line: Line, *names: str) -> str:
        """Return the coin or money named by a cell, or raise `LineError`."""
        return asset_named(line.required(*names), field_name=names[0])

    def at_par(self, asset: str) -> bool:
        """Tell whether one unit of this asset is one unit of the portfolio's money."""
        return asset == self.currency or asset in STABLE.get(self.currency, ())

    def fingerprint(self, *parts: object) -> str:
        """Return an id made of what a line says; equal lines of one file are told apart by counting them."""
        text = "\x1f".join([part if isinstance(part, str) else _canonical(part) for part in parts])
        digest = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
        self.seen[digest] += 1
        return f"{self.source}:{digest}:{self.seen[digest]}"


ReadLine = Callable[[Reading, Line], list[EntryDraft]]
ReadLines = Callable[[Reading, Sequence[Line]], list[ImportedRow]]


def line_by_line(read: ReadLine) -> ReadLines:
    """Make a reader of a file out of a reader of one line."""

    def read_lines(reading: Reading, lines: Sequence[Line]) -> list[ImportedRow]:
        return [row for line in lines for row in rows_of(read, reading, line)]

    return read_lines


def rows_of(read: ReadLine, reading: Reading, line: Line) -> list[ImportedRow]:
    """Return what became of one line."""
    reading.number_of_line = line.number
    try:
        drafts = read(reading, line)
    except LineError as error:
        return [refused(line, error)]
    if not drafts:
        return [ImportedRow(line.number, note="nothing_to_book")]
    return [ImportedRow(line.number, draft) for draft in drafts]


def refused(line: Line, error: LineError) -> ImportedRow:
    """Return the row of a line that could not be read."""
    return ImportedRow(line.number, error=Problem(error.code, error.message, error.field))


@lru_cache(maxsize=4_096)
def asset_named(text: str, *, field_name: str = "") -> str:
    """Return the symbol of a coin or money in capitals, or raise `LineError`."""
    symbol = text.strip().upper()
    if not _ASSET.fullmatch(symbol):
        raise LineError("asset_bad", f"{quoted(text)} is not the symbol of a coin.", field=field_name)
    return symbol


def unknown_kind(word: str, name: str) -> LineError:
    """Return the refusal of a kind of event that is not known here."""
    return LineError(
        "kind_unknown", f"{quoted(word)} is not known. Enter this line by hand, or tell us about it.", field=name
    )


def unsupported_kind(word: str, name: str) -> LineError:
    """Return the refusal of a kind of event that is known, but has no place in the ledger yet."""
    return LineError(
        "kind_unsupported", f"{quoted(word)} is margin or futures trading, which is not kept here.", field=name
    )


def _canonical(part: object) -> str:
    if not isinstance(part, Decimal):
        return str(part)
    text = format(part, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
