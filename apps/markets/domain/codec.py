"""The block codec: whole numbers relative to each other, bytes sorted by weight, zstandard; bit for bit what went in.

A block is a head and a body. The head says codec, timeframe, count, first time, digits and widths, and holds a
checksum over everything; so a block explains itself, wherever it is found.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from apps.markets.domain.candles import MOST_DIGITS, Candles, Floats, Integers, scale_exactly
from apps.markets.domain.timeframes import Timeframe

INTEGERS: Final = 1
FLOATS: Final = 2
LEVEL: Final = 1
_MAGIC: Final = b"CSB1"
# magic, checksum, codec, columns of times, price digits, volume digits, widths, timeframe in s, count, first time, body
_HEAD: Final = struct.Struct("<4sIBBBB6sIIqI")
_CHECKED_FROM: Final = 8
_WIDTHS: Final = (1, 2, 4, 8)
_MOST_CANDLES: Final = 1_000_000
_BYTES_A_CANDLE: Final = 64


class DamagedBlockError(ValueError):
    """The bytes are not a block, or not the block that was written; nothing of them may be used."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a block says of itself."""

    codec: int
    timeframe: Timeframe
    count: int
    first_ts: int
    checksum: int
    price_digits: int
    volume_digits: int


def encode(candles: Candles, timeframe: Timeframe) -> bytes:
    """Write candles of one timeframe as a block."""
    if not len(candles):
        raise ValueError("A block holds at least one candle.")
    steps = np.diff(candles.ts) // timeframe.milliseconds
    if np.any(candles.ts % timeframe.milliseconds) or np.any(steps < 1):
        raise ValueError("The candles of a block stand on their grid, in order, once each.")
    gaps = np.r_[np.int64(0), steps - 1]
    times = [gaps] if np.any(gaps) else []
    scaled = _scaled(candles)
    if scaled is None:
        codec, digits = FLOATS, (0, 0)
        body, widths = _pack(times)
        body += b"".join(_shuffled(np.ascontiguousarray(column).view(np.uint64), 8) for column in candles.values)
    else:
        prices, volume, digits = scaled
        codec = INTEGERS
        body, widths = _pack([*times, *_relative(prices), _folded(volume)])
    packed = zstandard.ZstdCompressor(level=LEVEL).compress(body)
    head = (
        codec, len(times), *digits, bytes(widths).ljust(6, b"\0"),
        timeframe.milliseconds // 1000, len(candles), candles.first_ts, len(body),
    )  # fmt: skip
    sealed = _HEAD.pack(_MAGIC, 0, *head)[_CHECKED_FROM:] + packed
    return _MAGIC + struct.pack("<I", zlib.crc32(sealed)) + sealed


def read_head(block: bytes) -> Head:
    """Return what the block says of itself, its checksum verified."""
    return _opened(block)[0]


def decode(block: bytes) -> Candles:
    """Return the candles of a block, or raise `DamagedBlockError`."""
    return decode_all([block])


def decode_all(blocks: Sequence[bytes]) -> Candles:
    """Return the candles of blocks that follow each other, unpacked into one set of columns."""
    opened = [_opened(block) for block in blocks]
    total = sum(one[0].count for one in opened)
    whole = Candles(np.empty(total, dtype=np.int64), *(np.empty(total, dtype=np.float64) for _ in range(5)))
    unpacker, place = zstandard.ZstdDecompressor(), 0
    for block, (head, times, widths, length) in zip(blocks, opened, strict=True):
        target = whole.pick(slice(place, place + head.count))
        place += head.count
        try:
            body = unpacker.decompress(memoryview(block)[_HEAD.size :], max_output_size=length)
            _restore(head, body, times, widths, target)
        except zstandard.ZstdError as error:
            raise DamagedBlockError("The body of the block cannot be unpacked.") from error
        except (ValueError, IndexError) as error:
            raise DamagedBlockError("The body of the block does not fit its head.") from error
    return whole


def _opened(block: bytes) -> tuple[Head, int, bytes, int]:
    if len(block) < _HEAD.size:
        raise DamagedBlockError("The block is shorter than its head.")
    magic, checksum, codec, times, price, volume, widths, seconds, count, first, length = _HEAD.unpack_from(block)
    if magic != _MAGIC:
        raise DamagedBlockError("This is not a block of candles.")
    if zlib.crc32(memoryview(block)[_CHECKED_FROM:]) != checksum:
        raise DamagedBlockError("The checksum of the block is wrong.")
    if codec not in {INTEGERS, FLOATS} or count > _MOST_CANDLES or length > count * _BYTES_A_CANDLE:
        raise DamagedBlockError("The block was written by another version.")
    timeframe = next((one for one in Timeframe if one.milliseconds == seconds * 1000), None)
    if timeframe is None:
        raise DamagedBlockError("The block has a timeframe that does not exist.")
    head = Head(codec, timeframe, count, first, checksum, price, volume)
    return head, times, widths, length


def _restore(head: Head, body: bytes, times: int, widths: bytes, target: Candles) -> None:
    """Unpack a body into columns that are there already."""
    count, length = head.count, head.timeframe.milliseconds
    reader = _Reader(body, count)
    places = np.arange(count, dtype=np.int64)
    if times:
        places += np.cumsum(reader.column(widths[0]), dtype=np.int64)
    np.multiply(places, length, out=target.ts)
    np.add(target.ts, head.first_ts, out=target.ts)
    if head.codec == FLOATS:
        for column in target.values:
            column[:] = reader.floats()
        return
    parts = [_unfolded(reader.column(width)) for width in widths[times : times + 5]]
    for whole, column in zip(_absolute(*parts[:4]), target.values, strict=False):
        np.divide(whole, 10.0**head.price_digits, out=column)
    np.divide(parts[4], 10.0**head.volume_digits, out=target.volume)


# --- Prices to small numbers ----------------------------------------------------------------------------------------
def _scaled(candles: Candles) -> "tuple[tuple[Integers, ...], Integers, tuple[int, int]] | None":
    """Scale with the fewest digits that lose nothing: never more than the instrument has, often fewer."""
    price = scale_exactly(np.concatenate(candles.values[:4]), MOST_DIGITS)
    volume = scale_exactly(candles.volume, MOST_DIGITS)
    if price is None or volume is None:
        return None
    whole, price_digits = price
    columns = tuple(whole.reshape(4, -1))
    return columns, volume[0], (price_digits, volume[1])


def _relative(prices: "tuple[Integers, ...]") -> list[Integers]:
    """Close against the close before, open against that too, high and low against the body."""
    opened, high, low, close = prices
    before = np.r_[np.int64(0), close[:-1]]
    top, bottom = np.maximum(opened, close), np.minimum(opened, close)
    return [_folded(close - before), _folded(opened - before), _folded(high - top), _folded(bottom - low)]


def _absolute(closes: Integers, opens: Integers, highs: Integers, lows: Integers) -> "tuple[Integers, ...]":
    close = np.cumsum(closes, dtype=np.int64)
    opened = close - closes
    opened += opens
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    high += highs
    low -= lows
    return opened, high, low, close


def _folded(column: Integers) -> Integers:
    """Fold negative numbers between the positive ones, so that small ones have empty high bytes."""
    return (column << 1) ^ (column >> 63)


def _unfolded(column: "NDArray[Any]") -> Integers:
    """Undo that in the narrow type that the column was stored in; the result is signed."""
    lowest = column & 1
    unfolded: Integers = ((column >> 1) ^ (0 - lowest).astype(column.dtype)).view(f"<i{column.itemsize}")
    return unfolded


# --- Numbers to bytes -----------------------------------------------------------------------------------------------
def _pack(columns: list[Integers]) -> tuple[bytes, list[int]]:
    widths = [_width(column) for column in columns]
    return b"".join(_shuffled(column, width) for column, width in zip(columns, widths, strict=True)), widths


def _width(column: Integers) -> int:
    largest = int(column.max(initial=0))
    return next(width for width in _WIDTHS if largest < 1 << (8 * width) or width == 8)


def _shuffled(column: "Integers | NDArray[np.uint64]", width: int) -> bytes:
    """Put first all lowest bytes, then the next, and so on."""
    by_row = column.astype(f"<u{width}", copy=False).view(np.uint8).reshape(-1, width)
    by_weight = np.empty((width, len(column)), dtype=np.uint8)
    for place in range(width):
        by_weight[place] = by_row[:, place]
    return by_weight.tobytes()


class _Reader:
    """Takes the columns of a body one after the other."""

    def __init__(self, body: bytes, count: int) -> None:
        self._body, self._count, self._place = body, count, 0

    def column(self, width: int) -> "NDArray[Any]":
        """Return the next column of whole numbers, in the narrow type that it was stored in."""
        if width not in _WIDTHS:
            raise ValueError("No column is that wide.")
        size = self._count * width
        by_weight = np.frombuffer(self._body, dtype=np.uint8, count=size, offset=self._place).reshape(width, -1)
        self._place += size
        by_row = np.empty((self._count, width), dtype=np.uint8)
        for place in range(width):
            by_row[:, place] = by_weight[place]
        return by_row.view(f"<u{width}").reshape(-1)

    def floats(self) -> Floats:
        """Return the next column of floats."""
        return self.column(8).view(np.float64)
