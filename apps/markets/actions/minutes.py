"""Minutes that the feed has built from live prices: kept until the venue's own history takes their place."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from apps.core.events import publish
from apps.markets.domain.candles import Row
from apps.markets.domain.gate import storable
from apps.markets.domain.timeframes import Timeframe
from apps.markets.events import CandleClosed
from apps.markets.models import CandleSeries, CandleSource, Instrument

#: Minutes are kept of so many pairs, the most traded first, and of every pair that somebody has looked at lately.
MOST_TRADED: Final = 200
WANTED_FOR: Final = timedelta(days=14)

_INSERT: Final = """
WITH came AS (
    SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::float8[])
        AS came(series_id, ts, open, high, low, close, volume)
), stored AS (
    INSERT INTO markets_candletail (series_id, ts, open, high, low, close, volume, source)
    SELECT came.*, %s FROM came
    WHERE NOT EXISTS (
        SELECT 1 FROM markets_candleblock block
        WHERE block.series_id = came.series_id AND came.ts BETWEEN block.first_ts AND block.last_ts
    )
    ON CONFLICT (series_id, ts) DO NOTHING
    RETURNING series_id, ts
)
UPDATE markets_candleseries series
SET count = series.count + news.count, version = series.version + 1,
    first_ts = LEAST(series.first_ts, news.first_ts), last_ts = GREATEST(series.last_ts, news.last_ts)
FROM (SELECT series_id, count(*), min(ts) AS first_ts, max(ts) AS last_ts FROM stored GROUP BY series_id) news
WHERE series.id = news.series_id
RETURNING series.id, series.last_ts
"""


def store_minutes(*, minutes: Sequence[tuple[str, Row]], now: datetime) -> int:
    """Store closed minutes of many instruments at once; return of how many a minute was new."""
    present = int(now.timestamp() * 1000)
    sound = [(name, row) for name, row in minutes if storable(row, Timeframe.M1, present)]
    series = _kept_series({name for name, _row in sound}, now=now)
    rows = [(series[name], *row) for name, row in sound if name in series]
    if not rows:
        return 0
    names = {pk: name for name, pk in series.items()}
    with transaction.atomic():
        locked = CandleSeries.objects.filter(pk__in=[row[0] for row in rows]).order_by("pk").select_for_update()
        list(locked.values_list("pk"))  # under the same lock as every other change of a series
        stored = _insert(rows)
        for pk, ts in stored:
            publish(CandleClosed(instrument=names[pk], timeframe=Timeframe.M1.value, ts=ts))
    return len(stored)


def _kept_series(names: Iterable[str], *, now: datetime) -> dict[str, UUID]:
    """Return the series of those of the instruments whose minutes are kept, made where there is none yet."""
    wanted = set(names)
    active = Instrument.objects.here().active()
    top = set(active.by_size().values_list("pk", flat=True)[:MOST_TRADED])
    asked = CandleSeries.objects.filter(timeframe=Timeframe.M1, wanted_at__gte=now - WANTED_FOR)
    kept = top | set(asked.values_list("instrument", flat=True))
    ids = {pk: f"{venue}:{symbol}" for pk, venue, symbol in active.values_list("pk", "venue", "symbol") if pk in kept}
    ids = {pk: name for pk, name in ids.items() if name in wanted}
    known = _minute_series(ids)
    absent = [CandleSeries(instrument_id=pk, timeframe=Timeframe.M1) for pk in ids if pk not in known]
    if absent:
        CandleSeries.objects.bulk_create(absent, ignore_conflicts=True)
        known = _minute_series(ids)
    return {ids[pk]: series for pk, series in known.items()}


def _minute_series(instruments: Iterable[UUID]) -> dict[UUID, UUID]:
    found = CandleSeries.objects.filter(timeframe=Timeframe.M1, instrument__in=list(instruments))
    return dict(found.values_list("instrument", "pk"))


def _insert(rows: Sequence[tuple[Any, ...]]) -> list[tuple[UUID, int]]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [*columns, CandleSource.BUILT.value])
        return list(cursor.fetchall())
