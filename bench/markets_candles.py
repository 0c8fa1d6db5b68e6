"""Candles in and out: our blocks against a Django row table, COPY and DuckDB, in one run and on the same series."""

import contextlib
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from django.core.management import call_command
from django.db import connection, models

from apps.markets.domain import candle_files, codec
from apps.markets.domain.candles import Candles, from_table
from apps.markets.domain.timeframes import Timeframe
from bench.table import Row

COUNT = 1_000_000
OUT = 100_000
ROUNDS = 3
#: The slow roads are measured on a part: they take a time that grows with the number of rows.
ROWS_OF_OBJECTS = 100_000
IN_BUDGET, OUT_BUDGET_MS, BYTES_BUDGET = 2_000_000, 10.0, 12.0
START = 1_600_000_020_000 // 60_000 * 60_000
_SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "candles"
_COLUMNS = ("ts", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class _Figures:
    """What one road costs: rows a second in, milliseconds for a hundred thousand out, bytes a candle."""

    per_second: float
    out_ms: float
    bytes_each: float


def rows() -> list[Row]:
    """Measure every road and return the figures."""
    call_command("migrate", verbosity=0)
    candles = _walk(COUNT)
    ours = _ours(candles)
    peers = {
        "Django rows, bulk_create": _objects(candles),
        "rows, COPY": _copy(candles),
        "DuckDB": _duckdb(candles),
    }
    found = [
        Row(
            "candles: stored a second, gate left out",
            f"{ours.per_second:,.0f}",
            budget=f"{IN_BUDGET:,}",
            met=ours.per_second >= IN_BUDGET,
        ),
        Row(
            "candles: 100,000 read to numpy",
            f"{ours.out_ms:.1f} ms",
            budget=f"{OUT_BUDGET_MS:.0f} ms",
            met=ours.out_ms <= OUT_BUDGET_MS,
        ),
        Row("candles: bytes each, synthetic series", f"{ours.bytes_each:.1f}"),
    ]
    for name, peer in peers.items():
        found += _against(name, ours, peer)
    return [*found, *_real_rows()]


def _against(name: str, ours: _Figures, peer: _Figures) -> Iterator[Row]:
    yield Row(
        "candles in a second",
        f"{ours.per_second:,.0f}",
        peer=f"{peer.per_second:,.0f}, {name}",
        ratio=f"{ours.per_second / peer.per_second:.1f}",
    )
    yield Row(
        "100,000 candles to numpy",
        f"{ours.out_ms:.1f} ms",
        peer=f"{peer.out_ms:.1f} ms, {name}",
        ratio=f"{peer.out_ms / ours.out_ms:.1f} times as fast",
    )
    yield Row(
        "bytes a candle",
        f"{ours.bytes_each:.1f}",
        peer=f"{peer.bytes_each:.1f}, {name}",
        ratio=f"1/{peer.bytes_each / ours.bytes_each:.1f}",
    )


def _walk(count: int) -> Candles:
    """Return a walk in cents that opens where it closed, with volumes of five digits."""
    chance = np.random.default_rng(7)
    close = np.round(30_000 * np.exp(np.cumsum(chance.normal(0, 0.0007, count))), 2)
    opened = np.r_[30_000.0, close[:-1]]
    spread = np.round(np.abs(chance.normal(0, 8, (2, count))), 2)
    high = np.round(np.maximum(opened, close) + spread[0], 2)
    low = np.round(np.minimum(opened, close) - spread[1], 2)
    ts = START + np.arange(count, dtype=np.int64) * 60_000
    return Candles(ts, opened, high, low, close, np.round(chance.gamma(1.2, 20, count), 5))


def _best(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    return min(_seconds(call) for _ in range(rounds))


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


# --- Ours -------------------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def _instrument() -> Iterator[Any]:
    from apps.core import clock
    from apps.markets.models import Asset, Instrument  # only the benchmark makes a pair without asking the catalog

    present = clock.now()
    base, _made = Asset.objects.get_or_create(symbol="BENCH")
    quote, _made = Asset.objects.get_or_create(symbol="BENCHQUOTE")
    pair = Instrument.objects.create(
        venue="binance", symbol="BENCH/BENCHQUOTE", venue_symbol="BENCH", base=base, quote=quote, active=False,
        first_seen_at=present, last_seen_at=present,
    )  # fmt: skip
    try:
        yield pair
    finally:
        pair.delete()
        base.delete()
        quote.delete()


def _ours(candles: Candles) -> _Figures:
    from apps.core import clock
    from apps.markets import actions
    from apps.markets.models import CandleBlock, CandleSeries, CandleSource
    from apps.markets.queries.stored_candles import read_series

    with _instrument() as pair:
        times = []
        for _ in range(ROUNDS):
            CandleSeries.objects.filter(instrument=pair).delete()
            store: Callable[[], object] = lambda: actions.store_candles(  # noqa: E731 - timed below
                instrument=pair, timeframe=Timeframe.M1, candles=candles, source=CandleSource.IMPORTED, now=clock.now()
            )
            times.append(_seconds(store))
        series = CandleSeries.objects.select_related("instrument").get(instrument=pair)
        start = int(candles.ts[COUNT // 2])
        read: Callable[[], Candles] = lambda: read_series(  # noqa: E731 - timed below
            series=series, from_ms=start, to_ms=start + OUT * 60_000
        )
        if len(read()) != OUT:
            raise RuntimeError("The candles that were read are not those that were stored.")
        size = sum(len(data) for data in CandleBlock.objects.filter(series=series).values_list("data", flat=True))
        return _Figures(COUNT / min(times), _best(read, 15) * 1000, size / COUNT)


# --- Rows -------------------------------------------------------------------------------------------------------------
class _Row(models.Model):
    """The table that one would write first."""

    series = models.IntegerField()
    ts = models.BigIntegerField()
    open = models.FloatField()
    high = models.FloatField()
    low = models.FloatField()
    close = models.FloatField()
    volume = models.FloatField()

    objects: ClassVar[models.Manager["_Row"]] = models.Manager()

    class Meta:
        app_label = "bench"
        db_table = "bench_candle"
        constraints = [models.UniqueConstraint(fields=["series", "ts"], name="bench_candle_once")]


@contextlib.contextmanager
def _table() -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.create_model(_Row)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(_Row)


def _table_bytes(count: int) -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('bench_candle')")
        return float(cursor.fetchone()[0]) / count


def _objects(candles: Candles) -> _Figures:
    plain = candles.earliest(ROWS_OF_OBJECTS).rows()

    def store() -> None:
        _Row.objects.bulk_create(
            (_Row(series=1, **dict(zip(_COLUMNS, row, strict=True))) for row in plain), batch_size=5_000
        )

    def read() -> object:
        return np.array(list(_Row.objects.order_by("ts").values_list(*_COLUMNS)[:OUT]))

    with _table():
        seconds = _seconds(store)
        return _Figures(len(plain) / seconds, _best(read) * 1000, _table_bytes(len(plain)))


def _copy(candles: Candles) -> _Figures:
    plain = candles.rows()
    names = ", ".join(_COLUMNS)
    start = plain[COUNT // 2][0]

    def store() -> None:
        with connection.cursor() as cursor, cursor.copy(f"COPY bench_candle (series, {names}) FROM STDIN") as copy:
            for row in plain:
                copy.write_row((1, *row))

    def read() -> object:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {names} FROM bench_candle WHERE series = 1 AND ts >= %s ORDER BY ts LIMIT {OUT}",  # noqa: S608 - our own words
                [start],
            )
            return np.array(cursor.fetchall())

    with _table():
        seconds = _seconds(store)
        return _Figures(len(plain) / seconds, _best(read) * 1000, _table_bytes(len(plain)))


def _duckdb(candles: Candles) -> _Figures:
    import duckdb

    with tempfile.TemporaryDirectory(prefix="coinsphere-bench-") as folder:
        path = Path(folder) / "candles.duckdb"
        database = duckdb.connect(str(path))
        database.execute(
            "CREATE TABLE candle (series INTEGER, ts BIGINT, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, "
            "volume DOUBLE)"
        )

        def store() -> None:
            frame = dict(zip(_COLUMNS, (candles.ts, *candles.values), strict=True))
            database.register("frame", frame)
            database.execute("INSERT INTO candle SELECT 1, * FROM frame")
            database.execute("CHECKPOINT")

        seconds = _seconds(store)
        start = int(candles.ts[COUNT // 2])
        question = f"SELECT ts, open, high, low, close, volume FROM candle WHERE series = 1 AND ts >= {start} AND ts < {start + OUT * 60_000} ORDER BY ts"  # noqa: E501, S608 - our own numbers
        out = _best(lambda: database.execute(question).fetchnumpy(), 15) * 1000
        database.close()
        return _Figures(len(candles) / seconds, out, path.stat().st_size / len(candles))


# --- Real series ------------------------------------------------------------------------------------------------------
def _real_rows() -> list[Row]:
    """Pack the real series, where they are on this machine."""
    if not _SHARED.is_dir():
        return [Row("candles: bytes each, real series", "not on this machine")]
    from apps.markets.models import SLOT_CANDLES

    sizes, total, count = [], 0, 0
    for path in sorted(_SHARED.glob("*/*.csv.gz")):
        timeframe = candle_files.subject_of(path.parent.name, path.name).timeframe
        candles = from_table(candle_files.parse(candle_files.unpacked(path.read_bytes())).table)
        slots = candles.ts // (SLOT_CANDLES * timeframe.milliseconds)
        cuts = [0, *(np.flatnonzero(np.diff(slots)) + 1).tolist(), len(candles)]
        parts = [candles.pick(slice(start, end)) for start, end in itertools.pairwise(cuts)]
        blocks = [codec.encode(part, timeframe) for part in parts]
        if not all(codec.decode(block).equals(part) for block, part in zip(blocks, parts, strict=True)):
            raise RuntimeError(f"{path.name} does not come back exactly.")
        size = sum(map(len, blocks))
        sizes.append(size / len(candles))
        total, count = total + size, count + len(candles)
    return [
        Row(
            f"candles: bytes each, {len(sizes)} real series of {count:,} candles, exact",
            f"{total / count:.1f}",
            peer=f"{min(sizes):.1f} to {max(sizes):.1f}, median {statistics.median(sizes):.1f}, by series",
            budget=f"{BYTES_BUDGET:.0f}",
            met=total / count <= BYTES_BUDGET,
        )
    ]
