"""Each kind of fault is found and named, and nothing sound is refused."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.markets.domain.candles import Candles, Floats, aggregate, empty
from apps.markets.domain.gate import FaultCode, Passed, Surroundings, inspect, storable
from apps.markets.domain.timeframes import Timeframe
from apps.markets.tests.factories_candles import NEW_YEAR, make_candles, make_table

HOUR = 3_600_000
LATER = NEW_YEAR + 10_000 * HOUR


def _inspect(table: Floats, **more: object) -> Passed:
    values: dict[str, object] = {"timeframe": Timeframe.H1, "now_ms": LATER, **more}
    return inspect(table=table, **values)  # type: ignore[arg-type]


def _set(column: int, value: float) -> Callable[[Floats], None]:
    def plant(table: Floats) -> None:
        table[50, column] = value

    return plant


def _times(column: int, factor: float) -> Callable[[Floats], None]:
    def plant(table: Floats) -> None:
        table[50, column] *= factor

    return plant


def _swap_high_and_low(table: Floats) -> None:
    table[50, 2], table[50, 3] = table[50, 3] - 1, table[50, 2] + 1


def _spike(table: Floats) -> None:
    table[50, 2] *= 10
    table[50, 4] *= 10


def _spike_down(table: Floats) -> None:
    table[50, 3] /= 10
    table[50, 4] /= 10


def _long_spike(table: Floats) -> None:
    table[50:52, 1:5] *= 10


def _from_the_future(table: Floats) -> None:
    table[50, 0] = LATER + HOUR


REFUSED = [
    (_set(4, float("nan")), FaultCode.NOT_A_NUMBER, 1),
    (_set(0, float("nan")), FaultCode.NOT_A_NUMBER, 1),
    (_set(2, float("inf")), FaultCode.NOT_A_NUMBER, 1),
    (_set(3, 0.0), FaultCode.ZERO_PRICE, 1),
    (_set(1, -100.0), FaultCode.NEGATIVE_PRICE, 1),
    (_set(5, -1.0), FaultCode.NEGATIVE_VOLUME, 1),
    (_swap_high_and_low, FaultCode.HIGH_BELOW_LOW, 1),
    (_times(4, 1.5), FaultCode.NOT_ENCLOSED, 1),
    (_times(1, 0.5), FaultCode.NOT_ENCLOSED, 1),
    (_set(0, NEW_YEAR + 50 * HOUR + 90_000), FaultCode.MISALIGNED, 1),
    (_set(0, 1e12), FaultCode.IMPOSSIBLE_TIME, 1),
    (_from_the_future, FaultCode.IN_FUTURE, 1),
    (_spike, FaultCode.SPIKE, 1),
    (_spike_down, FaultCode.SPIKE, 1),
    (_long_spike, FaultCode.SPIKE, 2),
    (_times(2, 10), FaultCode.SPIKE, 1),
]


@pytest.mark.parametrize(("plant", "code", "count"), REFUSED)
def test_a_planted_fault_is_refused_and_the_rest_is_not(
    plant: Callable[[Floats], None], code: FaultCode, count: int
) -> None:
    clean = make_candles(100)
    table = make_table(clean)
    plant(table)
    passed = _inspect(table)
    assert Counter(fault.code for fault in passed.faults) == {code: count}
    assert [fault.place for fault in passed.refused] == list(range(50, 50 + count))
    kept = np.delete(np.arange(100), range(50, 50 + count))
    assert passed.candles.equals(clean.pick(kept))


@given(seed=st.integers(0, 10_000), count=st.integers(1, 200))
@settings(deadline=None, max_examples=50)
def test_a_clean_walk_passes_whole(seed: int, count: int) -> None:
    clean = make_candles(count, seed=seed)
    passed = _inspect(make_table(clean))
    assert passed.faults == ()
    assert passed.candles.equals(clean)


@given(order=st.permutations(range(30)))
@settings(deadline=None, max_examples=50)
def test_any_order_is_put_right_and_told(order: list[int]) -> None:
    clean = make_candles(30)
    passed = _inspect(make_table(clean)[np.array(order)])
    assert passed.candles.equals(clean)
    assert {fault.code for fault in passed.faults} <= {FaultCode.OUT_OF_ORDER}
    assert bool(passed.faults) == (list(order) != sorted(order))


def test_of_two_swapped_rows_one_is_named() -> None:
    table = make_table(make_candles(30))
    table[[10, 11]] = table[[11, 10]]
    assert [(fault.code, fault.place) for fault in _inspect(table).faults] == [(FaultCode.OUT_OF_ORDER, 11)]


def test_a_repetition_is_dropped_and_a_contradiction_refused() -> None:
    clean = make_candles(30)
    table = make_table(clean)
    again, other = table[5].copy(), table[8].copy()
    other[5] += 1
    passed = _inspect(np.vstack([table, again, other]))
    assert Counter(fault.code for fault in passed.faults) == {FaultCode.DUPLICATE: 1, FaultCode.CONFLICT: 2}
    assert passed.candles.equals(clean.pick(np.delete(np.arange(30), 8)))


def test_of_two_rows_the_possible_one_is_kept() -> None:
    clean = make_candles(30)
    table = make_table(clean)
    wrong = table[8].copy()
    wrong[4] = wrong[2] * 1.1
    passed = _inspect(np.vstack([table, wrong]))
    assert [(fault.code, fault.place) for fault in passed.faults] == [(FaultCode.CONFLICT, 30)]
    assert passed.candles.equals(clean)


@pytest.mark.parametrize("factor", [1e-3, 1e3, 1e6])
def test_another_unit_of_time_is_put_right(factor: float) -> None:
    clean = make_candles(30)
    table = make_table(clean)
    table[7, 0] *= factor
    passed = _inspect(table)
    assert [(fault.code, fault.place) for fault in passed.faults] == [(FaultCode.WRONG_UNIT, 7)]
    assert passed.candles.equals(clean)


def test_a_whole_file_in_seconds_is_told_once() -> None:
    table = make_table(make_candles(500))
    table[:, 0] /= 1000
    passed = _inspect(table)
    assert [(fault.code, fault.count) for fault in passed.faults] == [(FaultCode.WRONG_UNIT, 500)]
    assert len(passed.candles) == 500


def test_the_open_candle_is_refused() -> None:
    clean = make_candles(30)
    passed = _inspect(make_table(clean), now_ms=clean.last_ts + HOUR - 1)
    assert [(fault.code, fault.ts) for fault in passed.faults] == [(FaultCode.UNFINISHED, clean.last_ts)]


def test_a_candle_frozen_before_its_end_is_known_by_the_finer_ones() -> None:
    minutes = make_candles(180, timeframe=Timeframe.M1)
    hours = aggregate(minutes, Timeframe.H1)
    early = aggregate(minutes.earliest(160), Timeframe.H1)
    known = Surroundings(around=empty(), finer=minutes, finer_timeframe=Timeframe.M1)
    passed = _inspect(make_table(early), known=known)
    assert [(fault.code, fault.place) for fault in passed.faults] == [(FaultCode.UNFINISHED, 2)]
    assert _inspect(make_table(hours), known=known).faults == ()


# --- What looks wild and is real --------------------------------------------------------------------------------------
def _shaped(rows: list[list[float]]) -> Floats:
    return np.array([[NEW_YEAR + place * HOUR, *row] for place, row in enumerate(rows)], dtype=np.float64)


REAL: dict[str, list[list[float]]] = {
    "a listing day from 0.3 to 15": [[0.3, 15, 0.28, 5, 9], [5, 6, 4, 4.5, 9], [4.5, 5, 4, 4.6, 9]],
    "five times in a day, and it stays": [[1, 1.1, 0.9, 1, 9], [1, 5.6, 1, 5.2, 9], [5.2, 6, 4, 5, 9], [5, 6, 4, 5, 9]],
    "ten times over a gap, and it stays": [[1, 1.1, 0.9, 1, 9], [1, 1.1, 0.9, 1, 9], *([[10.0, 11, 9, 10, 9]] * 3)],
    "a fall to a thousandth for an instant": [[3, 3.1, 2.9, 3, 9], [3, 3.1, 0.001, 2.8, 9], [2.8, 3, 2.7, 2.9, 9]],
    "a crash by half": [[8000, 8100, 7900, 8000, 9], [8000, 8000, 3782, 4800, 9], [4800, 6000, 4700, 5500, 9]],
    "no trade for hours": [[5, 5, 5, 5, 0], [5, 5, 5, 5, 0], [5, 5, 5, 5, 0]],
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_what_is_wild_but_real_passes(name: str) -> None:
    assert _inspect(_shaped(REAL[name])).faults == ()


def test_at_the_live_edge_a_leap_waits_for_confirmation() -> None:
    calm = [[1, 1.1, 0.9, 1, 9.0]] * 5
    leap, stays, falls_back = [1, 11, 1, 10, 9.0], [10, 11, 9, 10, 9.0], [1, 1.1, 0.9, 1, 9.0]
    waiting = _inspect(_shaped([*calm, leap]))
    assert [fault.code for fault in waiting.faults] == [FaultCode.UNCONFIRMED]
    assert len(waiting.candles) == 5
    assert _inspect(_shaped([*calm, leap, stays, stays])).faults == ()
    refused = _inspect(_shaped([*calm, leap, falls_back]))
    assert [(fault.code, fault.place) for fault in refused.faults] == [(FaultCode.SPIKE, 5)]


def test_stored_neighbors_count() -> None:
    clean = make_candles(21)
    lone = make_table(clean.pick(slice(10, 11)))
    lone[:, 2] *= 10
    lone[:, 4] *= 10
    around: Candles = clean.pick(np.delete(np.arange(21), 10))
    passed = _inspect(lone, known=Surroundings(around=around, finer=empty()))
    assert [fault.code for fault in passed.faults] == [FaultCode.SPIKE]


def test_an_empty_table_passes() -> None:
    assert len(_inspect(np.empty((0, 6))).candles) == 0


def test_only_what_is_possible_can_be_released() -> None:
    ts = float(NEW_YEAR)
    assert storable([ts, 1, 10, 1, 10, 5], Timeframe.H1, LATER)
    for row in ([ts, 1, 2, 1, float("nan"), 5], [ts, 1, 1, 2, 1, 5], [ts + 1, 1, 1, 1, 1, 5], [ts, 1, 1, 1, 1, -5]):
        assert not storable(row, Timeframe.H1, LATER)
