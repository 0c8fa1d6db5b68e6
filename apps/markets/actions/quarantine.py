"""The gate at the door: sound candles are stored, suspicious ones wait in quarantine for a person."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction
from prometheus_client import Counter

from apps.accounts.actions import record_audit
from apps.accounts.domain.origin import NO_REQUEST, RequestMeta
from apps.core.errors import ConflictError, InvalidError, NotFoundError
from apps.markets.actions.candles import Stored, series_for, store_candles
from apps.markets.domain import gate
from apps.markets.domain.candles import Candles, Floats, empty, from_rows
from apps.markets.domain.gate import Fault, Passed, Surroundings
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models import CandleSeries, CandleSource, Instrument, QuarantinedCandle, QuarantineState
from apps.markets.queries.stored_candles import read_series

if TYPE_CHECKING:
    from apps.accounts.models import User

#: More of one batch are counted, but not kept one by one.
MOST_KEPT: Final = 5_000
_NEIGHBORS: Final = 3

faults_total = Counter("coinsphere_candle_faults_total", "Faults that the gate found in candles.", ["code"])


class NotStorableError(InvalidError):
    """The candle is impossible, not only unlikely."""

    code = "candle_not_storable"
    default_detail = "This candle cannot be right: a number is missing or contradicts another. Discard it."


class AlreadySettledError(ConflictError):
    """Somebody has decided, or a sound candle has come."""

    code = "candle_settled"
    default_detail = "This candle was decided on already. Reload the list."


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of a batch from outside."""

    stored: Stored
    passed: Passed


def inspect_candles(
    *, instrument: Instrument | None, timeframe: Timeframe, table: Floats, now: datetime, check_finer: str = "no"
) -> Passed:
    """Hold a batch against the gate and what is stored around it; nothing is written."""
    known = gate.NOTHING_KNOWN
    if instrument is not None and len(table):
        known = _surroundings(instrument, timeframe, table, check_finer=check_finer)
    return gate.inspect(table=table, timeframe=timeframe, now_ms=int(now.timestamp() * 1000), known=known)


def take_in(
    *,
    instrument: Instrument,
    timeframe: Timeframe,
    table: Floats,
    source: CandleSource,
    now: datetime,
    origins: Sequence[str] = (),
) -> TakenIn:
    """Store what passes the gate and put the rest into quarantine; `origins` says where each row stood."""
    check_finer = "yes" if source == CandleSource.IMPORTED else "no"
    passed = inspect_candles(instrument=instrument, timeframe=timeframe, table=table, now=now, check_finer=check_finer)
    with transaction.atomic():
        quarantine(
            series=series_for(instrument=instrument, timeframe=timeframe),
            faults=passed.refused,
            source=source,
            now=now,
            origins=origins,
        )
        stored = store_candles(
            instrument=instrument, timeframe=timeframe, candles=passed.candles, source=source, now=now
        )
    for fault in passed.faults:
        faults_total.labels(fault.code.value).inc(fault.count)
    return TakenIn(stored=stored, passed=passed)


def _surroundings(instrument: Instrument, timeframe: Timeframe, table: Floats, *, check_finer: str) -> Surroundings:
    plausible = table[:, 0][(table[:, 0] > gate.EARLIEST_MS) & (table[:, 0] < 1e14)]
    if not len(plausible):
        return gate.NOTHING_KNOWN
    reach = _NEIGHBORS * timeframe.milliseconds
    start, end = int(plausible.min()) - reach, int(plausible.max()) + reach + 1
    series = {one.frame: one for one in CandleSeries.objects.filter(instrument=instrument)}
    own = series.get(timeframe)
    around = empty() if own is None else read_series(series=own, from_ms=start, to_ms=end)
    if check_finer == "yes":
        for frame in timeframe.finer:
            finer = series.get(frame)
            if finer is not None and finer.count:
                found = read_series(series=finer, from_ms=timeframe.floor(start), to_ms=end)
                return Surroundings(around=around, finer=found, finer_timeframe=frame)
    return Surroundings(around=around, finer=empty())


# --- Quarantine -------------------------------------------------------------------------------------------------------
def quarantine(
    *,
    series: CandleSeries,
    faults: Sequence[Fault],
    source: CandleSource,
    now: datetime,
    origins: Sequence[str] = (),
) -> None:
    """Keep refused rows for a person to look at; one that comes again is counted, and not asked about again."""
    rows = {}
    for fault in faults[:MOST_KEPT]:
        raw = [_written(number) for number in fault.row]
        rows[fault.ts, tuple(raw)] = QuarantinedCandle(
            series=series,
            ts=fault.ts,
            raw=raw,
            code=fault.code.value,
            source=source,
            origin=origins[fault.place][:200] if origins else "",
            found_at=now,
            seen_at=now,
        )
    known = {
        (row.ts, tuple(row.raw)): row
        for row in QuarantinedCandle.objects.filter(series=series, ts__in=[ts for ts, _raw in rows])
    }
    QuarantinedCandle.objects.bulk_create(
        [row for key, row in rows.items() if key not in known], ignore_conflicts=True, batch_size=500
    )
    again = [row for key, row in known.items() if key in rows]
    for row in again:
        row.seen_at, row.seen_count = now, row.seen_count + 1
    QuarantinedCandle.objects.bulk_update(again, ["seen_at", "seen_count"], batch_size=500)


def _written(number: float) -> str:
    return str(int(number)) if math.isfinite(number) and number == int(number) else repr(number)


def release_candle(
    *, candle_id: UUID, actor: User, now: datetime, request_meta: RequestMeta = NO_REQUEST
) -> QuarantinedCandle:
    """Let a quarantined candle through as it came; others that claim the same time are thrown away."""
    with transaction.atomic():
        row = _open_row(candle_id)
        series = row.series
        values = [float(text) for text in row.raw[1:]]
        if not gate.storable([row.ts, *values], series.frame, int(now.timestamp() * 1000)):
            raise NotStorableError
        candle: Candles = from_rows([(row.ts, *values)])
        _settle(row, QuarantineState.RELEASED, actor, now)
        rivals = QuarantinedCandle.objects.filter(series=series, ts=row.ts, state=QuarantineState.OPEN)
        rivals.update(state=QuarantineState.DISCARDED, settled_at=now, settled_by=actor)
        store_candles(
            instrument=series.instrument,
            timeframe=series.frame,
            candles=candle,
            source=CandleSource.RELEASED,
            now=now,
        )
        record_audit(actor=actor, action="candle.released", target=str(row.pk), now=now, request_meta=request_meta)
    return row


def discard_candle(
    *, candle_id: UUID, actor: User, now: datetime, request_meta: RequestMeta = NO_REQUEST
) -> QuarantinedCandle:
    """Throw a quarantined candle away; when it comes again, nobody is asked again."""
    with transaction.atomic():
        row = _open_row(candle_id)
        _settle(row, QuarantineState.DISCARDED, actor, now)
        record_audit(actor=actor, action="candle.discarded", target=str(row.pk), now=now, request_meta=request_meta)
    return row


def _open_row(candle_id: UUID) -> QuarantinedCandle:
    rows = QuarantinedCandle.objects.select_for_update(of=("self",)).select_related("series__instrument")
    row = rows.filter(pk=candle_id).first()
    if row is None:
        raise NotFoundError
    if row.state != QuarantineState.OPEN:
        raise AlreadySettledError
    return row


def _settle(row: QuarantinedCandle, state: QuarantineState, actor: User, now: datetime) -> None:
    row.state, row.settled_at, row.settled_by = state, now, actor
    row.save(update_fields=["state", "settled_at", "settled_by"])
