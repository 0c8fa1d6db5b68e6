"""Candle files: one series a file, gzip or plain CSV, named VENUE_spot/BASEQUOTE-TIMEFRAME.csv.gz."""

import gzip
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson

from apps.markets.domain.candles import Candles, Floats
from apps.markets.domain.instruments import InstrumentName, InstrumentNameError
from apps.markets.domain.timeframes import Timeframe

HEADER: Final = b"ts,open,high,low,close,volume"
COLUMNS: Final = 6
#: Quotes by which a name such as BTCUSDT is cut in two; of several that fit the longest counts.
QUOTES: Final = (
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDP", "PYUSD", "DAI", "USD", "EUR", "GBP", "CHF", "JPY", "TRY", "BRL",
    "AUD", "CAD", "PLN", "BTC", "ETH", "BNB",
)  # fmt: skip
_NAME: Final = re.compile(
    rf"([A-Z0-9]+)(?:[-_/]([A-Z0-9]+))?-({'|'.join(Timeframe)})(?:-dirty)?\.csv(?:\.gz)?", re.IGNORECASE
)
_LARGEST: Final = 2_000_000_000
_NEWLINE, _COMMA = 10, 44


class CandleFileError(ValueError):
    """The file as a whole is not a candle file; the text says why."""


@dataclass(frozen=True, slots=True)
class FileSubject:
    """What a file is about, by its name and folder."""

    instrument: InstrumentName
    timeframe: Timeframe


@dataclass(frozen=True, slots=True)
class Parsed:
    """The rows of a file as numbers (what is no number is NaN) and the line that each of them stood on."""

    table: Floats
    lines: "Sequence[int] | range"


def subject_of(folder: str, name: str) -> FileSubject:
    """Return what a file is about, or raise `CandleFileError`."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise CandleFileError("The name is not like BTCUSDT-1h.csv.gz, so its pair and timeframe are unknown.")
    base, quote = found[1].upper(), (found[2] or "").upper()
    if not quote:
        quote = next((one for one in _BY_LENGTH if base.endswith(one) and len(base) > len(one)), "")
        if not quote:
            raise CandleFileError(f"The quote in {found[1]} is unknown. Write it as BASE-QUOTE-1h.csv.gz.")
        base = base.removesuffix(quote)
    venue = folder.lower().removesuffix("_spot")
    try:
        instrument = InstrumentName.parse(f"{venue}:{base}/{quote}")
    except InstrumentNameError as error:
        raise CandleFileError(f"The folder {folder} names no exchange that is known here.") from error
    return FileSubject(instrument, Timeframe(found[3].lower()))


_BY_LENGTH: Final = sorted(QUOTES, key=len, reverse=True)


def unpacked(data: bytes) -> bytes:
    """Return the text of a file, gzip or not."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        unpacker = zlib.decompressobj(wbits=31)
        text = unpacker.decompress(data, _LARGEST)
    except zlib.error as error:
        raise CandleFileError("The gzip file is damaged.") from error
    if not unpacker.eof:
        raise CandleFileError("The gzip file is cut off.")
    return text


def parse(text: bytes) -> Parsed:
    """Return the rows of a file; what cannot be read as a number becomes NaN and is refused at the gate."""
    body, first_line = _without_header(text)
    table = _fast(body)
    if table is not None:
        return Parsed(table, range(first_line, first_line + len(table)))
    return _tolerant(body, first_line)


def _without_header(text: bytes) -> tuple[bytes, int]:
    text = text.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    head, _newline, body = text.partition(b"\n")
    names = head.strip().lower().replace(b" ", b"").replace(b'"', b"")
    if names == HEADER:
        return body, 2
    if names[:1].isdigit():
        return text, 1
    raise CandleFileError(f"The first line is not {HEADER.decode()}.")


def _fast(body: bytes) -> Floats | None:
    """Read the whole file as one list of JSON numbers, if each line has its six."""
    body = body.rstrip(b"\n")
    if not body:
        return np.empty((0, COLUMNS), dtype=np.float64)
    signs = np.frombuffer(body + b"\n", dtype=np.uint8)
    ends = np.flatnonzero(signs == _NEWLINE)
    commas = np.add.reduceat(signs == _COMMA, np.r_[0, ends[:-1] + 1], dtype=np.int64)
    if np.any(commas != COLUMNS - 1):
        return None
    listed = b"[" + body.replace(b"\n", b",").replace(b",,", b",null,").replace(b",,", b",null,") + b"]"
    try:
        numbers = orjson.loads(listed.replace(b",]", b",null]").replace(b"[,", b"[null,"))
        return np.array(numbers, dtype=np.float64).reshape(-1, COLUMNS)
    except (ValueError, TypeError):
        return None


def _tolerant(body: bytes, first_line: int) -> Parsed:
    rows, lines = [], []
    for number, line in enumerate(body.split(b"\n"), first_line):
        if not line.strip():
            continue
        cells = line.split(b",")
        rows.append([_number(cell) for cell in cells] if len(cells) == COLUMNS else _without_values(cells))
        lines.append(number)
    return Parsed(np.array(rows, dtype=np.float64).reshape(-1, COLUMNS), lines)


def _number(cell: bytes) -> float:
    try:
        return float(cell.strip().strip(b'"'))
    except ValueError:
        return float("nan")


def _without_values(cells: Sequence[bytes]) -> list[float]:
    return [_number(cells[0]), *[float("nan")] * (COLUMNS - 1)]


def written(candles: Candles) -> bytes:
    """Return candles as the gzip file that `parse` reads back to the last bit."""
    lines = [HEADER.decode()]
    lines += [f"{row[0]},{','.join(_plain(number) for number in row[1:])}" for row in candles.rows()]
    return gzip.compress(("\n".join(lines) + "\n").encode(), compresslevel=6, mtime=0)


def _plain(number: float) -> str:
    """Write a number without exponent, with the digits that bring the same bits back."""
    if number == int(number):
        return str(int(number))
    text = repr(number)
    return text if "e" not in text else np.format_float_positional(number, trim="-")


def file_name(subject: FileSubject) -> str:
    """Return the folder and name under which a series is exported."""
    pair = f"{subject.instrument.base}{subject.instrument.quote}"
    quote = next((one for one in _BY_LENGTH if pair.endswith(one) and len(pair) > len(one)), "")
    if quote != subject.instrument.quote or not pair.isalnum() or not pair.isascii():
        pair = f"{subject.instrument.base}-{subject.instrument.quote}"
    return f"{subject.instrument.venue}_spot/{pair}-{subject.timeframe}.csv.gz"
