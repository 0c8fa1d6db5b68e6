"""Storing candles: one lock a series; a repeat changes nothing, a late or corrected one rewrites its block."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Count, Max, Min, QuerySet
from prometheus_client import Counter

from apps.core.events import publish
from apps.markets.domain import codec
from apps.markets.domain.candles import Candles, Flags, empty, from_rows, merge
from apps.markets.domain.timeframes import Timeframe
from apps.markets.events import CandleClosed
from apps.markets.models import (
    SLOT_CANDLES,
    CandleBlock,
    CandleSeries,
    CandleSource,
    CandleTail,
    Instrument,
    QuarantinedCandle,
    QuarantineState,
)
from apps.markets.queries.stored_candles import opened_block, read_series

#: So few candles after the last block stay rows until they are packed together.
TAIL_ROWS: Final = 64
#: Built minutes are confirmed within hours where the venue still tells them; after so long nobody will.
BUILT_KEPT: Final = timedelta(days=30)
_BLOCKS_AT_ONCE: Final = 200
_VALUES: Final = ("open", "high", "low", "close", "volume")

stored_total = Counter("coinsphere_candles_stored_total", "Candles stored, by what became of them.", ["outcome"])


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of candles: new, corrected, known already; `confirmed` ones had only been built from live prices."""

    new: int = 0
    revised: int = 0
    same: int = 0
    confirmed: int = 0
    newest_new: int | None = None

    @property
    def changed(self) -> int:
        """How many are other than before."""
        return self.new + self.revised + self.confirmed

    def plus(self, other: "Stored") -> "Stored":
        """Return both together."""
        newest = max((one for one in (self.newest_new, other.newest_new) if one is not None), default=None)
        return Stored(
            self.new + other.new,
            self.revised + other.revised,
            self.same + other.same,
            self.confirmed + other.confirmed,
            newest,
        )


NOTHING: Final = Stored()


def series_for(*, instrument: Instrument, timeframe: Timeframe) -> CandleSeries:
    """Return the series of an instrument, made at the first need."""
    series, _made = CandleSeries.objects.get_or_create(instrument=instrument, timeframe=timeframe)
    series.instrument = instrument
    return series


def store_candles(
    *, instrument: Instrument, timeframe: Timeframe, candles: Candles, source: CandleSource, now: datetime
) -> Stored:
    """Store sound, closed candles; those known already change nothing, other values replace and are counted."""
    if not len(candles):
        return NOTHING
    series = series_for(instrument=instrument, timeframe=timeframe)
    with transaction.atomic():
        locked = CandleSeries.objects.select_for_update().get(pk=series.pk)
        locked.instrument = instrument
        done = _write(locked, candles, source, now)
        if done.changed:
            _settle(locked, candles, done, now)
        _tell(locked, done, now)
    return done


def _write(series: CandleSeries, candles: Candles, source: CandleSource, now: datetime) -> Stored:
    if source == CandleSource.BUILT:
        known = read_series(series=series, from_ms=candles.first_ts, to_ms=candles.last_ts + 1)
        fresh = candles.pick(~np.isin(candles.ts, known.ts))
        return replace(_to_tail(series, fresh, source), same=len(candles) - len(fresh))
    packed_to = _packed_to(series)
    if len(candles) <= TAIL_ROWS and (packed_to is None or candles.first_ts > packed_to):
        return _to_tail(series, candles, source)
    return _to_blocks(series, candles, source, now)


def _packed_to(series: CandleSeries) -> int | None:
    """Return the newest open time in a block."""
    newest: int | None = series.blocks.aggregate(newest=Max("last_ts"))["newest"]
    return newest


def _settle(series: CandleSeries, candles: Candles, done: Stored, now: datetime) -> None:
    """Bring the series' own figures up to date; the gaps and faults that sound candles have filled are over."""
    first, last = candles.first_ts, candles.last_ts
    series.first_ts = first if series.first_ts is None else min(series.first_ts, first)
    series.last_ts = last if series.last_ts is None else max(series.last_ts, last)
    series.count += done.new
    series.version += 1
    if done.revised:
        series.revised_count += done.revised
        series.revised_at = now
    series.save(update_fields=["first_ts", "last_ts", "count", "version", "revised_count", "revised_at"])
    waiting = QuarantinedCandle.objects.filter(
        series=series, state=QuarantineState.OPEN, ts__gte=first, ts__lte=last
    ).values_list("ts", flat=True)
    replaced = [ts for ts in waiting if ts in set(candles.ts.tolist())]
    if replaced:
        QuarantinedCandle.objects.filter(series=series, state=QuarantineState.OPEN, ts__in=replaced).update(
            state=QuarantineState.REPLACED, settled_at=now
        )


def _tell(series: CandleSeries, done: Stored, now: datetime) -> None:
    stored_total.labels("new").inc(done.new)
    stored_total.labels("revised").inc(done.revised)
    stored_total.labels("same").inc(done.same)
    stored_total.labels("confirmed").inc(done.confirmed)
    newest = done.newest_new
    if newest is None:
        return
    closed_for = int(now.timestamp() * 1000) - newest - series.frame.milliseconds
    if closed_for < 2 * series.frame.milliseconds:  # old history closes nothing
        publish(CandleClosed(instrument=str(series.instrument), timeframe=series.timeframe, ts=newest))


# --- Rows -------------------------------------------------------------------------------------------------------------
def _to_tail(series: CandleSeries, candles: Candles, source: CandleSource) -> Stored:
    if not len(candles):
        return NOTHING
    known = series.tail.filter(ts__gte=candles.first_ts, ts__lte=candles.last_ts)
    before = {row.ts: row for row in known}
    rows = [
        CandleTail(series=series, ts=row[0], source=source, **dict(zip(_VALUES, row[1:], strict=True)))
        for row in candles.rows()
    ]
    changed = [row for row in rows if not _is_same(before.get(row.ts), row)]
    CandleTail.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["series", "ts"], update_fields=[*_VALUES, "source"]
    )
    new = [row.ts for row in changed if row.ts not in before]
    again = [row for row in changed if row.ts in before]
    confirmed = sum(1 for row in again if before[row.ts].source == CandleSource.BUILT)
    revised = len(again) - confirmed
    return Stored(len(new), revised, len(rows) - len(changed), confirmed, max(new, default=None))


def _is_same(known: CandleTail | None, row: CandleTail) -> bool:
    if known is None or (known.source == CandleSource.BUILT) != (row.source == CandleSource.BUILT):
        return False
    return all(getattr(known, name) == getattr(row, name) for name in _VALUES)


# --- Blocks -----------------------------------------------------------------------------------------------------------
def _to_blocks(series: CandleSeries, candles: Candles, source: CandleSource, now: datetime) -> Stored:
    slots = candles.ts // (SLOT_CANDLES * series.frame.milliseconds)
    cuts = np.flatnonzero(np.diff(slots)) + 1
    bounds = list(zip([0, *cuts.tolist()], [*cuts.tolist(), len(candles)], strict=True))
    parts = {int(slots[start]): candles.pick(slice(start, end)) for start, end in bounds}
    known = {block.slot: block for block in series.blocks.filter(slot__in=list(parts))}
    tail = _tail_by_slot(series, candles)
    done, blocks, folded = NOTHING, list[CandleBlock](), list[int]()
    for slot, part in parts.items():
        block, used, outcome = _merged(series, slot, part, known.get(slot), tail.get(slot, []), source, now)
        done = done.plus(outcome)
        folded += used
        if block is not None:
            blocks.append(block)
    _save_blocks(blocks)
    CandleTail.objects.filter(pk__in=folded).delete()
    return done


def _tail_by_slot(series: CandleSeries, candles: Candles) -> dict[int, list[CandleTail]]:
    """Return the rows in the stretches of these candles, without those built at times of which nothing better came."""
    span = SLOT_CANDLES * series.frame.milliseconds
    start, end = candles.first_ts // span * span, (candles.last_ts // span + 1) * span
    rows: dict[int, list[CandleTail]] = {}
    given = set(candles.ts.tolist()) if series.tail.exists() else set()
    for row in series.tail.filter(ts__gte=start, ts__lt=end):
        if row.source != CandleSource.BUILT or row.ts in given:
            rows.setdefault(row.ts // span, []).append(row)
    return rows


def _merged(
    series: CandleSeries,
    slot: int,
    part: Candles,
    known: CandleBlock | None,
    tail: Sequence[CandleTail],
    source: CandleSource,
    now: datetime,
) -> tuple[CandleBlock | None, list[int], Stored]:
    old = empty() if known is None else opened_block(data=known.data, series=series.pk, slot=slot)
    rows = from_rows(sorted((row.ts, row.open, row.high, row.low, row.close, row.volume) for row in tail))
    before = merge(base=old, over=rows)
    is_new, is_same = _compared(part, before)
    built = [row.ts for row in tail if row.source == CandleSource.BUILT]
    confirmed = int((~is_new & np.isin(part.ts, built)).sum())
    new, same = int(is_new.sum()), int((is_same & ~np.isin(part.ts, built)).sum())
    fresh = part.ts[is_new]
    newest = int(fresh[-1]) if len(fresh) else None
    outcome = Stored(new, len(part) - new - same - confirmed, same, confirmed, newest)
    if same == len(part) and not tail:
        return None, [], outcome
    block = packed(series=series, slot=slot, candles=merge(base=before, over=part), source=source, now=now)
    if known is not None:
        block.source = source if known.source == source else known.source
        block.revised_count = known.revised_count + outcome.revised
        block.revised_at = now if outcome.revised else known.revised_at
    elif outcome.revised:
        block.revised_count, block.revised_at = outcome.revised, now
    return block, [row.pk for row in tail], outcome


def _compared(part: Candles, before: Candles) -> tuple[Flags, Flags]:
    """Tell which candles are new and which are there already, to the last bit."""
    is_new = ~np.isin(part.ts, before.ts, assume_unique=True)
    is_same = np.zeros(len(part), dtype=np.bool_)
    known = before.pick(np.isin(before.ts, part.ts, assume_unique=True))
    is_same[~is_new] = part.pick(~is_new).same_as(known)
    return is_new, is_same


def packed(*, series: CandleSeries, slot: int, candles: Candles, source: CandleSource, now: datetime) -> CandleBlock:
    """Return the block of one stretch, not saved yet."""
    data = codec.encode(candles, series.frame)
    head = codec.read_head(data)
    return CandleBlock(
        series=series,
        slot=slot,
        first_ts=candles.first_ts,
        last_ts=candles.last_ts,
        count=len(candles),
        codec=head.codec,
        checksum=head.checksum,
        source=source,
        data=data,
        stored_at=now,
    )


def _save_blocks(blocks: Sequence[CandleBlock]) -> None:
    fields = ["first_ts", "last_ts", "count", "codec", "checksum", "source", "data", "stored_at", "revised_at"]
    CandleBlock.objects.bulk_create(
        blocks,
        batch_size=_BLOCKS_AT_ONCE,
        update_conflicts=True,
        unique_fields=["series", "slot"],
        update_fields=[*fields, "revised_count"],
    )


# --- Packing ----------------------------------------------------------------------------------------------------------
def pack_tails(*, now: datetime, most: int = 500) -> int:
    """Pack the rows of series that have gathered enough of them; return how many candles were packed.

    What was built from live prices stays rows, however old: in a block it would pass for the venue's own.
    """
    ripe = CandleTail.objects.exclude(source=CandleSource.BUILT)
    long = ripe.values("series").annotate(rows=Count("id")).filter(rows__gte=TAIL_ROWS).order_by("-rows")
    return sum(_pack_tail(series_id, now) for series_id in long.values_list("series", flat=True)[:most])


@transaction.atomic
def _pack_tail(series_id: UUID, now: datetime) -> int:
    series = CandleSeries.objects.select_for_update().select_related(None).get(pk=series_id)
    ripe = series.tail.exclude(source=CandleSource.BUILT).order_by("ts")
    rows = list(ripe.values_list("ts", *_VALUES))
    ripe.delete()
    _to_blocks(series, from_rows(rows), CandleSource.VENUE, now)
    return len(rows)


def forget_built(*, now: datetime) -> int:
    """Let go of built minutes that are so old that no venue confirms them any more; return how many."""
    old = CandleTail.objects.filter(source=CandleSource.BUILT, ts__lt=int((now - BUILT_KEPT).timestamp() * 1000))
    return sum(_forget(series, old) for series in old.values_list("series", flat=True).order_by("series").distinct())


@transaction.atomic
def _forget(series_id: UUID, old: QuerySet[CandleTail]) -> int:
    series = CandleSeries.objects.select_for_update().select_related(None).get(pk=series_id)
    count, _kinds = old.filter(series=series).delete()
    blocks = series.blocks.aggregate(first=Min("first_ts"), last=Max("last_ts"))
    rows = series.tail.aggregate(first=Min("ts"), last=Max("ts"))
    series.first_ts = min((one for one in (blocks["first"], rows["first"]) if one is not None), default=None)
    series.last_ts = max((one for one in (blocks["last"], rows["last"]) if one is not None), default=None)
    series.count -= count
    series.version += 1
    series.save(update_fields=["first_ts", "last_ts", "count", "version"])
    return count
