"""Candles for readers: closed ones from their own series or put together from finer ones, and the open one."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apps.core.cache import RedisOutage
from apps.core.models.work import OPEN_STATES
from apps.markets.domain.candles import (
    Candles,
    Gap,
    Row,
    aggregate,
    aggregated,
    concat,
    empty,
    from_rows,
    gaps,
    merge,
)
from apps.markets.domain.prices import OpenCandle
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models import Backfill, CandleSeries, Instrument
from apps.markets.queries.prices import open_candles
from apps.markets.queries.stored_candles import neighbor_ts, next_ts, noted_gaps, read_series, without

USUAL_LIMIT: Final = 500
LARGEST_LIMIT: Final = 5_000
#: So many separate holes are filled one by one; more are filled in one reading.
_SINGLE_HOLES: Final = 16
_SMALLEST_STRETCH: Final = 1_024
#: A minute that has ended is in its table soon after; one that the venue has to be asked for, a little later.
_STORED_WITHIN_MS: Final = 5_000
_ON_ITS_WAY_MS: Final = 180_000


@dataclass(frozen=True, slots=True)
class Span:
    """What a reader asks for: `[from, to)` in milliseconds, at most so many; without `from` the latest."""

    from_ms: int | None
    to_ms: int | None
    limit: int = USUAL_LIMIT


@dataclass(frozen=True, slots=True)
class CandlePage:
    """Closed candles, oldest first, with what a reader should know about them."""

    instrument: str
    timeframe: Timeframe
    candles: Candles
    open_candle: Row | None
    next_from: int | None
    previous_to: int | None
    pending: bool
    sources: tuple[str, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Ladder:
    """The series of one instrument that a timeframe can be read from: its own and the finer ones."""

    instrument: Instrument
    timeframe: Timeframe
    series: Mapping[Timeframe, CandleSeries]
    pending: bool
    minute: OpenCandle | None

    @property
    def own(self) -> CandleSeries | None:
        """The series of the timeframe itself."""
        return self.series.get(self.timeframe)

    def stamp(self, *, span: Span, now_ms: int) -> str:
        """Return a text that changes whenever the answer to this question does."""
        versions = [f"{frame}:{one.version}" for frame, one in sorted(self.series.items())]
        facts = (
            self.instrument.pk, self.timeframe, span, versions, self.minute, self.pending,
            self.timeframe.closed_before(now_ms),
        )  # fmt: skip
        return hashlib.blake2b(repr(facts).encode(), digest_size=12).hexdigest()


def ladder(*, instrument: Instrument, timeframe: Timeframe) -> Ladder:
    """Return what there is to read a timeframe of an instrument from, without reading it."""
    frames = (timeframe, *timeframe.finer)
    found = {one.frame: one for one in CandleSeries.objects.filter(instrument=instrument, timeframe__in=frames)}
    own = found.get(timeframe)
    pending = own is not None and Backfill.objects.filter(series=own, state__in=OPEN_STATES).exists()
    return Ladder(instrument, timeframe, found, pending, _open_minute(instrument))


def _open_minute(instrument: Instrument) -> OpenCandle | None:
    try:
        return open_candles(instruments=[str(instrument)]).get(str(instrument))
    except RedisOutage:
        return None


def read_page(*, ladder: Ladder, span: Span, now_ms: int) -> CandlePage:
    """Return the page of candles that a reader asks for."""
    behind = ladder.timeframe.closed_before(now_ms)
    to_ms = behind if span.to_ms is None else min(ladder.timeframe.ceil(span.to_ms), behind)
    if span.from_ms is None:
        found, sources = _latest(ladder, to_ms, span.limit)
        page, next_from = found, None
    else:
        found, sources = _earliest(ladder, ladder.timeframe.ceil(span.from_ms), to_ms, span.limit + 1)
        page = found.earliest(span.limit)
        next_from = int(found.ts[span.limit]) if len(found) > span.limit else None
    starts = [one.first_ts for one in ladder.series.values() if one.first_ts is not None]
    older = bool(len(page)) and min(starts, default=page.first_ts) < page.first_ts
    return CandlePage(
        instrument=str(ladder.instrument),
        timeframe=ladder.timeframe,
        candles=page,
        open_candle=_open_candle(ladder, now_ms),
        next_from=next_from,
        previous_to=page.first_ts if older else None,
        pending=ladder.pending,
        sources=sources,
        gaps=tuple(inner_gaps(page=page, timeframe=ladder.timeframe)),
    )


def candles(
    *,
    instrument: Instrument,
    timeframe: Timeframe,
    now_ms: int,
    from_ms: int | None = None,
    to_ms: int | None = None,
    limit: int = USUAL_LIMIT,
) -> CandlePage:
    """Return candles of an instrument; without `from` the latest."""
    steps = ladder(instrument=instrument, timeframe=timeframe)
    return read_page(ladder=steps, span=Span(from_ms, to_ms, limit), now_ms=now_ms)


def inner_gaps(*, page: Candles, timeframe: Timeframe) -> list[Gap]:
    """Return the holes between the first and the last candle of a page."""
    if not len(page):
        return []
    return gaps(page.ts, timeframe, page.first_ts, page.last_ts + timeframe.milliseconds)


# --- Reading along the ladder -----------------------------------------------------------------------------------------
def _latest(ladder: Ladder, to_ms: int, limit: int) -> tuple[Candles, tuple[str, ...]]:
    """Go back from the end in stretches as long as a page without holes, and jump over what is empty."""
    window = max(limit, _SMALLEST_STRETCH) * ladder.timeframe.milliseconds
    found, sources, end = empty(), set[str](), to_ms
    while len(found) < limit:
        newest = neighbor_ts(series=list(ladder.series.values()), before=end)
        if newest is None:
            break
        end = min(end, ladder.timeframe.floor(newest) + ladder.timeframe.milliseconds)
        part, used = read_range(ladder=ladder, from_ms=end - window, to_ms=end)
        found, end = concat([part, found]), end - window
        sources |= used
    return found.latest(limit), tuple(sorted(sources))


def _earliest(ladder: Ladder, from_ms: int, to_ms: int, limit: int) -> tuple[Candles, tuple[str, ...]]:
    window = max(limit, _SMALLEST_STRETCH) * ladder.timeframe.milliseconds
    found, sources, start = empty(), set[str](), from_ms
    while len(found) < limit and start < to_ms:
        oldest = next_ts(series=list(ladder.series.values()), since=start)
        if oldest is None or oldest >= to_ms:
            break
        start = max(start, ladder.timeframe.floor(oldest))
        part, used = read_range(ladder=ladder, from_ms=start, to_ms=min(to_ms, start + window))
        found, start = concat([found, part]), start + window
        sources |= used
    return found.earliest(limit), tuple(sorted(sources))


def read_range(*, ladder: Ladder, from_ms: int, to_ms: int) -> tuple[Candles, set[str]]:
    """Return the timeframe's own candles in `[from, to)`, holes filled from finer ones where those are complete."""
    own, sources = ladder.own, set[str]()
    found = empty() if own is None else read_series(series=own, from_ms=from_ms, to_ms=to_ms)
    if len(found):
        sources.add(str(ladder.timeframe))
    for frame in ladder.timeframe.finer:
        finer = ladder.series.get(frame)
        if finer is None or finer.first_ts is None or finer.last_ts is None:
            continue
        reach = (ladder.timeframe.floor(finer.first_ts), finer.last_ts + frame.milliseconds)
        open_holes = gaps(found.ts, ladder.timeframe, from_ms, to_ms)
        filling = _filled(finer, ladder.timeframe, [gap for gap in open_holes if _overlaps(gap, reach)], reach)
        if len(filling):
            sources.add(str(frame))
            found = merge(base=filling, over=found)
    return found, sources


def _overlaps(gap: Gap, reach: tuple[int, int]) -> bool:
    return gap.from_ms < reach[1] and reach[0] < gap.to_ms


def _filled(finer: CandleSeries, timeframe: Timeframe, holes: Sequence[Gap], reach: tuple[int, int]) -> Candles:
    """Put longer candles together for the holes; one of whose parts is missing is left out."""
    if not holes:
        return empty()
    if len(holes) > _SINGLE_HOLES:
        holes = [Gap(holes[0].from_ms, holes[-1].to_ms)]
    wanted = timeframe.milliseconds // finer.frame.milliseconds
    parts = []
    for hole in holes:
        start, end = max(hole.from_ms, reach[0]), min(hole.to_ms, timeframe.ceil(reach[1]))
        longer, counts = aggregated(read_series(series=finer, from_ms=start, to_ms=end), timeframe)
        parts.append(longer.pick(counts == wanted))
    return concat(parts)


# --- The open one -----------------------------------------------------------------------------------------------------
def _open_candle(ladder: Ladder, now_ms: int) -> Row | None:
    """Return the candle that is not closed yet: the closed finer ones of its time, and the open minute.

    There is none where its beginning is not known, for it would open with a price from its middle, and none where
    something in its midst is missing: high, low and volume would be those of a part of its time.
    """
    start = ladder.timeframe.closed_before(now_ms)
    parts, left = _closed_parts(ladder, start, now_ms)
    minute = _minute_of(ladder, left, now_ms)
    if minute is not None and minute.ts >= start:
        parts = concat([parts, from_rows([minute.row])])
    if not len(parts):
        return None
    since = math.inf if ladder.minute is None or ladder.minute.heard_since is None else ladder.minute.heard_since
    if minute is not None and parts.first_ts == minute.ts < since:
        return None  # its first part was not heard from its beginning
    late = Timeframe.M1.closed_before(now_ms) - _ON_ITS_WAY_MS
    holes = [Gap(one.from_ms, min(one.to_ms, parts.last_ts)) for one in left if one.from_ms < parts.last_ts]
    holes = [one for one in holes if one.from_ms < since and (one.from_ms < late or one.from_ms == start)]
    if holes and without(found=holes, known=noted_gaps(series=ladder.series.values(), from_ms=start, to_ms=now_ms)):
        return None
    return aggregate(parts, ladder.timeframe).rows()[-1]


def _closed_parts(ladder: Ladder, start: int, now_ms: int) -> tuple[Candles, list[Gap]]:
    """Return the closed finer candles since a moment, the longest there are, and the times that none of them covers."""
    found, left = empty(), [Gap(start, Timeframe.M1.closed_before(now_ms))]
    for frame in ladder.timeframe.finer:
        finer, left = ladder.series.get(frame), [one for one in left if one.from_ms < one.to_ms]
        if not left or finer is None or finer.last_ts is None or finer.last_ts < left[0].from_ms:
            continue
        stored = read_series(series=finer, from_ms=left[0].from_ms, to_ms=frame.closed_before(now_ms))
        open_ones, left = left, []
        for one in open_ones:
            end = min(one.to_ms, frame.closed_before(now_ms))
            part = stored.between(one.from_ms, end)
            found = merge(base=found, over=part)
            left += [*gaps(part.ts, frame, one.from_ms, end), Gap(max(end, one.from_ms), one.to_ms)]
    return found, [one for one in left if one.from_ms < one.to_ms]


def _minute_of(ladder: Ladder, left: Sequence[Gap], now_ms: int) -> OpenCandle | None:
    """Return the unfinished minute, or the one that has just ended and is not stored yet."""
    minute = ladder.minute
    if minute is None or not minute.ts <= now_ms < minute.ts + Timeframe.M1.milliseconds + _STORED_WITHIN_MS:
        return None
    is_new = minute.ts >= Timeframe.M1.closed_before(now_ms)
    return minute if is_new or any(one.from_ms <= minute.ts < one.to_ms for one in left) else None


# --- Many at once -----------------------------------------------------------------------------------------------------
def series_of(*, instrument: Instrument) -> list[CandleSeries]:
    """Return all series of an instrument, the finest first."""
    order = list(Timeframe)
    rows = CandleSeries.objects.filter(instrument=instrument).select_related("instrument")
    return sorted(rows, key=lambda one: order.index(one.frame))


def by_frame(*, series: Iterable[CandleSeries]) -> dict[Timeframe, CandleSeries]:
    """Return series by their timeframe."""
    return {one.frame: one for one in series}


def moment_ms(*, moment: datetime) -> int:
    """Return a moment as whole milliseconds."""
    return int(moment.timestamp() * 1000)
