"""Candles in columns: cutting, joining, finding gaps, and putting minutes together to days."""

from decimal import Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.markets.domain.candles import Gap, aggregate, aggregated, concat, empty, gaps, merge
from apps.markets.domain.timeframes import Timeframe
from apps.markets.tests.factories_candles import NEW_YEAR, make_candles

DAY = Timeframe.D1.milliseconds


@given(count=st.integers(1, 400), offset=st.integers(0, 50), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_longer_candles_say_what_their_parts_say(count: int, offset: int, seed: int) -> None:
    parts = make_candles(count, start=NEW_YEAR + offset * 3_600_000, seed=seed)
    days, counts = aggregated(parts, Timeframe.D1)
    assert int(counts.sum()) == count
    for row in range(len(days)):
        inside = parts.between(int(days.ts[row]), int(days.ts[row]) + DAY)
        assert days.open[row] == inside.open[0]
        assert days.close[row] == inside.close[-1]
        assert days.high[row] == inside.high.max()
        assert days.low[row] == inside.low.min()
        exact = sum(Decimal(repr(volume)) for volume in inside.volume.tolist())
        assert Decimal(repr(days.volume[row].item())) == exact, "volumes are added as decimals"


@given(count=st.integers(1, 300), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_it_does_not_matter_by_which_steps_one_gets_there(count: int, seed: int) -> None:
    minutes = make_candles(count, timeframe=Timeframe.M1, seed=seed)
    through = aggregate(aggregate(minutes, Timeframe.M5), Timeframe.H1)
    assert through.equals(aggregate(minutes, Timeframe.H1))


def test_cutting_is_half_open() -> None:
    candles = make_candles(10)
    cut = candles.between(int(candles.ts[2]), int(candles.ts[5]))
    assert cut.ts.tolist() == candles.ts[2:5].tolist()
    assert len(candles.between(candles.last_ts + 1, None)) == 0
    assert len(candles.between(5, 3)) == 0


@given(picked=st.sets(st.integers(0, 29)), seed=st.integers(0, 50))
@settings(deadline=None, max_examples=40)
def test_merging_keeps_all_and_prefers_the_upper(picked: set[int], seed: int) -> None:
    base, other = make_candles(20, seed=seed), make_candles(30, seed=seed + 1)
    over = other.pick(np.array(sorted(picked), dtype=np.int64))
    both = merge(base=base, over=over)
    assert both.ts.tolist() == sorted({*base.ts.tolist(), *over.ts.tolist()})
    for place, ts in enumerate(both.ts.tolist()):
        wanted = over if ts in over.ts else base
        assert both.close[place] == wanted.close[np.searchsorted(wanted.ts, ts)]


def test_gaps_are_what_is_missing_between_the_edges() -> None:
    candles = make_candles(10)
    hour = 3_600_000
    left = candles.pick(np.array([0, 1, 4, 5, 9]))
    end = candles.last_ts + 3 * hour
    assert gaps(left.ts, Timeframe.H1, NEW_YEAR - hour, end) == [
        Gap(NEW_YEAR - hour, NEW_YEAR),
        Gap(NEW_YEAR + 2 * hour, NEW_YEAR + 4 * hour),
        Gap(NEW_YEAR + 6 * hour, NEW_YEAR + 9 * hour),
        Gap(NEW_YEAR + 10 * hour, end),
    ]
    assert gaps(candles.ts, Timeframe.H1, NEW_YEAR, candles.last_ts + hour) == []
    assert gaps(empty().ts, Timeframe.H1, NEW_YEAR, NEW_YEAR + hour) == [Gap(NEW_YEAR, NEW_YEAR + hour)]


def test_joining_nothing_is_nothing() -> None:
    assert len(concat([empty(), empty()])) == 0
    assert len(aggregate(empty(), Timeframe.D1)) == 0


def test_the_grid() -> None:
    assert Timeframe.H4.floor(NEW_YEAR + 5 * 3_600_000) == NEW_YEAR + 4 * 3_600_000
    assert Timeframe.H4.ceil(NEW_YEAR + 1) == NEW_YEAR + 4 * 3_600_000
    assert Timeframe.H4.ceil(NEW_YEAR) == NEW_YEAR
    assert Timeframe.H1.finer == (Timeframe.M15, Timeframe.M5, Timeframe.M1)
