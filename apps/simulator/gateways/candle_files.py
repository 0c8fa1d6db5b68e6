"""Recorded candles on disk: <exchange>/<SYMBOL>-<timeframe>.csv.gz with ts,open,high,low,close,volume."""

import csv
import gzip
import logging
import re
from collections import defaultdict
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from apps.simulator.domain.replay import Record, Replayed
from apps.simulator.domain.series import Bars
from apps.simulator.domain.shapes import DAY_MS, MINUTE_MS, VENUES, StartError

_TIMEFRAMES = {"1m": 1, "5m": 5, "15m": 15, "1h": 60, "4h": 240, "1d": 1440}
_QUOTES = ("USDT", "USDC", "FDUSD", "USD", "EUR", "GBP", "CHF", "JPY", "BTC", "ETH")
_MOST_DIGITS = 10
_FILE = re.compile(r"([A-Z0-9]+)-(\d+[mhd])\.csv\.gz")
_COLUMNS = 6

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
    rows = {timeframe: _rows(path) for timeframe, path in paths.items()}
    prices = max(_digits(row[1:5]) for table in rows.values() for row in table)
    amounts = max(_digits(row[5:]) for table in rows.values() for row in table)
    digits = min(prices, _MOST_DIGITS), min(amounts, 8)
    return {timeframe: _record(table, digits, paths[timeframe]) for timeframe, table in rows.items()}, digits


def _rows(path: Path) -> list[list[str]]:
    with gzip.open(path, "rt", encoding="ascii", newline="") as file:
        table = [row for row in csv.reader(file) if row][1:]
    if not table or any(len(row) != _COLUMNS for row in table):
        raise CandleFileError(f"{path} is empty or has lines without six columns.")
    return table


def _digits(words: list[str]) -> int:
    return max(len(word.partition(".")[2].rstrip("0")) if "e" not in word else _MOST_DIGITS for word in words)


def _record(rows: list[list[str]], digits: tuple[int, int], path: Path) -> Record:
    """Return the rows as whole steps; a row that is not a candle is refused."""
    try:
        table = np.array(
            [[int(Decimal(word).scaleb(digits[0]).to_integral_value()) for word in row[1:5]] for row in rows]
        )
        volume = np.array([int(Decimal(row[5]).scaleb(digits[1]).to_integral_value()) for row in rows])
        ts = np.array([int(row[0]) for row in rows], dtype=np.int64)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise CandleFileError(f"{path} holds something that is not a number.") from error
    columns = table.T.astype(np.int64)
    if (np.diff(ts) <= 0).any() or (columns <= 0).any() or (columns[1] < columns[2]).any() or (volume < 0).any():
        raise CandleFileError(f"{path} holds candles out of order, a price of zero or a high below its low.")
    quote = np.rint(volume * (columns.sum(0) / 4.0)).astype(np.int64)
    bars = Bars(np.concatenate((columns, volume[None, :], quote[None, :])), np.ones(len(ts), dtype=np.bool_))
    return Record(ts, bars)
