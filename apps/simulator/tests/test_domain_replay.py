"""Recorded candles played as the world: exactly what was recorded, then backwards, and gone where they end early."""

import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from apps.simulator.domain.world import World
from apps.simulator.gateways import candle_files
from apps.simulator.gateways.candle_files import CandleFileError
from apps.simulator.tests.factories import DAY, HOUR, MINUTE, NOW, summed

_TODAY = NOW // DAY * DAY
_FIRST = 1_704_067_200_000  # 2024-01-01
Rows = list[tuple[int, tuple[Decimal, ...]]]
_HEAD = "ts,open,high,low,close,volume"


def _row(ts: int, values: tuple[Decimal, ...]) -> str:
    return ",".join((str(ts), *(f"{value:f}" for value in values)))


def _hours(days: int, *, start: Decimal = Decimal("100.00")) -> Rows:
    """Make hours of a seeded walk with two digits."""
    source = np.random.default_rng(5)
    rows: Rows = []
    price = start
    for hour in range(days * 24):
        end = max(price + Decimal(int(source.integers(-80, 81))) / 100, Decimal(1))
        high = max(price, end) + Decimal(int(source.integers(0, 50))) / 100
        low = min(price, end) - Decimal(int(source.integers(0, 50))) / 100
        rows.append((_FIRST + hour * HOUR, (price, high, low, end, Decimal(int(source.integers(1, 10**6))) / 1000)))
        price = end
    return rows


def _write(folder: Path, name: str, rows: Rows) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [_HEAD, *(_row(ts, values) for ts, values in rows)]
    (folder / name).write_bytes(gzip.compress("\n".join(lines).encode()))


def _as_days(hours: Rows) -> Rows:
    days = [hours[index : index + 24] for index in range(0, len(hours), 24)]
    return [
        (
            day[0][0],
            (
                day[0][1][0],
                max(row[1] for _, row in day),
                min(row[2] for _, row in day),
                day[-1][1][3],
                sum((row[4] for _, row in day), Decimal()),
            ),
        )
        for day in days
    ]


def _world(folder: Path) -> World:
    return World(7, replay=candle_files.read(folder, NOW))


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Path, Rows]:
    hours = _hours(6)
    _write(tmp_path / "binance_spot", "BTCUSDT-1h.csv.gz", hours)
    _write(tmp_path / "binance_spot", "BTCUSDT-1d.csv.gz", _as_days(hours))
    _write(tmp_path / "binance_spot", "XMRUSDT-1d.csv.gz", _as_days(hours)[:3])
    return tmp_path, hours


def test_the_last_recorded_day_is_today(recorded: tuple[Path, Rows]) -> None:
    folder, hours = recorded
    world = _world(folder)
    name = ("binance", "BTC/USDT")
    end = _TODAY + DAY
    played = world.candles(*name, HOUR, 0, end, end)
    assert [candle.ts for candle in played] == [_TODAY - 5 * DAY + index * HOUR for index in range(144)]
    assert [summed([candle])[:5] for candle in played] == [values for _, values in hours]
    days = world.candles(*name, DAY, 0, end, end - 1)
    assert [summed([candle])[:5] for candle in days] == [values for _, values in _as_days(hours)]
    minutes = world.candles(*name, MINUTE, _TODAY - 2 * DAY, _TODAY - DAY, NOW)
    assert len(minutes) == 1440
    assert summed(minutes)[:5] == _as_days(hours)[3][1]
    assert world.markets("binance", NOW)[0].price_digits == 2


def test_after_the_end_it_is_played_backwards(recorded: tuple[Path, Rows]) -> None:
    folder, hours = recorded
    world = _world(folder)
    tomorrow = _TODAY + DAY
    played = world.candles("binance", "BTC/USDT", HOUR, tomorrow, tomorrow + DAY, tomorrow + 2 * DAY)
    turned = [(end, high, low, start, volume) for _, (start, high, low, end, volume) in reversed(hours[-24:])]
    assert [summed([candle])[:5] for candle in played] == turned
    again = world.candles("binance", "BTC/USDT", DAY, tomorrow + 6 * DAY, tomorrow + 7 * DAY, tomorrow + 9 * DAY)
    assert summed(again)[:5] == _as_days(hours)[0][1]


def test_the_live_price_plays_along(recorded: tuple[Path, Rows]) -> None:
    world = _world(recorded[0])
    ticker = world.ticker("binance", "BTC/USDT", NOW)
    (minute,) = world.candles("binance", "BTC/USDT", MINUTE, NOW // MINUTE * MINUTE, NOW + 1, NOW)
    assert minute.close == ticker.last
    assert world.ticker("coinbase", "BTC/USD", NOW).open_day == ticker.open_day  # lent to the same coin in dollars
    assert len({world.ticker("binance", "BTC/USDT", NOW + step).ts for step in range(0, 5000, 100)}) > 3


def test_what_ends_early_is_delisted(recorded: tuple[Path, Rows]) -> None:
    world = _world(recorded[0])
    listed = {market.symbol for market in world.markets("binance", NOW)}
    assert "XMR/USDT" not in listed
    early = {market.symbol for market in world.markets("binance", NOW - 4 * DAY)}
    assert "XMR/USDT" in early


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("BTCUSDT-1h.csv.gz", [_HEAD]),
        ("BTCUSDT-1h.csv.gz", [_HEAD, "1704067200000,1,2,3"]),
        ("BTCUSDT-1h.csv.gz", [_HEAD, "1704067200000,a,2,1,1,1"]),
        ("BTCUSDT-1h.csv.gz", [_HEAD, "1704067200000,1,1,2,1,1"]),
        ("BTCUSDT-1h.csv.gz", [_HEAD, "1704067200000,1,1,1,NaN,1"]),
        ("BTCUSDT-1h.csv.gz", [_HEAD, "1704067200000,1,1,1,0,1"]),
    ],
)
def test_a_bad_file_is_refused_with_its_name(tmp_path: Path, name: str, lines: list[str]) -> None:
    (tmp_path / "binance").mkdir()
    (tmp_path / "binance" / name).write_bytes(gzip.compress("\n".join(lines).encode()))
    with pytest.raises(CandleFileError, match=name):
        candle_files.read(tmp_path, NOW)


def test_a_folder_without_candles_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "BTCUSDT-1h.csv.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(CandleFileError, match="holds no candles"):
        candle_files.read(tmp_path, NOW)
