"""History is asked for once, comes newest first, survives its worker, and an empty answer is never the last word."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings

from apps.core import clock, jobs
from apps.core.models.work import WorkState
from apps.core.testing import SentTask, run_on_commit
from apps.markets import actions, queries, tasks
from apps.markets.actions import history
from apps.markets.domain.candles import Candles, Floats, aggregate
from apps.markets.domain.timeframes import Timeframe
from apps.markets.gateways.venue_errors import VenueBusyError, VenueRefusedError, VenueUnavailableError
from apps.markets.models import Backfill, CandleGap, CandleSeries, CandleSource, Instrument, QuarantinedCandle
from apps.markets.queries.stored_candles import read_series
from apps.markets.tests.factories import make_instrument
from apps.markets.tests.factories_candles import NEW_YEAR, make_candles, make_table

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

HOUR = 3_600_000
ALL = 5_000
NOW = datetime.fromtimestamp((NEW_YEAR + ALL * HOUR) / 1000 + 60, UTC)


@dataclass
class Venue:
    """A venue with a history: what it is asked is written down, and it may fail."""

    candles: Candles = field(default_factory=lambda: make_candles(ALL))
    asked: list[tuple[int, int]] = field(default_factory=list)
    spoil: Callable[[Floats], Floats] = field(default=lambda table: table)
    failures: list[Exception] = field(default_factory=list)

    def fetch(self, *, timeframe: Timeframe, from_ms: int, to_ms: int, **_rest: object) -> Floats:
        self.asked.append((from_ms, to_ms))
        if self.failures:
            raise self.failures.pop(0)
        return self.spoil(make_table(aggregate(self.candles, timeframe).between(from_ms, to_ms)))


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Venue:
    made = Venue()
    monkeypatch.setattr(history, "fetch_candles", made.fetch)
    return made


@pytest.fixture
def pair() -> Instrument:
    return make_instrument()


def _ask(pair: Instrument, hours: int, *, now: datetime = NOW, to: datetime | None = None) -> Backfill | None:
    return actions.request_history(
        instrument=pair, timeframe=Timeframe.H1, from_=now - timedelta(hours=hours, seconds=60), to=to, now=now
    )


def _run(work: Backfill | None, *, now: datetime = NOW) -> Backfill:
    assert work is not None
    actions.run_backfill(work_id=work.pk, worker="test", read_clock=lambda: now)
    work.refresh_from_db()
    return work


def _stored(pair: Instrument) -> Candles:
    return read_series(series=CandleSeries.objects.get(instrument=pair, timeframe=Timeframe.H1))


def test_history_comes_whole_and_newest_first(pair: Instrument, venue: Venue) -> None:
    work = _run(_ask(pair, 2_500))
    assert (work.state, work.pages, work.fetched, work.stored) == (WorkState.SUCCEEDED, 3, 2_500, 2_500)
    ends = [end for _start, end in venue.asked]
    assert ends == sorted(ends, reverse=True)
    assert _stored(pair).equals(venue.candles.latest(2_500))


def test_asking_twice_queues_once(pair: Instrument, venue: Venue) -> None:
    first = _ask(pair, 500)
    assert first is not None
    assert _ask(pair, 300) == first
    assert Backfill.objects.count() == 1
    _run(first)
    assert _ask(pair, 500) is None


def test_only_what_is_missing_is_asked_for(pair: Instrument, venue: Venue) -> None:
    holed = venue.candles.pick(np.delete(np.arange(ALL), range(4_800, 4_850)))
    actions.store_candles(instrument=pair, timeframe=Timeframe.H1, candles=holed, source=CandleSource.VENUE, now=NOW)
    work = _run(_ask(pair, ALL))
    assert venue.asked == [(NEW_YEAR + 4_800 * HOUR, NEW_YEAR + 4_850 * HOUR)]
    assert work.stored == 50
    assert _stored(pair).equals(venue.candles)


def test_a_page_and_its_place_are_committed_together(
    pair: Instrument, venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = _ask(pair, 3_500)
    assert work is not None
    venue.failures = []
    taken = 0

    def dies_after_two(**question: Any) -> Floats:
        nonlocal taken
        taken += 1
        if taken == 3:
            raise KeyboardInterrupt
        return Venue.fetch(venue, **question)

    monkeypatch.setattr(history, "fetch_candles", dies_after_two)
    with pytest.raises(KeyboardInterrupt):
        actions.run_backfill(work_id=work.pk, worker="one", read_clock=lambda: NOW)
    monkeypatch.setattr(history, "fetch_candles", venue.fetch)
    work.refresh_from_db()
    assert (work.state, work.pages) == (WorkState.QUEUED, 2)
    assert _stored(pair).first_ts == work.cursor_ms
    asked_before = len(venue.asked)
    done = _run(work, now=work.next_attempt_at)
    assert (done.state, done.pages) == (WorkState.SUCCEEDED, 4)
    assert all(end <= NEW_YEAR + 3_000 * HOUR for _start, end in venue.asked[asked_before:])
    assert _stored(pair).equals(venue.candles.latest(3_500))


def test_a_venue_that_is_away_is_asked_again_later(pair: Instrument, venue: Venue) -> None:
    venue.failures = [VenueUnavailableError()]
    work = _run(_ask(pair, 100))
    assert (work.state, work.problem_code, work.pages) == (WorkState.WAITING, "venue_unavailable", 0)
    assert not CandleGap.objects.exists(), "no answer is not an empty answer"
    later = work.next_attempt_at
    assert _run(work, now=later).state == WorkState.SUCCEEDED
    assert len(_stored(pair)) >= 100


def test_a_venue_that_asks_for_peace_gets_it_and_then_tells_all(pair: Instrument, venue: Venue) -> None:
    venue.failures = [VenueBusyError(retry_after=120)]
    work = _run(_ask(pair, 100))
    assert (work.state, work.problem_code) == (WorkState.WAITING, "venue_busy")
    later = work.next_attempt_at
    assert timedelta(seconds=60) < later - clock.now() <= timedelta(seconds=120)
    assert _run(work, now=later - timedelta(seconds=1)).state == WorkState.WAITING
    assert len(venue.asked) == 1, "nobody asks before the time that the venue named"
    assert _run(work, now=later).state == WorkState.SUCCEEDED
    assert len(_stored(pair)) >= 100


def test_before_the_beginning_nothing_is_asked_for_ever(pair: Instrument, venue: Venue) -> None:
    venue.candles = venue.candles.latest(200)
    work = _run(_ask(pair, ALL))
    assert (work.state, work.stored) == (WorkState.SUCCEEDED, 200)
    assert len(venue.asked) <= 1 + history.EMPTY_PAGES
    assert _ask(pair, ALL) is None, "it was asked a moment ago"
    asked = len(venue.asked)
    later = NOW + timedelta(hours=2)
    again = _ask(pair, ALL + 2, now=later, to=NOW)
    assert again is not None, "an empty answer does not mean never"
    venue.candles = make_candles(ALL)
    _run(again, now=later)
    assert len(venue.asked) > asked
    assert len(_stored(pair)) == ALL


def test_waits_grow_while_the_venue_has_nothing(pair: Instrument, venue: Venue) -> None:
    venue.candles = venue.candles.pick(np.delete(np.arange(ALL), range(4_900, 4_903)))
    moment, waits = NOW, []
    for _turn in range(3):
        work = _ask(pair, 200, now=moment, to=NOW - timedelta(seconds=60))
        assert work is not None
        _run(work, now=moment)
        gap = CandleGap.objects.get()
        waits.append(gap.next_try_at - moment)
        moment = gap.next_try_at
    assert waits == [timedelta(hours=1), timedelta(hours=4), timedelta(hours=16)]
    assert (gap.from_ms, gap.to_ms) == (NEW_YEAR + 4_900 * HOUR, NEW_YEAR + 4_903 * HOUR)


def test_the_newest_candle_that_is_not_written_yet_is_no_gap(pair: Instrument, venue: Venue) -> None:
    venue.candles = venue.candles.earliest(ALL - 1)
    _run(_ask(pair, 50))
    assert not CandleGap.objects.exists()
    venue.candles = make_candles(ALL)
    work = _run(_ask(pair, 50))
    assert work.stored == 1


def test_faults_of_a_venue_go_to_quarantine(pair: Instrument, venue: Venue) -> None:
    def spoil(table: Floats) -> Floats:
        table[10, 2] *= 10
        table[10, 4] *= 10
        table[20, 4] = float("nan")
        return table

    venue.spoil = spoil
    work = _run(_ask(pair, 100))
    assert (work.stored, work.refused) == (98, 2)
    assert sorted(QuarantinedCandle.objects.values_list("code", flat=True)) == ["not_a_number", "spike"]


def test_a_pair_that_the_venue_dropped_ends_in_good_order(pair: Instrument, venue: Venue) -> None:
    venue.failures = [VenueRefusedError()]
    work = _run(_ask(pair, 100))
    assert (work.state, work.progress_note) == (WorkState.SUCCEEDED, "The exchange no longer knows this pair.")
    assert _ask(pair, 100) is None
    Instrument.objects.update(active=False)
    pair.refresh_from_db()
    assert _ask(pair, 100, now=NOW + timedelta(days=30)) is None


def test_long_work_gives_others_their_turn(pair: Instrument, venue: Venue) -> None:
    work = _ask(pair, 3_500)
    assert work is not None
    moments = iter([NOW + timedelta(seconds=8 * step) for step in range(100)])
    actions.run_backfill(work_id=work.pk, worker="test", read_clock=lambda: next(moments))
    work.refresh_from_db()
    assert work.state == WorkState.QUEUED
    assert 0 < work.pages < 4


def test_a_timeframe_that_a_venue_lacks_is_fetched_in_a_finer_one(venue: Venue) -> None:
    pair = make_instrument("coinbase:BTC/USD")
    work = actions.request_history(instrument=pair, timeframe=Timeframe.H4, from_=NOW - timedelta(days=2), now=NOW)
    assert work is not None
    assert work.series.timeframe == Timeframe.H1
    _run(work)
    page = queries.candles(instrument=pair, timeframe=Timeframe.H4, now_ms=int(NOW.timestamp() * 1000))
    assert len(page.candles) in {11, 12}


def test_nobody_is_asked_while_the_feed_is_off(pair: Instrument, venue: Venue, settings: Settings) -> None:
    settings.FEED = "off"
    pair = make_instrument("binance:ETH/USDT")
    assert _ask(pair, 100) is None
    assert actions.repair_gaps(now=NOW) == 0


# --- The sweep --------------------------------------------------------------------------------------------------------
def _run_all() -> None:
    for work in Backfill.rows().open():
        _run(work)


def test_the_sweep_asks_for_the_last_days_of_all_before_more_of_one_and_in_turns(settings: Settings) -> None:
    names = ("kraken:BTC/USD", "kraken:ETH/USD", "binance:BTC/USDT", "binance:ETH/USDT")
    for size, name in enumerate(names):
        Instrument.objects.filter(pk=make_instrument(name).pk).update(volume_usd=100 - size)
    settings.FEED = "simulator"
    actions.repair_gaps(now=NOW)
    asked = [(work.series.instrument.venue, work.series.frame) for work in Backfill.objects.order_by("id")]
    assert asked == [
        (venue, frame) for frame in (Timeframe.H1, Timeframe.D1) for venue in ("binance", "kraken", "binance", "kraken")
    ]


def test_of_pairs_that_are_not_followed_only_what_is_asked_for_is_kept(settings: Settings, venue: Venue) -> None:
    settings.FEED_INSTRUMENTS = 1
    large, small = make_instrument("binance:BTC/USDT", volume_usd="2"), make_instrument("binance:ETH/USDT")
    actions.repair_gaps(now=NOW)
    assert {work.series.instrument_id for work in Backfill.objects.all()} == {large.pk}
    actions.request_history(instrument=small, timeframe=Timeframe.H1, from_=NOW - timedelta(days=1), now=NOW)
    _run_all()
    actions.repair_gaps(now=NOW)
    asked = Backfill.rows().open().get(series__instrument=small)
    assert asked.to_ms - asked.from_ms > 2 * 24 * HOUR, "looked at, it is kept as the others are"


def test_what_somebody_waits_for_does_not_stand_behind_the_sweep(
    pair: Instrument, venue: Venue, sent_tasks: list[SentTask]
) -> None:
    with run_on_commit():
        actions.repair_gaps(now=NOW)
    with run_on_commit():
        later = NOW + timedelta(minutes=1)
        known = actions.request_history(
            instrument=pair, timeframe=Timeframe.H1, from_=later - timedelta(days=2), now=later
        )
    assert known is not None
    assert [task.queue for task in sent_tasks] == ["default", "default", "sync"]
    assert sent_tasks[-1].keywords["work_id"] == str(known.pk)


def test_the_sweep_finds_what_is_missing_and_then_rests(pair: Instrument, venue: Venue) -> None:
    make_instrument("binance:OLD/USDT", active=False)
    assert actions.repair_gaps(now=NOW) == 2
    assert actions.repair_gaps(now=NOW) == 0, "what is queued is not queued again"
    _run_all()
    assert len(_stored(pair)) == 8 * 24 - 1, "every pair gets its last days before any gets more"
    assert actions.repair_gaps(now=NOW) == 1
    _run_all()
    assert len(_stored(pair)) == 90 * 24 - 1, "the hour in which the ninety days begin is not whole"
    assert actions.repair_gaps(now=NOW) == 0
    actions.repair_gaps(now=NOW + timedelta(hours=1))
    queued = Backfill.rows().open().filter(series__timeframe=Timeframe.H1).get()
    assert (queued.from_ms, queued.to_ms) == (NEW_YEAR + ALL * HOUR, NEW_YEAR + (ALL + 1) * HOUR)
    assert CandleSeries.objects.filter(instrument__symbol="OLD/USDT").count() == 0


def test_the_sweep_sees_a_hole_in_the_middle(pair: Instrument, venue: Venue) -> None:
    holed = venue.candles.pick(np.delete(np.arange(ALL), 4_000))
    actions.store_candles(instrument=pair, timeframe=Timeframe.H1, candles=holed, source=CandleSource.VENUE, now=NOW)
    CandleSeries.objects.get_or_create(instrument=pair, timeframe=Timeframe.D1)
    actions.repair_gaps(now=NOW)
    work = Backfill.objects.get(series__timeframe=Timeframe.H1)
    assert (work.from_ms, work.to_ms) == (NEW_YEAR + 4_000 * HOUR, NEW_YEAR + 4_001 * HOUR)


def _hole(pair: Instrument, candles: Candles, *holes: range) -> CandleSeries:
    """Store hours without those at some places; their days are whole."""
    holed = candles.pick(np.setdiff1d(np.arange(ALL), np.concatenate([np.array(one) for one in holes])))
    actions.store_candles(instrument=pair, timeframe=Timeframe.H1, candles=holed, source=CandleSource.VENUE, now=NOW)
    CandleSeries.objects.get_or_create(instrument=pair, timeframe=Timeframe.D1)
    return CandleSeries.objects.get(instrument=pair, timeframe=Timeframe.H1)


def _note(series: CandleSeries, first: int, behind: int, *, again: datetime = NOW + timedelta(days=7)) -> None:
    """Note that the venue had nothing for a stretch."""
    span = {"from_ms": NEW_YEAR + first * HOUR, "to_ms": NEW_YEAR + behind * HOUR}
    CandleGap.objects.create(series=series, checked_at=NOW, next_try_at=again, **span)


@pytest.mark.parametrize(
    "notes",
    [[(4_000, 4_010), (4_002, 4_010), (4_005, 4_010)], [(3_980, 4_020)]],
    ids=["notes that overlap", "a wide one that holds candles"],
)
def test_notes_of_one_hole_hide_no_other(pair: Instrument, venue: Venue, notes: list[tuple[int, int]]) -> None:
    series = _hole(pair, venue.candles, range(4_000, 4_010), range(4_500, 4_505))
    for first, behind in notes:
        _note(series, first, behind)
    actions.repair_gaps(now=NOW)
    work = Backfill.objects.get(series=series)
    assert (work.from_ms, work.to_ms) == (NEW_YEAR + 4_500 * HOUR, NEW_YEAR + 4_505 * HOUR)
    _run(work)
    actions.repair_gaps(now=NOW)
    assert Backfill.rows().open().filter(series=series).count() == 0


def test_minutes_that_nobody_looks_at_are_confirmed_too(pair: Instrument, venue: Venue) -> None:
    start = int(NOW.timestamp() * 1000) // 60_000 * 60_000 - 4 * HOUR
    built = make_candles(60, timeframe=Timeframe.M1, start=start).pick(np.delete(np.arange(60), 7))
    actions.store_candles(instrument=pair, timeframe=Timeframe.M1, candles=built, source=CandleSource.BUILT, now=NOW)
    venue.candles = make_candles(240, timeframe=Timeframe.M1, start=start, seed=2)
    series = CandleSeries.objects.get(instrument=pair, timeframe=Timeframe.M1)
    actions.repair_gaps(now=NOW - timedelta(hours=2))
    assert not Backfill.objects.filter(series=series).exists(), "they are young"
    actions.repair_gaps(now=NOW)
    _run(Backfill.objects.get(series=series))
    assert read_series(series=series, to_ms=start + HOUR).equals(venue.candles.earliest(60))
    assert not series.tail.filter(source=CandleSource.BUILT).exists()


def test_a_pair_that_is_back_is_asked_for_at_once(pair: Instrument, venue: Venue) -> None:
    venue.failures = [VenueRefusedError()]
    _run(_ask(pair, 100))
    assert _ask(pair, 100) is None
    assert _ask(pair, 100, now=NOW + timedelta(minutes=5), to=NOW) is not None, "its list may not be read for an hour"
    Backfill.objects.all().delete()
    history.listed_again(instruments=[pair.pk], now=NOW)
    assert _run(_ask(pair, 100)).stored == 100


def test_a_minute_built_from_prices_gives_way_to_the_venues_own(pair: Instrument, venue: Venue) -> None:
    minute = int(NOW.timestamp() * 1000) - 60_000
    built = make_candles(1, timeframe=Timeframe.M1, start=minute)
    actions.store_candles(instrument=pair, timeframe=Timeframe.M1, candles=built, source=CandleSource.BUILT, now=NOW)
    venue.candles = make_candles(1, timeframe=Timeframe.M1, start=minute, seed=2)
    half_a_minute_later = NOW + timedelta(seconds=30)
    asked = actions.request_history(
        instrument=pair, timeframe=Timeframe.M1, from_=NOW - timedelta(minutes=1), now=half_a_minute_later
    )
    assert asked is not None
    assert (asked.from_ms, asked.to_ms) == (minute, minute + 60_000)
    _run(asked, now=half_a_minute_later)
    series = CandleSeries.objects.get(instrument=pair, timeframe=Timeframe.M1)
    kept = read_series(series=series, from_ms=minute, to_ms=minute + 60_000)
    assert kept.rows() == venue.candles.rows()
    assert not series.tail.filter(source=CandleSource.BUILT).exists()


def test_the_sweep_tidies_what_is_long_over(pair: Instrument, venue: Venue) -> None:
    work = _run(_ask(pair, 10))
    Backfill.objects.create(
        series=work.series, from_ms=0, to_ms=1, cursor_ms=1, state=WorkState.FAILED, finished_at=clock.now()
    )
    actions.repair_gaps(now=clock.now() + timedelta(hours=1))
    assert [one.state for one in Backfill.rows().over()] == [WorkState.FAILED]
    actions.repair_gaps(now=clock.now() + timedelta(days=2))
    assert not Backfill.rows().over().exists()


def test_a_worker_that_was_overtaken_writes_nothing(pair: Instrument, venue: Venue) -> None:
    work = _ask(pair, 100)
    assert work is not None
    lease = jobs.claim(model=Backfill, work_id=work.pk, worker="slow", now=NOW)
    jobs.reap(now=NOW + timedelta(minutes=5))
    assert jobs.run(lease=lease, handler=lambda held: history._turn(held, lambda: NOW)) is False
    assert CandleSeries.objects.get().count == 0


def test_the_tasks_call_one_action_each(pair: Instrument, venue: Venue, settings: Settings) -> None:
    settings.FEED = "off"
    tasks.repair_candles(unknown="ignored")
    assert not Backfill.objects.exists()
    settings.FEED = "simulator"
    present = clock.now()
    work = actions.request_history(
        instrument=pair, timeframe=Timeframe.H1, from_=present - timedelta(hours=5), now=present
    )
    assert work is not None
    tasks.run_backfill(work_id=str(work.pk), unknown="ignored")
    work.refresh_from_db()
    assert work.state == WorkState.SUCCEEDED
    tasks.pack_candles()
    tasks.summarize()
    assert queries.summaries(instruments=[pair.pk])[pair.pk].closes == ()
