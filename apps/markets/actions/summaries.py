"""The summaries of all markets, made anew in bulk: series that have not changed are not read again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from apps.markets.domain.candles import Candles
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models import CandleSeries, CandleTail, Instrument, MarketSummary
from apps.markets.queries.stored_candles import read_many

HOUR: Final = 3_600_000
KEPT_HOURS: Final = 7 * 24 + 2  # one before the moment a week ago, whatever the minute is now
_AT_ONCE: Final = 250
#: A reference price may be so much older than the moment it stands for.
_SLACK_HOURS: Final = 6
_FIELDS: Final = ("closes", "first_ts", "price_1h_ago", "price_24h_ago", "price_7d_ago", "series_version", "at")


def make_summaries(*, now: datetime) -> int:
    """Bring the summaries of all traded instruments of this world up to date; return how many there are."""
    present = int(now.timestamp() * 1000)
    series = dict(_hourly())
    known = {row.instrument_id: row for row in MarketSummary.objects.filter(instrument__in=list(series))}
    minutes = _minutes_ago(present)
    rows = []
    for part in _parts(list(series), _AT_ONCE):
        changed = [one for one in part if _is_stale(known.get(one), series[one][1], present)]
        read = read_many(series_ids=[series[one][0] for one in changed], from_ms=present - (KEPT_HOURS + 1) * HOUR)
        for one in part:
            row = known.get(one) or MarketSummary(instrument_id=one)
            if one in changed:
                _set_closes(row, read.get(series[one][0]), series[one][1], present)
            _set_references(row, minutes.get(one), present)
            row.at = now
            rows.append(row)
    MarketSummary.objects.bulk_create(
        rows, batch_size=500, update_conflicts=True, unique_fields=["instrument"], update_fields=list(_FIELDS)
    )
    return len(rows)


def _hourly() -> Iterable[tuple[UUID, tuple[UUID, int]]]:
    traded = Instrument.objects.here().active()
    rows = CandleSeries.objects.filter(timeframe=Timeframe.H1, instrument__in=traded)
    for instrument, pk, version in rows.values_list("instrument", "pk", "version"):
        yield instrument, (pk, version)


def _parts(rows: Sequence[UUID], size: int) -> Iterable[Sequence[UUID]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _is_stale(row: MarketSummary | None, version: int, present: int) -> bool:
    if row is None or row.series_version != version:
        return True
    return row.first_ts is not None and row.first_ts < present - (KEPT_HOURS + 24) * HOUR


def _set_closes(row: MarketSummary, candles: Candles | None, version: int, present: int) -> None:
    """Keep the closes hour by hour; an hour without a candle keeps the price of the hour before."""
    row.series_version = version
    row.closes, row.first_ts = [], None
    if candles is None or not len(candles):
        return
    recent = candles.between(present - KEPT_HOURS * HOUR, present)
    if not len(recent):
        return
    row.first_ts = recent.first_ts
    closes = dict(zip(recent.ts.tolist(), recent.close.tolist(), strict=True))
    price = recent.close[0].item()
    for ts in range(recent.first_ts, recent.last_ts + HOUR, HOUR):
        price = closes.get(ts, price)
        row.closes.append(price)


def _set_references(row: MarketSummary, minute: float | None, present: int) -> None:
    row.price_1h_ago = minute if minute is not None else _close_at(row, present - HOUR)
    row.price_24h_ago = _close_at(row, present - 24 * HOUR)
    row.price_7d_ago = _close_at(row, present - 7 * 24 * HOUR)


def _close_at(row: MarketSummary, moment: int) -> float | None:
    """Return the last close that was known at a moment."""
    if row.first_ts is None:
        return None
    place = (moment - row.first_ts) // HOUR - 1
    last = len(row.closes) - 1
    if place < 0 or place > last + _SLACK_HOURS:
        return None
    return row.closes[min(place, last)]


def _minutes_ago(present: int) -> dict[UUID, float]:
    """Return the price an hour ago to the minute, where the newest minutes are kept."""
    rows = CandleTail.objects.filter(
        series__timeframe=Timeframe.M1, ts__gt=present - HOUR - 6 * 60_000, ts__lte=present - HOUR - 60_000
    ).order_by("ts")
    return dict(rows.values_list("series__instrument", "close"))
