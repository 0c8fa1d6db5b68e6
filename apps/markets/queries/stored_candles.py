"""One series as it is stored: blocks and newest rows read as one, and where it has holes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import numpy as np
import psycopg
import structlog
from django.db import connection
from django.db.models import QuerySet
from prometheus_client import Counter

from apps.markets.domain import codec
from apps.markets.domain.candles import Candles, Gap, concat, empty, expected, from_rows, gaps, merge
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models import CandleBlock, CandleGap, CandleSeries, CandleSource, CandleTail

log = structlog.get_logger(__name__)

_damaged = Counter("coinsphere_damaged_candle_blocks_total", "Blocks of candles that could not be read.")
_TAIL_FIELDS: Final = ("ts", "open", "high", "low", "close", "volume")


def read_series(*, series: CandleSeries, from_ms: int | None = None, to_ms: int | None = None) -> Candles:
    """Return the stored candles of a series that open in `[from, to)`."""
    return read_many(series_ids=[series.pk], from_ms=from_ms, to_ms=to_ms).get(series.pk, empty())


def read_many(
    *, series_ids: Sequence[UUID], from_ms: int | None = None, to_ms: int | None = None
) -> dict[UUID, Candles]:
    """Return the stored candles of many series in two questions; one without any is absent."""
    if not series_ids:
        return {}
    blocks = CandleBlock.objects.filter(series__in=series_ids).order_by("series", "slot")
    tail = CandleTail.objects.filter(series__in=series_ids).order_by("series", "ts")
    if from_ms is not None:
        blocks, tail = blocks.filter(last_ts__gte=from_ms), tail.filter(ts__gte=from_ms)
    if to_ms is not None:
        blocks, tail = blocks.filter(first_ts__lt=to_ms), tail.filter(ts__lt=to_ms)
    packed: dict[UUID, list[tuple[int, bytes]]] = {}
    for owner, slot, data in _in_binary(blocks):
        packed.setdefault(owner, []).append((slot, data))
    rows: dict[UUID, list[tuple[float, ...]]] = {}
    for owner, *row in tail.values_list("series", *_TAIL_FIELDS):
        rows.setdefault(owner, []).append(tuple(row))
    return {
        owner: merge(base=_unpacked(owner, packed.get(owner, [])), over=from_rows(rows.get(owner, []))).between(
            from_ms, to_ms
        )
        for owner in {*packed, *rows}
    }


def _in_binary(blocks: QuerySet[CandleBlock]) -> list[tuple[UUID, int, bytes]]:
    """Ask for blocks in the binary protocol; as text they would come as hexadecimal digits, six times as slow."""
    sql, values = blocks.values_list("series", "slot", "data").query.sql_with_params()
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(sql.encode(), values, binary=True)
        return cursor.fetchall()


def _unpacked(series: UUID, blocks: Sequence[tuple[int, bytes]]) -> Candles:
    """Unpack blocks together; should one of them be damaged, one by one."""
    try:
        return codec.decode_all([data for _slot, data in blocks])
    except codec.DamagedBlockError:
        return concat([opened_block(data=data, series=series, slot=slot) for slot, data in blocks])


def opened_block(*, data: "bytes | memoryview[int]", series: UUID, slot: int) -> Candles:
    """Return the candles of a block; a damaged one is said loudly and is a hole, which the repair fills again."""
    try:
        return codec.decode(bytes(data))
    except codec.DamagedBlockError as problem:
        _damaged.inc()
        log.exception("A block of candles is damaged", series=str(series), slot=slot, problem=str(problem))
        return empty()


def neighbor_ts(*, series: Sequence[CandleSeries], before: int) -> int | None:
    """Return the newest open time before a moment in any of these series."""
    ids = [one.pk for one in series]
    # By their ends: a block of long candles begins before one of short ones, and may end after it.
    packed = CandleBlock.objects.filter(series__in=ids, first_ts__lt=before).order_by("-last_ts")
    newest = [min(last, before - 1) for last in packed.values_list("last_ts", flat=True)[:1]]
    row = CandleTail.objects.filter(series__in=ids, ts__lt=before).order_by("-ts").values_list("ts", flat=True).first()
    return max([*newest, *([] if row is None else [row])], default=None)


def next_ts(*, series: Sequence[CandleSeries], since: int) -> int | None:
    """Return the oldest open time from a moment on, or a moment close before it, in any of these series."""
    ids = [one.pk for one in series]
    packed = CandleBlock.objects.filter(series__in=ids, last_ts__gte=since).order_by("first_ts")
    oldest = [max(first, since) for first in packed.values_list("first_ts", flat=True)[:1]]
    row = CandleTail.objects.filter(series__in=ids, ts__gte=since).order_by("ts").values_list("ts", flat=True).first()
    return min([*oldest, *([] if row is None else [row])], default=None)


def holes(*, series: CandleSeries, from_ms: int, to_ms: int) -> list[Gap]:
    """Return where the series has no candles in `[from, to)`."""
    if from_ms >= to_ms:
        return []
    if not series.count or series.first_ts is None or series.last_ts is None:
        return [Gap(series.frame.ceil(from_ms), series.frame.ceil(to_ms))]
    length = series.frame.milliseconds
    if series.count == expected(series.frame, series.first_ts, series.last_ts + length):
        return ends(series=series, from_ms=from_ms, to_ms=to_ms)
    found = read_series(series=series, from_ms=from_ms, to_ms=to_ms)
    return gaps(found.ts, series.frame, from_ms, to_ms)


def unsure(*, series: CandleSeries, from_ms: int, to_ms: int) -> list[Gap]:
    """Return where the venue's own candles are not there yet: holes, and minutes built from live prices."""
    built = series.tail.filter(source=CandleSource.BUILT, ts__gte=from_ms, ts__lt=to_ms)
    ours = list(built.values_list("ts", flat=True)) if series.frame is Timeframe.M1 else []
    if not ours:
        return holes(series=series, from_ms=from_ms, to_ms=to_ms)
    found = read_series(series=series, from_ms=from_ms, to_ms=to_ms)
    return gaps(found.ts[~np.isin(found.ts, ours)], series.frame, from_ms, to_ms)


def ends(*, series: CandleSeries, from_ms: int, to_ms: int) -> list[Gap]:
    """Return what is missing before and after a series without holes; nothing has to be read for that."""
    frame = series.frame
    first, behind = series.first_ts or 0, (series.last_ts or 0) + frame.milliseconds
    before = Gap(frame.ceil(from_ms), min(frame.ceil(to_ms), first))
    after = Gap(max(frame.ceil(from_ms), behind), frame.ceil(to_ms))
    return [gap for gap in (before, after) if gap.from_ms < gap.to_ms]


def missing(*, series: CandleSeries, from_ms: int, to_ms: int, now: datetime) -> list[Gap]:
    """Return what is worth asking the venue for: not what it had nothing for a short while ago."""
    found = unsure(series=series, from_ms=from_ms, to_ms=to_ms)
    if not found:
        return []
    return without(found=found, known=noted_gaps(series=[series], from_ms=from_ms, to_ms=to_ms, still_at=now))


def noted_gaps(
    *, series: Iterable[CandleSeries], from_ms: int, to_ms: int, still_at: datetime | None = None
) -> list[Gap]:
    """Return what the venue had nothing for when it was asked; with a moment, where it need not be asked again yet."""
    rows = CandleGap.objects.filter(series__in=[one.pk for one in series], from_ms__lt=to_ms, to_ms__gt=from_ms)
    if still_at is not None:
        rows = rows.filter(next_try_at__gt=still_at)
    return [Gap(start, end) for start, end in rows.values_list("from_ms", "to_ms")]


def without(*, found: Iterable[Gap], known: Sequence[Gap]) -> list[Gap]:
    """Return what is left of the gaps when the known ones are taken out."""
    left = list(found)
    for one in known:
        pieces = [(gap.from_ms, min(gap.to_ms, one.from_ms)) for gap in left]
        pieces += [(max(gap.from_ms, one.to_ms), gap.to_ms) for gap in left]
        left = [Gap(start, end) for start, end in pieces if start < end]
    return sorted(set(left))
