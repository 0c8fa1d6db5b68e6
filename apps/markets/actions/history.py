"""History from the venues: asked for once, fetched newest first, page and place committed together."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import F, Max, Min
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.core import jobs
from apps.core.models.work import OPEN_STATES, WorkState
from apps.markets.actions.candles import series_for
from apps.markets.actions.quarantine import TakenIn, take_in
from apps.markets.domain.candles import Gap
from apps.markets.domain.gate import EARLIEST_MS
from apps.markets.domain.timeframes import Timeframe
from apps.markets.gateways.venue_candles import fetch_candles, offers, page_ms, reach_ms
from apps.markets.gateways.venue_errors import VenueRefusedError
from apps.markets.models import Backfill, CandleGap, CandleSeries, CandleSource, CandleTail, Instrument
from apps.markets.queries.feed import followed_instruments
from apps.markets.queries.stored_candles import ends, holes, missing, unsure, without

log = structlog.get_logger(__name__)

FEED_OFF: Final = "off"
#: A venue may still be writing a candle that closed so short a time ago.
GRACE: Final = timedelta(seconds=2)
#: One turn of work; then others have theirs.
TURN: Final = timedelta(seconds=20)
#: After so many empty pages in a row there is nothing older, for now.
EMPTY_PAGES: Final = 3
#: The venue may not have written its newest candles yet: that they are missing says nothing.
_STILL_COMING: Final = 3
QUEUE_OF_WAITERS: Final = "sync"
_WOKEN_LATELY: Final = timedelta(seconds=3)
_FIRST_WAIT: Final = timedelta(hours=1)
_LONGEST_WAIT: Final = timedelta(days=7)
#: The list of pairs, which says whether a refused one is traded, is read once an hour; a pair may be back sooner.
_UNLISTED_WAIT: Final = timedelta(minutes=5)
_MOST_GAPS: Final = 20
_UNLISTED: Final = gettext_noop("The exchange no longer knows this pair.")


def request_history(
    *, instrument: Instrument, timeframe: Timeframe, from_: datetime, now: datetime, to: datetime | None = None
) -> Backfill | None:
    """Ask for what is missing since a moment, once; None when nothing is, or when nobody can be asked."""
    frame = fetchable(instrument=instrument, timeframe=timeframe)
    if frame is None:
        return None
    series = series_for(instrument=instrument, timeframe=frame)
    CandleSeries.objects.filter(pk=series.pk).update(wanted_at=now)
    return ask_for(
        series=series, from_ms=_ms(from_), to_ms=None if to is None else _ms(to), now=now, someone_waits=True
    )


def mend_minutes(*, names: Collection[str], from_ms: int, now: datetime) -> int:
    """Ask for the minutes since a moment of those of the instruments whose minutes are kept; return of how many."""
    rows = CandleSeries.objects.here().traded().filter(timeframe=Timeframe.M1, count__gt=0)
    series = [one for one in rows.select_related("instrument") if str(one.instrument) in names]
    return sum(ask_for(series=one, from_ms=from_ms, to_ms=None, now=now) is not None for one in series)


def fetchable(*, instrument: Instrument, timeframe: Timeframe) -> Timeframe | None:
    """Return the timeframe to fetch: this one, or a finer one where the venue does not offer it."""
    if settings.FEED == FEED_OFF or not instrument.active:
        return None
    frames = (timeframe, *timeframe.finer)
    return next((one for one in frames if offers(venue=instrument.venue, timeframe=one)), None)


def ask_for(
    *, series: CandleSeries, from_ms: int, to_ms: int | None, now: datetime, someone_waits: bool = False
) -> Backfill | None:
    """Queue the fetching of what is missing in a stretch; an open one that covers it is returned instead.

    What somebody waits for has a queue of its own: behind hundreds of others it would come too late.
    """
    frame = series.frame
    closed = frame.closed_before(_ms(now - GRACE))
    start = max(from_ms, EARLIEST_MS, _reach(series, now))
    wanted = missing(series=series, from_ms=start, to_ms=min(to_ms or closed, closed), now=now)
    if not wanted:
        return None
    first, behind = wanted[0].from_ms, wanted[-1].to_ms
    with transaction.atomic():
        CandleSeries.objects.select_for_update().get(pk=series.pk)
        covering = Backfill.objects.filter(
            series=series, state__in=OPEN_STATES, from_ms__lte=first, cursor_ms__gte=behind
        )
        known: Backfill | None = covering.first()
        if known is not None:
            if someone_waits and known.state == WorkState.QUEUED and _was_woken_long_ago(known, now):
                jobs.wake(work=known, now=now, queue=QUEUE_OF_WAITERS)
            return known
        work = Backfill(series=series, from_ms=first, to_ms=behind, cursor_ms=behind)
        jobs.enqueue(work=work, now=now, queue=QUEUE_OF_WAITERS if someone_waits else "")
    return work


def _was_woken_long_ago(work: Backfill, now: datetime) -> bool:
    """Tell whether its message may stand far back in the queue."""
    return work.woken_at is None or now - work.woken_at > _WOKEN_LATELY


def run_backfill(*, work_id: UUID, worker: str, read_clock: Callable[[], datetime]) -> bool:
    """Take a backfill up if it waits, for one turn."""
    lease = jobs.claim(model=Backfill, work_id=work_id, worker=worker, now=read_clock())
    return jobs.run(lease=lease, handler=lambda held: _turn(held, read_clock))


def _turn(lease: jobs.Lease[Backfill], read_clock: Callable[[], datetime]) -> None:
    work, until = lease.work, read_clock() + TURN
    work.series = CandleSeries.objects.select_related("instrument").get(pk=work.series_id)
    while True:
        now = read_clock()
        gap = _next_gap(work, now)
        if gap is None:
            lease.succeed()
            return
        if now >= until:
            _let_others(lease, now)
            return
        if not _page(lease, gap, now):
            return


def _next_gap(work: Backfill, now: datetime) -> Gap | None:
    """Return the newest stretch of at most a page that is missing below the cursor."""
    if work.cursor_ms <= work.from_ms or work.empty_pages >= EMPTY_PAGES:
        return None
    series = CandleSeries.objects.select_related("instrument").get(pk=work.series_id)
    wanted = missing(series=series, from_ms=work.from_ms, to_ms=work.cursor_ms, now=now)
    if not wanted:
        return None
    newest, span = wanted[-1], page_ms(venue=series.instrument.venue, timeframe=series.frame)
    return Gap(max(newest.from_ms, newest.to_ms - span), newest.to_ms)


def _page(lease: jobs.Lease[Backfill], gap: Gap, now: datetime) -> bool:
    """Fetch one page and commit it with the place reached; False when the venue has no such pair any more."""
    work, pair = lease.work, lease.work.series.instrument
    try:
        table = fetch_candles(
            venue=pair.venue, symbol=pair.symbol, timeframe=work.series.frame, from_ms=gap.from_ms, to_ms=gap.to_ms,
            now=now,
        )  # fmt: skip
    except VenueRefusedError:
        _unlisted(lease, now)
        return False
    with lease.fenced():
        done = take_in(instrument=pair, timeframe=work.series.frame, table=table, source=CandleSource.VENUE, now=now)
        empty_pages = 0 if len(table) else work.empty_pages + 1
        at_an_end = empty_pages >= EMPTY_PAGES
        newest = work.series.frame.closed_before(_ms(now)) - _STILL_COMING * work.series.frame.milliseconds
        start = work.from_ms if at_an_end else gap.from_ms
        _remember(work.series, Gap(start, max(start, min(gap.to_ms, newest))), now)
        _advance(lease, gap, done, len(table), empty_pages)
    return True


def _advance(lease: jobs.Lease[Backfill], gap: Gap, done: TakenIn, came: int, empty_pages: int) -> None:
    work = lease.work
    lease.advance(
        progress=jobs.fraction(done=work.to_ms - gap.from_ms, total=work.to_ms - work.from_ms),
        note=str(work.series),
        cursor_ms=gap.from_ms,
        pages=work.pages + 1,
        empty_pages=empty_pages,
        fetched=work.fetched + came,
        stored=work.stored + done.stored.changed,
        refused=work.refused + len(done.passed.refused),
    )


def _let_others(lease: jobs.Lease[Backfill], now: datetime) -> None:
    """Go to the end of the queue: somebody may be waiting for a page in front of them."""
    lease.give_back()
    jobs.wake(work=lease.work, now=now)


def _unlisted(lease: jobs.Lease[Backfill], now: datetime) -> None:
    """End in good order: what is stored stays, and the venue is asked again when it lists the pair again."""
    work = lease.work
    with lease.fenced():
        _remember(work.series, Gap(work.from_ms, work.cursor_ms), now, first_wait=_UNLISTED_WAIT)
    log.info("A venue does not know a pair any more", series=str(work.series))
    lease.succeed(progress_note=_(_UNLISTED))


# --- Holes ------------------------------------------------------------------------------------------------------------
def listed_again(*, instruments: Collection[UUID], now: datetime) -> None:
    """Let what pairs lack be asked for at once: their venue trades them again."""
    CandleGap.objects.filter(series__instrument__in=instruments, next_try_at__gt=now).update(next_try_at=now)


def _remember(series: CandleSeries, asked: Gap, now: datetime, *, first_wait: timedelta = _FIRST_WAIT) -> None:
    """Note what the venue did not have, and when to ask again; an empty answer never means never."""
    fresh = CandleSeries.objects.get(pk=series.pk)
    left = unsure(series=fresh, from_ms=asked.from_ms, to_ms=asked.to_ms)
    if len(left) > _MOST_GAPS:  # a pair that is seldom traded: one note for all of them
        left = [Gap(left[0].from_ms, left[-1].to_ms)]
    within = CandleGap.objects.filter(series=series, from_ms__gte=asked.from_ms, to_ms__lte=asked.to_ms)
    tries = dict(within.values_list("from_ms", "tries"))
    within.delete()
    CandleGap.objects.filter(series=series, from_ms__in=[gap.from_ms for gap in left]).delete()
    CandleGap.objects.bulk_create([_noted(series, gap, tries.get(gap.from_ms, 0) + 1, first_wait, now) for gap in left])


def _noted(series: CandleSeries, gap: Gap, count: int, wait: timedelta, now: datetime) -> CandleGap:
    wait = min(_LONGEST_WAIT, wait * 4 ** min(count - 1, 8))
    return CandleGap(
        series=series, from_ms=gap.from_ms, to_ms=gap.to_ms, tries=count, checked_at=now, next_try_at=now + wait
    )


# --- The sweep --------------------------------------------------------------------------------------------------------
#: How far back the history of a timeframe is kept without a hole: of all pairs, and of those that somebody looks at.
KEPT_OF_ALL: Final = {Timeframe.H1: timedelta(days=90), Timeframe.D1: timedelta(days=3650)}
KEPT_OF_WANTED: Final = {
    Timeframe.M1: timedelta(days=2),
    Timeframe.M5: timedelta(days=7),
    Timeframe.M15: timedelta(days=14),
    Timeframe.H4: timedelta(days=365),
}
WANTED_FOR: Final = timedelta(days=7)
#: A pair with few hours gets its last days first, so that every pair soon has its week.
FIRST_HOURS: Final = timedelta(days=8)
MOST_OPEN: Final = 200
_WORK_KEPT: Final = timedelta(days=1)
#: So long it stays known whether an unchanged series has holes.
_HOLES_KEPT: Final = timedelta(hours=1)
#: After so long minutes built from live prices are confirmed by the venue, also those that nobody looks at.
CONFIRMED_WITHIN: Final = timedelta(hours=3)
#: What went well makes room for what did not in the lists of jobs.
_SUCCESS_KEPT: Final = timedelta(minutes=15)


def repair_gaps(*, now: datetime) -> int:
    """Queue what is missing of every series that is kept whole, most traded pairs first; return how much was queued."""
    Backfill.rows().over().filter(finished_at__lt=now - _WORK_KEPT).delete()
    Backfill.rows().filter(state=WorkState.SUCCEEDED, finished_at__lt=now - _SUCCESS_KEPT).delete()
    if settings.FEED == FEED_OFF:
        return 0
    followed = followed_instruments(per_venue=settings.FEED_INSTRUMENTS)
    _make_series(followed)
    open_now = set(Backfill.rows().open().values_list("series", flat=True))
    room, queued = MOST_OPEN - len(open_now), 0
    notes, built = _notes(now), _built(now)
    for series in _kept(followed, now):
        if queued >= room:
            break
        if series.pk in open_now:
            continue
        if series.pk not in built and not _lacks(series, notes.get(series.pk, []), now):
            continue
        if ask_for(series=series, from_ms=_ms(now - _asked_back(series)), to_ms=None, now=now) is not None:
            queued += 1
    return queued + _confirm_built(now, open_now, room - queued)


def _confirm_built(now: datetime, open_now: Collection[UUID], room: int) -> int:
    """Ask the venue for the minutes that have stood long as they were built; return of how many pairs."""
    old = CandleTail.objects.filter(source=CandleSource.BUILT, ts__lt=_ms(now - CONFIRMED_WITHIN)).values("series")
    ends = {row["series"]: (row["first"], row["last"]) for row in old.annotate(first=Min("ts"), last=Max("ts"))}
    rows = CandleSeries.objects.here().traded().filter(pk__in=ends).exclude(pk__in=open_now)
    queued = 0
    for series in rows.select_related("instrument").order_by("pk"):
        first, last = ends[series.pk]
        if queued >= room:
            break
        if last >= _reach(series, now):  # what the venue no longer tells stays as it was built
            queued += ask_for(series=series, from_ms=first, to_ms=None, now=now) is not None
    return queued


def _make_series(followed: Collection[UUID]) -> None:
    for frame in KEPT_OF_ALL:
        lacking = Instrument.objects.here().filter(pk__in=followed).exclude(series__timeframe=frame)
        rows = [CandleSeries(instrument=one, timeframe=frame) for one in lacking if _has(one, frame)]
        CandleSeries.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def _has(instrument: Instrument, frame: Timeframe) -> bool:
    """Tell whether the venue of a pair has candles of that length."""
    return offers(venue=instrument.venue, timeframe=frame)


def _kept(followed: Collection[UUID], now: datetime) -> Sequence[CandleSeries]:
    rows = CandleSeries.objects.here().traded().select_related("instrument")
    kept = rows.filter(timeframe__in=list(KEPT_OF_ALL), instrument__in=followed) | rows.filter(
        timeframe__in=list(KEPT_OF_ALL | KEPT_OF_WANTED), wanted_at__gte=now - WANTED_FOR
    )
    return _in_turn(kept.order_by(F("instrument__volume_usd").desc(nulls_last=True), "id"))


def _in_turn(found: Iterable[CandleSeries]) -> list[CandleSeries]:
    """Put pairs without a week first, then hours before days; one of each venue, so that no venue's limit holds all."""
    ranks: Counter[tuple[str, int]] = Counter()
    places = []
    for series in found:
        first = (0 if _lacks_its_days(series) else 1) if series.frame == Timeframe.H1 else 2
        venue = series.instrument.venue
        places.append((first, ranks[venue, first], venue, series))
        ranks[venue, first] += 1
    return [series for *_place, series in sorted(places, key=lambda place: place[:3])]


def _kept_for(series: CandleSeries) -> timedelta:
    return (KEPT_OF_ALL | KEPT_OF_WANTED)[series.frame]


def _asked_back(series: CandleSeries) -> timedelta:
    return FIRST_HOURS if series.frame == Timeframe.H1 and _lacks_its_days(series) else _kept_for(series)


def _lacks_its_days(series: CandleSeries) -> bool:
    """Tell whether a pair's week cannot be drawn yet; somebody may have asked for a few of its hours only."""
    return series.count < FIRST_HOURS // timedelta(hours=1) - 2


def _notes(now: datetime) -> dict[UUID, list[Gap]]:
    """Return, by series, the holes that are not asked about yet."""
    found: dict[UUID, list[Gap]] = {}
    for series, start, end in CandleGap.objects.filter(next_try_at__gt=now).values_list("series", "from_ms", "to_ms"):
        found.setdefault(series, []).append(Gap(start, end))
    return found


def _built(now: datetime) -> set[UUID]:
    """Return the series with minutes built from live prices: the venue's own take their place."""
    rows = CandleTail.objects.filter(source=CandleSource.BUILT, ts__lt=Timeframe.M1.closed_before(_ms(now - GRACE)))
    return set(rows.values_list("series", flat=True).distinct())


def _lacks(series: CandleSeries, known: Sequence[Gap], now: datetime) -> bool:
    """Tell from the series' own figures whether anything is missing that is worth asking for."""
    frame = series.frame
    start = max(_ms(now - _kept_for(series)), _reach(series, now))
    closed = frame.closed_before(_ms(now - GRACE))
    if not series.count or series.first_ts is None or series.last_ts is None:
        return bool(without(found=[Gap(frame.ceil(start), closed)], known=known))
    if without(found=ends(series=series, from_ms=start, to_ms=closed), known=known):
        return True
    return _has_holes(series, Gap(series.first_ts, series.last_ts + frame.milliseconds), known)


def _has_holes(series: CandleSeries, span: Gap, known: Sequence[Gap]) -> bool:
    """Tell whether candles are missing where no note says so; notes may overlap, and a wide one may hold candles."""
    if series.count >= span.count(series.frame):
        return False
    open_spans = without(found=[span], known=known)
    wanted = sum(one.count(series.frame) for one in open_spans)
    if not known or series.count < wanted:
        return True
    facts = ",".join(f"{one.from_ms}-{one.to_ms}" for one in open_spans)
    digest = hashlib.blake2b(f"{series.version}:{facts}".encode(), digest_size=12).hexdigest()
    key = f"candles:holes:{series.pk}:{digest}"
    kept: bool | None = cache.get(key)  # the sweep comes twice a minute, and seldom traded pairs have many holes
    if kept is not None:
        return kept
    found = bool(without(found=holes(series=series, from_ms=span.from_ms, to_ms=span.to_ms), known=known))
    cache.set(key, found, timeout=_HOLES_KEPT.total_seconds())
    return found


def _reach(series: CandleSeries, now: datetime) -> int:
    return reach_ms(venue=series.instrument.venue, timeframe=series.frame, now_ms=_ms(now))


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
