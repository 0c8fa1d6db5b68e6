"""Recorded candles on disk: <exchange>/<SYMBOL>-<timeframe>.csv.gz with ts,open,high,low,close,volume."""

import gzip
import logging
import re
from collections import defaultdict
from pathlib import Path

import numpy as np

from apps.simulator.domain.replay import Record, Replayed
from apps.simulator.domain.seeds import Floats
from apps.simulator.domain.series import Bars
from apps.simulator.domain.shapes import DAY_MS, MINUTE_MS, VENUES, StartError

_TIMEFRAMES = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1d": 1440}
_QUOTES = ("USDT", "USDC", "FDUSD", "USD", "EUR", "GBP", "CHF", "JPY", "BTC", "ETH")
_MOST_DIGITS = 10
_FILE = re.compile(r"([A-Z0-9]+)-(\d+[mhd])\.csv\.gz")
_COLUMNS = 6
_ROUND_OFF = 1e-3

logger = logging.getLogger(__name__)


class CandleFileError(StartError):
    """A file cannot be played; the text says which and why."""


def read(folder: Path, now_ms: int) -> dict[tuple[str, str], Replayed]:
    """Return the markets found, by venue and symbol, moved so that the last recorded day is today."""
    top = folder / "candles" if (folder / "candles").is_dir() else folder
    files: defaultdict[tuple[str, str], dict[int, Path]] = defaultdict(dict)
    for path in sorted(top.glob("*/*.csv.gz")):
        venue, match = _venue_of(path.parent.name), _FILE.fullmatch(path.name)
        symbol = _symbol(match[1]) if match else None
        if venue is None or symbol is None or match is None or match[2] not in _TIMEFRAMES:
            logger.warning(
                "A file is not played: its exchange, pair or timeframe is unknown", extra={"path": str(path)}
            )
            continue
        files[venue, symbol][_TIMEFRAMES[match[2]] * MINUTE_MS] = path
    if not files:
        raise CandleFileError(f"{folder} holds no candles. Expected <exchange>/<SYMBOL>-<timeframe>.csv.gz.")
    return _moved({name: _market(paths) for name, paths in files.items()}, now_ms)


Parsed = tuple[dict[int, Record], tuple[int, int]]


def _moved(markets: dict[tuple[str, str], Parsed], now_ms: int) -> dict[tuple[str, str], Replayed]:
    last = max(int(record.ts[-1]) for records, _ in markets.values() for record in records.values()) // DAY_MS
    shift = now_ms // DAY_MS - last
    played = {}
    for (venue, symbol), (records, digits) in markets.items():
        market = Replayed(f"{venue} {symbol}", records, digits, shift)
        market.endless = market.last_day == last
        played[venue, symbol] = market
    return played


def _venue_of(folder: str) -> str | None:
    return next((venue for venue in VENUES if folder == venue or folder.startswith(f"{venue}_")), None)


def _symbol(name: str) -> str | None:
    quote = next((quote for quote in _QUOTES if name.endswith(quote) and name != quote), None)
    return f"{name.removesuffix(quote)}/{quote}" if quote else None


def _market(paths: dict[int, Path]) -> Parsed:
    tables = {timeframe: _table(path) for timeframe, path in paths.items()}
    prices = max(_digits(table[:, 1:5]) for table in tables.values())
    amounts = max(_digits(table[:, 5]) for table in tables.values())
    digits = prices, min(amounts, 8)
    return {timeframe: _record(table, digits) for timeframe, table in tables.items()}, digits


def _table(path: Path) -> Floats:
    """Return a file's rows; one that holds anything but candles in order is refused."""
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            table = np.loadtxt(file, delimiter=",", skiprows=1, ndmin=2, dtype=np.float64)
    except (ValueError, UnicodeDecodeError, EOFError, gzip.BadGzipFile, UserWarning) as error:
        raise CandleFileError(f"{path} cannot be read as lines of six numbers.") from error
    if not len(table) or table.shape[1] != _COLUMNS or not np.isfinite(table).all():
        raise CandleFileError(f"{path} is empty or has lines without six numbers.")
    ts, high, low = table[:, 0], table[:, 2], table[:, 3]
    if (np.diff(ts) <= 0).any() or (table[:, 1:5] <= 0).any() or (high < low).any() or (table[:, 5] < 0).any():
        raise CandleFileError(f"{path} holds candles out of order, a price of zero or a high below its low.")
    return table


def _digits(values: Floats) -> int:
    """Return how many digits after the point the numbers need."""
    for digits in range(_MOST_DIGITS):
        scaled = values * 10.0**digits
        if np.abs(scaled - np.rint(scaled)).max() < _ROUND_OFF:
            return digits
    return _MOST_DIGITS


def _record(table: Floats, digits: tuple[int, int]) -> Record:
    """Return the rows as whole steps."""
    columns = np.rint(table[:, 1:5].T * 10.0 ** digits[0]).astype(np.int64)
    volume = np.rint(table[:, 5] * 10.0 ** digits[1]).astype(np.int64)
    quote = np.rint(volume * (columns.sum(0) / 4.0)).astype(np.int64)
    bars = Bars(np.concatenate((columns, volume[None, :], quote[None, :])), np.ones(len(volume), dtype=np.bool_))
    return Record(table[:, 0].astype(np.int64), bars)
