"""Candle files: read whole and exactly, each fault named with its line, nothing wrong stored, and written back."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.markets import actions
from apps.markets.actions import FileReport, Mode
from apps.markets.domain import candle_files
from apps.markets.domain.candle_files import CandleFileError
from apps.markets.domain.candles import Candles, Gap, aggregate, from_table
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models import CandleSeries, Instrument, QuarantinedCandle
from apps.markets.queries.stored_candles import read_series
from apps.markets.tests.factories import make_instrument
from apps.markets.tests.factories_candles import make_candles

SHARED = Path(settings.BASE_DIR).parent / "shared" / "data"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = 3_600_000
needs_shared_data = pytest.mark.skipif(not SHARED.is_dir(), reason="no ../shared/data beside this checkout")

#: What the planted faults are called in the key, and what the gate calls them.
CODES = {
    "nan_close": "not_a_number",
    "spike_x10_high_and_close": "spike",
    "high_below_low": "high_below_low",
    "negative_volume": "negative_volume",
    "zero_price": "zero_price",
    "timestamp_in_seconds": "wrong_time_unit",
    "misaligned_by_90s": "misaligned",
    "exact_duplicate": "exact_duplicate",
    "conflicting_duplicate": "conflicting_duplicate",
    "out_of_order_pair": "out_of_order",
}


def _file(folder: Path, lines: list[str], name: str = "binance_spot/BTCUSDT-1h.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["ts,open,high,low,close,volume", *lines]) + "\n")
    return path


def _lines(candles: Candles) -> list[str]:
    return gzip.decompress(candle_files.written(candles)).decode().splitlines()[1:]


def _import(path: Path, mode: Mode = Mode.STORE) -> list[FileReport]:
    return actions.import_candles(path=path, mode=mode, now=NOW).files


def _stored(symbol: str = "BTC/USDT", timeframe: Timeframe = Timeframe.H1, venue: str = "binance") -> Candles:
    pair = Instrument.objects.here().get(venue=venue, symbol=symbol)
    return read_series(series=CandleSeries.objects.get(instrument=pair, timeframe=timeframe))


# --- Names and numbers ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("folder", "name", "instrument", "timeframe"),
    [
        ("binance_spot", "BTCUSDT-1d.csv.gz", "binance:BTC/USDT", "1d"),
        ("binanceus_spot", "BTCUSDC-1m.csv.gz", "binanceus:BTC/USDC", "1m"),
        ("kraken", "XBT-EUR-4h.csv", "kraken:XBT/EUR", "4h"),
        ("binance_spot", "FDUSDUSDT-5m.csv", "binance:FDUSD/USDT", "5m"),
        ("kucoin", "ETHBTC-15m.csv.gz", "kucoin:ETH/BTC", "15m"),
    ],
)
def test_a_name_says_what_a_file_is_about(folder: str, name: str, instrument: str, timeframe: str) -> None:
    subject = candle_files.subject_of(folder, name)
    assert (str(subject.instrument), subject.timeframe.value) == (instrument, timeframe)


@pytest.mark.parametrize("path", ["binance_spot/notes.csv", "nowhere/BTCUSDT-1h.csv", "binance_spot/ABCXYZ-1h.csv"])
def test_another_name_is_refused_in_words(path: str) -> None:
    folder, _slash, name = path.partition("/")
    with pytest.raises(CandleFileError):
        candle_files.subject_of(folder, name)


@given(seed=st.integers(0, 500), count=st.integers(1, 50), scale=st.sampled_from([1e-9, 1e-4, 1.0, 1e6]))
@hypothesis_settings(deadline=None, max_examples=30)
def test_what_is_written_is_read_back_to_the_last_bit(seed: int, count: int, scale: float) -> None:
    walk = make_candles(count, seed=seed)
    candles = Candles(walk.ts, *(column * scale for column in walk.values))
    text = candle_files.unpacked(candle_files.written(candles))
    assert b"e-" not in text
    parsed = candle_files.parse(text)
    assert from_table(parsed.table).equals(candles)


def test_lines_that_are_no_numbers_are_named_and_hide_nothing() -> None:
    good = "1704067200000,1,2,1,2,5"
    text = "ts,open,high,low,close,volume\n" + f"{good}\n\nx,1,2,1,2,5\n1,2,3\n{good}\n,,,,,\na,b"
    parsed = candle_files.parse(text.encode())
    assert list(parsed.lines) == [2, 4, 5, 6, 7, 8]
    assert np.isfinite(parsed.table).all(axis=1).tolist() == [True, False, False, True, False, False]


def test_blank_cells_keep_the_fast_road() -> None:
    parsed = candle_files.parse(b"ts,open,high,low,close,volume\n1704067200000,1,2,1,,5\n1704070800000,1,,,2,\n")
    assert parsed.lines == range(2, 4)
    assert np.isnan(parsed.table).sum() == 4


@pytest.mark.parametrize("text", [b"", b"a,b,c\n1,2,3\n", b"\x1f\x8bnonsense"])
def test_what_is_no_candle_file_is_said(text: bytes) -> None:
    with pytest.raises(CandleFileError):
        candle_files.parse(candle_files.unpacked(text))


# --- In ---------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_an_import_makes_the_pair_and_a_repeat_changes_nothing(tmp_path: Path) -> None:
    candles = make_candles(200)
    _file(tmp_path, _lines(candles), "binanceus_spot/BTCUSDC-1h.csv")
    first, again = _import(tmp_path)[0], _import(tmp_path)[0]
    assert (first.rows, first.stored.new, first.faults, first.missing) == (200, 200, (), 0)
    assert (again.stored.new, again.stored.same) == (0, 200)
    pair = Instrument.objects.get(venue="binanceus")
    assert (str(pair), pair.active, pair.vanished_at is not None) == ("binanceus:BTC/USDC", False, True)
    assert _stored("BTC/USDC", venue="binanceus").equals(candles)


@pytest.mark.django_db
def test_a_dry_run_finds_the_same_and_writes_nothing(tmp_path: Path) -> None:
    lines = _lines(make_candles(50))
    lines[10] = lines[10].replace(",", ",-", 1)
    _file(tmp_path, lines)
    dry = _import(tmp_path, Mode.DRY_RUN)[0]
    assert [(one.line, one.code, one.refused) for one in dry.faults] == [(12, "negative_price", True)]
    assert not Instrument.objects.exists()
    assert _import(tmp_path)[0].faults == dry.faults


@pytest.mark.django_db
def test_a_file_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    _file(tmp_path, _lines(make_candles(10)))
    (tmp_path / "binance_spot" / "ETHUSDT-1h.csv.gz").write_bytes(gzip.compress(b"ts,open\n1,2\n")[:-4])
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError, match="could not be read"):
        call_command("candles", "import", str(tmp_path), "--json", stdout=out, stderr=err)
    files = {one["file"].rpartition("/")[2]: one for one in json.loads(out.getvalue())["files"]}
    assert files["BTCUSDT-1h.csv"]["new"] == 10
    assert files["ETHUSDT-1h.csv.gz"]["problem"]
    with pytest.raises(actions.NoCandleFilesError):
        actions.import_candles(path=tmp_path / "nothing", mode=Mode.STORE, now=NOW)


@pytest.mark.django_db
def test_export_and_import_are_inverse(tmp_path: Path) -> None:
    make_instrument()
    candles = make_candles(300)
    _file(tmp_path / "in", _lines(candles))
    _import(tmp_path / "in")
    out = StringIO()
    start = str(candles.ts[100].item())
    call_command(
        "candles", "export", str(tmp_path / "out"), "--instrument", "binance:BTC/USDT", "--timeframe", "1h", "--from",
        start, stdout=out, stderr=StringIO(),
    )  # fmt: skip
    CandleSeries.objects.all().delete()
    report = _import(tmp_path / "out")[0]
    assert (report.rows, report.faults) == (200, ())
    assert _stored().equals(candles.pick(slice(100, None)))
    with pytest.raises(CommandError, match="Nothing was written"):
        call_command("candles", "export", str(tmp_path), "--timeframe", "5m", stdout=out)


@pytest.mark.django_db
def test_a_table_on_paper_says_file_line_and_fault(tmp_path: Path) -> None:
    lines = _lines(make_candles(20))
    lines.append(lines[3])
    path, out = _file(tmp_path, lines), StringIO()
    call_command("candles", "import", str(path), stdout=out, stderr=StringIO())
    assert f"{path}:22: exact_duplicate, put right" in out.getvalue()


# --- The planted faults -----------------------------------------------------------------------------------------------
Cells = list[str]
_KINDS = {
    "nan_close": 4, "spike_x10_high_and_close": 4, "high_below_low": 3, "negative_volume": 3, "zero_price": 2,
    "timestamp_in_seconds": 2, "misaligned_by_90s": 2, "exact_duplicate": 4, "conflicting_duplicate": 3,
    "out_of_order_pair": 3, "gap_1": 1, "gap_3": 1, "gap_6": 1, "gap_12": 1,
}  # fmt: skip
_SPOILT: dict[str, Callable[[Cells], Cells]] = {
    "nan_close": lambda cells: [*cells[:4], "", cells[5]],
    "spike_x10_high_and_close": lambda cells: [
        *cells[:2], str(float(cells[2]) * 10), cells[3], str(float(cells[4]) * 10), cells[5],
    ],
    "high_below_low": lambda cells: [*cells[:2], str(float(cells[3]) - 0.5), cells[2], *cells[4:]],
    "negative_volume": lambda cells: [*cells[:5], f"-{cells[5]}"],
    "zero_price": lambda cells: [cells[0], "0", *cells[2:]],
    "timestamp_in_seconds": lambda cells: [cells[0][:-3], *cells[1:]],
    "misaligned_by_90s": lambda cells: [str(int(cells[0]) + 90_000), *cells[1:]],
}  # fmt: skip
_ADDED: dict[str, Callable[[Cells], Cells]] = {
    "exact_duplicate": lambda cells: cells,
    "conflicting_duplicate": lambda cells: [*cells[:5], str(float(cells[5]) + 1)],
}


def _plant(candles: Candles) -> tuple[list[str], list[str]]:
    """Plant the 34 faults of the real dirty file in a walk of our own; return the lines and the kinds."""
    kinds = [kind for kind, count in _KINDS.items() for _time in range(count)]
    lines = _lines(candles)
    extra = []
    for turn, kind in reversed(list(enumerate(kinds))):  # from the end, so that gaps move nothing that is to come
        place = 30 + 40 * turn
        cells = lines[place].split(",")
        lines[place] = ",".join(_SPOILT.get(kind, list)(cells))
        if kind in _ADDED:
            extra.append(",".join(_ADDED[kind](cells)))
        elif kind == "out_of_order_pair":
            lines[place : place + 2] = lines[place + 1], lines[place]
        elif kind.startswith("gap"):
            del lines[place : place + int(kind[4:])]
    return lines + extra, kinds


@pytest.mark.django_db
def test_every_planted_fault_is_found_and_nothing_else(tmp_path: Path) -> None:
    clean = make_candles(1_600)
    lines, kinds = _plant(clean)
    assert len(kinds) == 34
    report = _import(_file(tmp_path, lines))[0]
    found = Counter(fault.code for fault in report.faults)
    wanted = Counter(CODES[kind] for kind in kinds if kind in CODES)
    wanted["conflicting_duplicate"] *= 2  # both rows of each are named: nobody can tell which is right
    assert found == wanted
    assert sorted(gap.count(Timeframe.H1) for gap in report.gaps) == [1, 3, 6, 12]
    _nothing_wrong_is_stored(clean)
    refused = sum(1 for fault in report.faults if fault.refused)
    assert QuarantinedCandle.objects.filter(state="open").count() == refused


def _nothing_wrong_is_stored(clean: Candles) -> None:
    stored = _stored()
    there = np.isin(clean.ts, stored.ts)
    assert stored.equals(clean.pick(there)), "every stored candle is the true one, to the last bit"


# --- The real ones ----------------------------------------------------------------------------------------------------
def _shared(pair: str, timeframe: str, venue: str = "binance_spot") -> Candles:
    data = (SHARED / "candles" / venue / f"{pair}-{timeframe}.csv.gz").read_bytes()
    return from_table(candle_files.parse(candle_files.unpacked(data)).table)


def _both(lower: str) -> list[str]:
    if not SHARED.is_dir():
        return []
    names = {path.name for path in (SHARED / "candles" / "binance_spot").iterdir()}
    pairs = {name.partition("-")[0] for name in names}
    return sorted(pair for pair in pairs if {f"{pair}-{lower}.csv.gz", f"{pair}-1d.csv.gz"} <= names)


@needs_shared_data
@pytest.mark.parametrize("lower", ["1h", "4h"])
def test_real_hours_give_exactly_the_real_days(lower: str) -> None:
    """Outages leave hours out, and nothing was traded in them: the days still agree, to the last bit."""
    pairs = _both(lower)
    assert len(pairs) >= 2
    for pair in pairs:
        own, parts = _shared(pair, "1d"), _shared(pair, lower)
        days = aggregate(parts, Timeframe.D1)
        is_listing_day = parts.first_ts - days.first_ts < Timeframe.D1.milliseconds and own.first_ts == days.first_ts
        days = days if is_listing_day else days.pick(slice(1, None))
        _common, mine, theirs = np.intersect1d(days.ts, own.ts, assume_unique=True, return_indices=True)
        assert len(mine) == len(days), pair
        _agree(f"{pair}-{lower}", days.pick(mine), own.pick(theirs))


#: Whoever published these hours rounded their volumes to cents: a day of them may be off by 24 half cents.
ROUNDED = {"ETHUSDT-1h": 0.12}


def _agree(file: str, made: Candles, own: Candles) -> None:
    for name, mine, theirs in zip(("open", "high", "low", "close"), made.values, own.values, strict=False):
        wrong = np.flatnonzero(mine != theirs)
        assert not len(wrong), f"{file} {name} at {made.ts[wrong[:3]]}"
    off = np.abs(made.volume - own.volume)
    assert off.max() <= ROUNDED.get(file, 0.0), f"{file} volume off by {off.max()}"


@needs_shared_data
@pytest.mark.django_db
def test_the_real_dirty_file_ends_as_the_clean_one_or_as_reported_faults(tmp_path: Path) -> None:
    key = json.loads((SHARED / "candles_dirty" / "faults.json").read_text())
    path = tmp_path / "binance_spot" / "BTCUSDT-1h.csv.gz"
    path.parent.mkdir()
    path.write_bytes((SHARED / "candles_dirty" / "BTCUSDT-1h-dirty.csv.gz").read_bytes())
    report = _import(path)[0]
    clean = _shared("BTCUSDT", "1h").between(1_704_067_200_000, 1_711_929_600_000)
    _nothing_wrong_is_stored(clean)
    assert Counter(fault.code for fault in report.faults) == Counter(
        CODES[fault["kind"]] for fault in key["faults"] if fault["kind"] != "gap"
    )
    for fault in key["faults"]:
        if fault["kind"] == "gap":
            assert Gap(fault["ts"], fault["ts"] + fault["missing"] * HOUR) in report.gaps
        else:
            near = [one.code for one in report.faults if abs(one.ts - fault["ts"]) <= 90_000]
            assert near == [CODES[fault["kind"]]]
    assert len(report.gaps) == sum(1 for fault in key["faults"] if fault["kind"] == "gap")


@needs_shared_data
@pytest.mark.django_db
def test_real_extremes_are_not_refused(tmp_path: Path) -> None:
    for pair, timeframe in (("XRPUSDT", "1h"), ("DOGEUSDT", "1h"), ("LINKUSDT", "1h"), ("AVAXUSDT", "1d")):
        target = tmp_path / "binance_spot" / f"{pair}-{timeframe}.csv.gz"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((SHARED / "candles" / "binance_spot" / target.name).read_bytes())
    for report in _import(tmp_path):
        assert (report.faults, report.stored.new) == ((), report.rows)
