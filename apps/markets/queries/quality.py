"""How good the stored candles of an instrument are: how far back, how many holes, what was corrected or kept out."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, QuerySet

from apps.core.models.work import OPEN_STATES
from apps.markets.domain.candles import expected
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models import (
    Backfill,
    CandleSeries,
    CandleSource,
    CandleTail,
    Instrument,
    QuarantinedCandle,
    QuarantineState,
)


@dataclass(frozen=True, slots=True)
class SeriesQuality:
    """One timeframe of an instrument."""

    timeframe: Timeframe
    first_ts: int
    last_ts: int
    count: int
    missing: int
    built: int
    revised: int
    revised_at: datetime | None
    quarantined: int
    pending: bool

    @property
    def completeness(self) -> float:
        """Which part of the time between the first and the last candle has one."""
        return self.count / (self.count + self.missing)


def data_quality(*, instrument: Instrument) -> tuple[SeriesQuality, ...]:
    """Return what there is to know about an instrument's candles, the finest timeframe first; four questions."""
    rows = list(CandleSeries.objects.filter(instrument=instrument, count__gt=0))
    ids = [row.pk for row in rows]
    open_rows = QuarantinedCandle.objects.filter(series__in=ids, state=QuarantineState.OPEN)
    waiting = _counted(open_rows)
    built = _counted(CandleTail.objects.filter(series__in=ids, source=CandleSource.BUILT))
    pending = set(Backfill.objects.filter(series__in=ids, state__in=OPEN_STATES).values_list("series", flat=True))
    found = [_quality(row, waiting.get(row.pk, 0), built.get(row.pk, 0), row.pk in pending) for row in rows]
    order = list(Timeframe)
    return tuple(sorted(found, key=lambda one: order.index(one.timeframe)))


def _counted(rows: "QuerySet[QuarantinedCandle] | QuerySet[CandleTail]") -> dict[UUID, int]:
    return dict(rows.order_by().values_list("series").annotate(count=Count("pk")))


def _quality(row: CandleSeries, quarantined: int, built: int, pending: bool) -> SeriesQuality:  # noqa: FBT001 - a fact
    first, last = row.first_ts or 0, row.last_ts or 0
    return SeriesQuality(
        timeframe=row.frame,
        first_ts=first,
        last_ts=last,
        count=row.count,
        missing=max(0, expected(row.frame, first, last + row.frame.milliseconds) - row.count),
        built=built,
        revised=row.revised_count,
        revised_at=row.revised_at,
        quarantined=quarantined,
        pending=pending,
    )


def quarantined(*, state: str = "", instrument: Instrument | None = None) -> "QuerySet[QuarantinedCandle]":
    """Return quarantined candles of this world, the newest first."""
    here = CandleSeries.objects.here().values("pk")
    rows = QuarantinedCandle.objects.filter(series__in=here).select_related("series__instrument", "settled_by")
    if state:
        rows = rows.filter(state=state)
    if instrument is not None:
        rows = rows.filter(series__instrument=instrument)
    return rows.order_by("-id")
