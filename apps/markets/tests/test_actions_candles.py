"""Storing candles: repeats change nothing, late and corrected ones are told, blocks and rows read as one."""

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.accounts.tests.factories import make_owner
from apps.core.cache import redis_client
from apps.core.errors import NotFoundError
from apps.core.ids import uuid7
from apps.core.testing import CapturedEvents, run_on_commit
from apps.markets import actions, queries
from apps.markets.actions.candles import BUILT_KEPT, TAIL_ROWS, Stored
from apps.markets.domain.candles import Candles, aggregate, from_rows, merge
from apps.markets.domain.prices import OpenCandle, open_for_cache, open_key
from apps.markets.domain.timeframes import Timeframe
from apps.markets.events import CandleClosed
from apps.markets.models import (
    SLOT_CANDLES,
    CandleBlock,
    CandleGap,
    CandleSeries,
    CandleSource,
    CandleTail,
    Instrument,
    QuarantinedCandle,
    QuarantineState,
)
from apps.markets.queries.stored_candles import holes, read_series
from apps.markets.tests.factories import make_instrument
from apps.markets.tests.factories_candles import NEW_YEAR, make_candles, make_table

pytestmark = pytest.mark.django_db

MINUTE = 60_000
HOUR = 60 * MINUTE
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def pair() -> Instrument:
    return make_instrument()


def _store(
    pair: Instrument,
    candles: Candles,
    *,
    timeframe: Timeframe = Timeframe.H1,
    source: CandleSource = CandleSource.VENUE,
    now: datetime = NOW,
) -> Stored:
    return actions.store_candles(instrument=pair, timeframe=timeframe, candles=candles, source=source, now=now)


def _series(pair: Instrument, timeframe: Timeframe = Timeframe.H1) -> CandleSeries:
    return CandleSeries.objects.select_related("instrument").get(instrument=pair, timeframe=timeframe)


def _read(pair: Instrument, timeframe: Timeframe = Timeframe.H1) -> Candles:
    return read_series(series=_series(pair, timeframe))


def _facts(pair: Instrument) -> tuple[int, int | None, int | None]:
    series = _series(pair)
    return series.count, series.first_ts, series.last_ts


def test_what_is_stored_is_read_back_over_block_bounds(pair: Instrument) -> None:
    candles = make_candles(2 * SLOT_CANDLES + 100)
    assert _store(pair, candles).new == len(candles)
    assert _read(pair).equals(candles)
    assert CandleBlock.objects.count() in {3, 4}
    assert _facts(pair) == (len(candles), candles.first_ts, candles.last_ts)


def test_a_repeat_changes_nothing(pair: Instrument) -> None:
    candles = make_candles(300)
    _store(pair, candles)
    before = (_series(pair).version, list(CandleBlock.objects.values("checksum", "stored_at")))
    assert _store(pair, candles) == Stored(same=300)
    assert (_series(pair).version, list(CandleBlock.objects.values("checksum", "stored_at"))) == before


def test_late_candles_find_their_block(pair: Instrument) -> None:
    candles = make_candles(300)
    order = np.arange(300)
    _store(pair, candles.pick(order[100:]))
    _store(pair, candles.pick(order[:50]))
    assert [
        gap.count(Timeframe.H1) for gap in holes(series=_series(pair), from_ms=NEW_YEAR, to_ms=candles.last_ts)
    ] == [50]
    assert _store(pair, candles.pick(order[40:110])).new == 50
    assert _read(pair).equals(candles)
    assert _facts(pair)[0] == 300
    assert _series(pair).revised_count == 0


def test_a_corrected_candle_rewrites_its_block_and_says_so(pair: Instrument) -> None:
    candles = make_candles(300)
    _store(pair, candles)
    other = make_candles(300, seed=2).pick(slice(10, 13))
    assert _store(pair, other) == Stored(revised=3)
    block, series = CandleBlock.objects.get(), _series(pair)
    assert (block.revised_count, block.revised_at) == (3, NOW)
    assert (series.revised_count, series.revised_at, series.count) == (3, NOW, 300)
    assert _read(pair).pick(slice(10, 13)).equals(other)
    assert _read(pair).pick(slice(13, None)).equals(candles.pick(slice(13, None)))


def test_the_newest_are_rows_until_they_are_packed(pair: Instrument) -> None:
    candles = make_candles(300)
    _store(pair, candles.earliest(200))
    for place in range(200, 300):
        _store(pair, candles.pick(slice(place, place + 1)))
    assert (CandleTail.objects.count(), CandleBlock.objects.get().count) == (100, 200)
    assert _read(pair).equals(candles)
    assert actions.pack_tails(now=NOW) == 100
    assert (CandleTail.objects.count(), CandleBlock.objects.get().count) == (0, 300)
    assert _read(pair).equals(candles)
    assert _facts(pair) == (300, candles.first_ts, candles.last_ts)
    assert actions.pack_tails(now=NOW) == 0


def test_a_page_takes_the_rows_of_its_time_in(pair: Instrument) -> None:
    candles = make_candles(TAIL_ROWS + 50)
    _store(pair, candles.earliest(20))
    assert CandleTail.objects.count() == 20
    assert _store(pair, candles).new == len(candles) - 20
    assert CandleTail.objects.count() == 0
    assert _read(pair).equals(candles)


def test_what_was_built_is_never_packed_as_the_venues_own(pair: Instrument) -> None:
    minutes = make_candles(300, timeframe=Timeframe.M1)
    _store(pair, minutes.earliest(150), timeframe=Timeframe.M1, source=CandleSource.BUILT)
    _store(pair, minutes.pick(slice(150, 210)), timeframe=Timeframe.M1)
    _store(pair, minutes.pick(slice(210, 260)), timeframe=Timeframe.M1)
    assert actions.pack_tails(now=NOW + timedelta(days=30)) == 110
    series = _series(pair, Timeframe.M1)
    assert set(series.tail.values_list("source", flat=True)) == {CandleSource.BUILT}
    assert series.tail.count() == 150
    assert _read(pair, Timeframe.M1).equals(minutes.earliest(260))


def test_what_was_built_and_never_confirmed_is_let_go_of_in_the_end(pair: Instrument) -> None:
    minutes = make_candles(300, timeframe=Timeframe.M1)
    _store(pair, minutes.earliest(150), timeframe=Timeframe.M1, source=CandleSource.BUILT)
    _store(pair, minutes.pick(slice(150, 300)), timeframe=Timeframe.M1)
    end = datetime.fromtimestamp(minutes.ts[100] / 1000, UTC) + BUILT_KEPT
    assert actions.forget_built(now=end) == 100
    assert actions.forget_built(now=end) == 0
    series, left = _series(pair, Timeframe.M1), minutes.pick(slice(100, 300))
    assert _read(pair, Timeframe.M1).equals(left)
    assert (series.count, series.first_ts, series.last_ts) == (200, left.first_ts, left.last_ts)


def test_a_series_of_which_nothing_is_left_is_empty(pair: Instrument) -> None:
    _store(pair, make_candles(3, timeframe=Timeframe.M1), timeframe=Timeframe.M1, source=CandleSource.BUILT)
    assert actions.forget_built(now=NOW + timedelta(days=365)) == 3
    series = _series(pair, Timeframe.M1)
    assert (series.count, series.first_ts, series.last_ts) == (0, None, None)


def test_what_was_built_gives_way_to_the_venue(pair: Instrument) -> None:
    longer, built = make_candles(100), make_candles(10, seed=3)
    truth = longer.earliest(10)
    assert _store(pair, built, source=CandleSource.BUILT).new == 10
    done = _store(pair, truth.earliest(6))
    assert (done.confirmed, done.revised, done.new) == (6, 0, 0)
    assert _store(pair, built, source=CandleSource.BUILT) == Stored(same=10)
    assert _read(pair).earliest(6).equals(truth.earliest(6))
    assert _read(pair).latest(4).equals(built.latest(4))
    _store(pair, longer)
    assert _read(pair).equals(longer)
    assert (_series(pair).revised_count, _series(pair).count) == (0, 100)


def test_minutes_of_many_instruments_are_stored_at_once(pair: Instrument, published: CapturedEvents) -> None:
    other, now_ms = make_instrument("binance:ETH/USDT"), int(NOW.timestamp() * 1000)
    ts = now_ms - MINUTE
    row = (ts, 10.0, 11.0, 9.0, 10.5, 3.0)
    minutes = [(str(pair), row), (str(other), row), ("binance:NO/PE", row), (str(pair), (ts, 1.0, 0.5, 1.0, 1.0, 1.0))]
    with run_on_commit():
        assert actions.store_minutes(minutes=minutes, now=NOW) == 2
    assert _read(pair, Timeframe.M1).rows() == [row]
    assert [event.instrument for event in published.of(CandleClosed)] in (
        [str(pair), str(other)],
        [str(other), str(pair)],
    )
    assert actions.store_minutes(minutes=minutes, now=NOW) == 0
    assert _series(pair, Timeframe.M1).count == 1


def test_a_built_minute_never_stands_beside_the_venues(pair: Instrument) -> None:
    truth = make_candles(100, timeframe=Timeframe.M1)
    _store(pair, truth, timeframe=Timeframe.M1)
    inside = (truth.ts[50].item(), 1.0, 2.0, 1.0, 1.5, 1.0)
    assert actions.store_minutes(minutes=[(str(pair), inside)], now=NOW) == 0
    assert _read(pair, Timeframe.M1).equals(truth)


def test_a_closed_candle_is_told_and_old_history_is_not(pair: Instrument, published: CapturedEvents) -> None:
    candles = make_candles(100)
    just_after = datetime.fromtimestamp((candles.last_ts + HOUR) / 1000 + 5, UTC)
    with run_on_commit():
        _store(pair, candles.earliest(90))
        assert published.of(CandleClosed) == []
        _store(pair, candles.latest(10), now=just_after)
    assert published.of(CandleClosed) == [
        CandleClosed(instrument="binance:BTC/USDT", timeframe="1h", ts=candles.last_ts)
    ]


def test_a_damaged_block_is_a_hole_and_heals(pair: Instrument) -> None:
    candles = make_candles(300)
    _store(pair, candles)
    block = CandleBlock.objects.get()
    CandleBlock.objects.update(data=bytes(block.data)[:-1] + b"?")
    assert len(_read(pair)) == 0
    _store(pair, candles)
    assert _read(pair).equals(candles)


@pytest.mark.django_db(transaction=True)
def test_two_writers_of_one_series_lose_nothing() -> None:
    pair, candles = make_instrument(), make_candles(2_000)
    parts = [candles.pick(np.arange(start, 2_000, 8)) for start in range(8)]
    failures: list[BaseException] = []

    def write(part: Candles) -> None:
        try:
            for cut in range(0, len(part), 50):
                _store(pair, part.pick(slice(cut, cut + 70)))
        except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert _read(pair).equals(candles)
    assert _facts(pair)[0] == 2_000


# --- Reading ----------------------------------------------------------------------------------------------------------
def _say_open(candle: OpenCandle) -> None:
    """Write an unfinished minute as the feed does."""
    redis_client().hset(open_key(queries.current_world()), "binance:BTC/USDT", open_for_cache(candle))


def _page(pair: Instrument, timeframe: Timeframe, now_ms: int, **span: int) -> queries.CandlePage:
    return queries.candles(instrument=pair, timeframe=timeframe, now_ms=now_ms, **span)


def test_longer_candles_are_made_where_their_parts_are_complete(pair: Instrument) -> None:
    hours = make_candles(72)
    holed = hours.pick(np.delete(np.arange(72), 30))
    _store(pair, holed)
    end = NEW_YEAR + 80 * HOUR
    days = aggregate(hours, Timeframe.D1)
    page = _page(pair, Timeframe.D1, end)
    assert page.candles.equals(days.pick(np.array([0, 2]))), "the day that lacks an hour is not made up"
    _store(pair, days.pick(slice(1, 2)), timeframe=Timeframe.D1)
    page = _page(pair, Timeframe.D1, end)
    assert page.candles.equals(days)
    assert page.sources == ("1d", "1h")


def test_the_venues_own_candle_counts_before_one_put_together(pair: Instrument) -> None:
    _store(pair, make_candles(24))
    own = make_candles(1, timeframe=Timeframe.D1, seed=9)
    _store(pair, own, timeframe=Timeframe.D1)
    assert _page(pair, Timeframe.D1, NEW_YEAR + 30 * HOUR).candles.equals(own)


def test_the_open_candle_is_made_of_what_is_known_of_its_time(pair: Instrument) -> None:
    minutes = make_candles(150, timeframe=Timeframe.M1)
    _store(pair, minutes, timeframe=Timeframe.M1)
    now_ms = NEW_YEAR + 150 * MINUTE + 1
    page = _page(pair, Timeframe.H1, now_ms)
    assert page.candles.equals(aggregate(minutes.earliest(120), Timeframe.H1))
    assert page.open_candle == aggregate(minutes.latest(30), Timeframe.H1).rows()[0]


def test_an_open_candle_whose_beginning_nobody_saw_is_not_made_up(pair: Instrument) -> None:
    minutes = make_candles(150, timeframe=Timeframe.M1)
    _store(pair, minutes.pick(slice(130, 150)), timeframe=Timeframe.M1)
    assert _page(pair, Timeframe.H1, NEW_YEAR + 150 * MINUTE + 1).open_candle is None


@pytest.mark.parametrize("hole", [range(120, 122), range(130, 135)], ids=["at its beginning", "in its midst"])
def test_an_open_candle_of_which_a_part_is_missing_is_none(pair: Instrument, hole: range) -> None:
    """Unless the part is known to be empty: the feed heard it out, or the venue had nothing for it either."""
    minutes = make_candles(151, timeframe=Timeframe.M1)
    known = minutes.pick(np.setdiff1d(np.arange(150), hole))
    _store(pair, known, timeframe=Timeframe.M1)
    now_ms = NEW_YEAR + 150 * MINUTE + 1
    whole = aggregate(known.between(NEW_YEAR + 120 * MINUTE, None), Timeframe.H1).rows()[0]
    assert _page(pair, Timeframe.H1, now_ms).open_candle is None
    _say_open(OpenCandle(*minutes.rows()[150], heard_since=NEW_YEAR + (hole.start + 1) * MINUTE))
    assert _page(pair, Timeframe.H1, now_ms).open_candle is None
    _say_open(OpenCandle(*minutes.rows()[150], heard_since=NEW_YEAR + hole.start * MINUTE))
    heard = _page(pair, Timeframe.H1, now_ms).open_candle
    assert heard == aggregate(merge(base=known, over=minutes.latest(1)), Timeframe.H1).rows()[-1]
    redis_client().flushdb()
    gap = CandleGap(series=_series(pair, Timeframe.M1), checked_at=NOW, next_try_at=NOW)
    gap.from_ms, gap.to_ms = NEW_YEAR + hole.start * MINUTE, NEW_YEAR + hole.stop * MINUTE
    gap.save()
    assert _page(pair, Timeframe.H1, now_ms).open_candle == whole


def test_an_hour_missing_from_a_day_is_made_of_its_minutes(pair: Instrument) -> None:
    minutes = make_candles(300, timeframe=Timeframe.M1)
    hours = aggregate(minutes, Timeframe.H1)
    _store(pair, hours.pick(np.array([0, 1, 3])))
    _store(pair, minutes.pick(slice(120, 180)), timeframe=Timeframe.M1)
    page = _page(pair, Timeframe.D1, NEW_YEAR + 240 * MINUTE + 1)
    assert page.open_candle == aggregate(minutes.earliest(240), Timeframe.D1).rows()[0]


def test_a_minute_on_its_way_to_the_table_hides_no_open_candle(pair: Instrument) -> None:
    minutes = make_candles(151, timeframe=Timeframe.M1)
    _store(pair, minutes.earliest(149), timeframe=Timeframe.M1)
    _say_open(OpenCandle(*minutes.rows()[150], heard_since=NEW_YEAR + 150 * MINUTE))
    candle = _page(pair, Timeframe.H1, NEW_YEAR + 150 * MINUTE + 1).open_candle
    assert candle is not None
    assert candle[4] == minutes.close[150]


def test_an_open_minute_heard_from_its_middle_is_none(pair: Instrument) -> None:
    minute = make_candles(1, timeframe=Timeframe.M1).rows()[0]
    _say_open(OpenCandle(*minute, heard_since=NEW_YEAR + 1))
    assert _page(pair, Timeframe.M1, NEW_YEAR + 30_000).open_candle is None
    assert _page(pair, Timeframe.H1, NEW_YEAR + 30_000).open_candle is None
    _say_open(OpenCandle(*minute, heard_since=NEW_YEAR))
    assert _page(pair, Timeframe.M1, NEW_YEAR + 30_000).open_candle == minute


def test_packed_minutes_in_their_midst_hide_no_days(pair: Instrument) -> None:
    days = make_candles(700, timeframe=Timeframe.D1)
    _store(pair, days, timeframe=Timeframe.D1)
    _store(pair, make_candles(200, timeframe=Timeframe.M1, start=NEW_YEAR + 300 * 24 * HOUR), timeframe=Timeframe.M1)
    now_ms = int(NOW.timestamp() * 1000)
    assert _page(pair, Timeframe.D1, now_ms, limit=100).candles.equals(days.latest(100))
    assert _page(pair, Timeframe.D1, now_ms, limit=100, from_ms=NEW_YEAR).candles.equals(days.earliest(100))


def test_the_latest_are_found_behind_years_of_nothing(pair: Instrument) -> None:
    candles = make_candles(50)
    _store(pair, candles)
    page = _page(pair, Timeframe.H1, int(NOW.timestamp() * 1000), limit=20)
    assert page.candles.equals(candles.latest(20))
    assert page.previous_to == candles.ts[30]
    older = _page(pair, Timeframe.H1, int(NOW.timestamp() * 1000), limit=100, to_ms=int(candles.ts[30]))
    assert older.candles.equals(candles.earliest(30))
    assert older.previous_to is None


def test_pages_follow_each_other_without_loss(pair: Instrument) -> None:
    candles = make_candles(500).pick(np.delete(np.arange(500), range(100, 250)))
    _store(pair, candles)
    found, start = [], NEW_YEAR
    while True:
        page = _page(pair, Timeframe.H1, int(NOW.timestamp() * 1000), from_ms=start, limit=60)
        found += page.candles.rows()
        if page.next_from is None:
            break
        start = page.next_from
    assert from_rows(found).equals(candles)


def test_quality_says_what_is_missing(pair: Instrument) -> None:
    candles = make_candles(100)
    _store(pair, candles.pick(np.delete(np.arange(100), range(40, 50))))
    quality = queries.data_quality(instrument=pair)[0]
    assert (quality.timeframe, quality.count, quality.missing, quality.completeness) == (Timeframe.H1, 90, 10, 0.9)


# --- Quarantine -------------------------------------------------------------------------------------------------------
def _take_in_with_spike(pair: Instrument) -> tuple[Candles, QuarantinedCandle]:
    clean = make_candles(100)
    table = make_table(clean)
    table[40, 2] *= 10
    table[40, 4] *= 10
    actions.take_in(instrument=pair, timeframe=Timeframe.H1, table=table, source=CandleSource.VENUE, now=NOW)
    return clean, QuarantinedCandle.objects.get()


def test_a_refused_candle_waits_and_is_asked_about_once(pair: Instrument) -> None:
    clean, row = _take_in_with_spike(pair)
    assert (row.code, row.state, row.ts, row.seen_count) == ("spike", "open", clean.ts[40], 1)
    assert len(_read(pair)) == 99
    _take_in_with_spike(pair)
    assert QuarantinedCandle.objects.get().seen_count == 2


def test_a_sound_candle_takes_its_place(pair: Instrument) -> None:
    clean, row = _take_in_with_spike(pair)
    _store(pair, clean.pick(slice(40, 41)))
    row.refresh_from_db()
    assert (row.state, row.settled_at) == (QuarantineState.REPLACED, NOW)
    assert _read(pair).equals(clean)


def test_a_released_candle_is_stored_as_it_came(pair: Instrument) -> None:
    clean, row = _take_in_with_spike(pair)
    owner = make_owner()
    actions.release_candle(candle_id=row.pk, actor=owner, now=NOW)
    row.refresh_from_db()
    assert (row.state, row.settled_by) == (QuarantineState.RELEASED, owner)
    assert _read(pair).close[40] == clean.close[40] * 10
    _take_in_with_spike(pair)
    assert QuarantinedCandle.objects.get().state == QuarantineState.RELEASED
    with pytest.raises(actions.AlreadySettledError):
        actions.discard_candle(candle_id=row.pk, actor=owner, now=NOW)


def test_an_impossible_candle_cannot_be_released(pair: Instrument) -> None:
    table = make_table(make_candles(10))
    table[4, 4] = float("nan")
    actions.take_in(instrument=pair, timeframe=Timeframe.H1, table=table, source=CandleSource.VENUE, now=NOW)
    row = QuarantinedCandle.objects.get()
    with pytest.raises(actions.NotStorableError):
        actions.release_candle(candle_id=row.pk, actor=make_owner(), now=NOW)
    actions.discard_candle(candle_id=row.pk, actor=make_owner(email="b@example.com"), now=NOW)
    with pytest.raises(NotFoundError):
        actions.discard_candle(candle_id=uuid7(), actor=make_owner(email="c@example.com"), now=NOW)


def test_it_can_be_settled_in_the_admin(pair: Instrument, client: Client) -> None:
    _clean, row = _take_in_with_spike(pair)
    client.force_login(make_owner())
    address = reverse("admin:markets_quarantinedcandle_changelist")
    chosen = {"action": "release", "_selected_action": [str(row.pk)]}
    assert client.post(address, chosen, follow=True).status_code == 200
    row.refresh_from_db()
    assert row.state == QuarantineState.RELEASED
    again = client.post(address, chosen | {"action": "discard"}, follow=True)
    assert "was decided on already" in again.content.decode()


# --- Summaries --------------------------------------------------------------------------------------------------------
def test_summaries_hold_seven_days_and_the_prices_of_then(pair: Instrument) -> None:
    other = make_instrument("binance:ETH/USDT")
    candles = make_candles(300)
    now = datetime.fromtimestamp((candles.last_ts + HOUR) / 1000, UTC) + timedelta(minutes=20)
    _store(pair, candles)
    _store(other, candles.latest(10))
    assert actions.make_summaries(now=now) == 2
    found = queries.summaries(instruments=[pair.pk, other.pk])
    mine, short = found[pair.pk], found[other.pk]
    assert mine.closes == tuple(candles.close[-169:].tolist())
    assert mine.price_7d_ago == candles.close[-169]
    assert mine.price_24h_ago == candles.close[-25]
    assert mine.price_1h_ago == candles.close[-2]
    assert (short.price_24h_ago, len(short.closes)) == (None, 10)
