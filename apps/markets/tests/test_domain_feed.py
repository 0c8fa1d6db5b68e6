"""The pure parts of the feed: which ticks are believed, how minutes are built, which venue a price comes from."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.markets.domain.builder import MINUTE_MS, MinuteBuilder
from apps.markets.domain.preference import SILENT_AFTER, TRUSTED_AFTER, Hearing, source_for
from apps.markets.domain.prices import OpenCandle, plain, price_problem
from apps.markets.domain.tape import FUTURE_MS, PAST_MS, Line, Tape, VenueClock
from apps.markets.tests.factories_feed import make_tape

NOW = 1_700_000_040_000
HOUR = 3_600_000


def taken(*ticks: tuple[str | float, int]) -> Tape:
    tape = make_tape(at=NOW)
    for price, ts in ticks:
        tape.take(price, ts, {})
    return tape


# --- Which ticks are believed -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("price", "ts", "reason"),
    [
        ("nan", NOW, "not_a_number"),
        ("inf", NOW, "not_a_number"),
        ("-inf", NOW, "not_a_number"),
        ("x", NOW, "not_a_number"),
        (None, NOW, "not_a_number"),
        ("0", NOW, "not_positive"),
        ("-5", NOW, "not_positive"),
        ("100", NOW + FUTURE_MS, "future"),
        ("100", NOW - PAST_MS, "past"),
        ("100", NOW - 10_000, "older"),
        ("1000", NOW, "spike"),
        ("10", NOW, "spike"),
    ],
)
def test_nonsense_is_refused_and_counted(price: str, ts: int, reason: str) -> None:
    tape = taken(("100", NOW - 1_000))
    tape.settle()
    tape.take(price, ts, {})
    assert tape.line.refused == {reason: 1}
    assert tape.value == 100
    assert tape.builder.candle()[1:5] == (100, 100, 100, 100)


def test_a_jump_that_goes_on_is_believed_and_then_is_the_measure() -> None:
    tape = taken(("100", NOW))
    tape.settle()
    for second in range(1, 4):
        tape.take("2000", NOW + second * 600, {})
    assert tape.value == 2000
    assert tape.line.refused == {"spike": 2}
    tape.settle()
    tape.take("100", NOW + 3_000, {})
    assert tape.value == 2000


def test_single_jumps_here_and_there_are_never_believed() -> None:
    tape = taken(("100", NOW))
    for step in range(1, 30):
        tape.settle()
        tape.take("5000" if step % 3 else "100", NOW + step * 500, {})
    assert tape.value == 100


def test_a_known_price_is_the_measure_for_the_first_tick() -> None:
    tape = make_tape(at=NOW)
    tape.expect(100.0)
    tape.take("5000", NOW, {})
    assert tape.value == 0
    tape.take("99", NOW, {})
    assert tape.value == 99


@given(st.lists(st.one_of(st.floats(), st.text(max_size=5), st.none()), max_size=50))
def test_whatever_comes_only_finite_prices_above_zero_are_taken(values: list[float | str | None]) -> None:
    tape = make_tape(at=NOW)
    for value in values:
        tape.take(value, NOW, {})  # type: ignore[arg-type]
    assert tape.text == "" or (math.isfinite(tape.value) and tape.value > 0)
    assert sum(tape.line.refused.values()) <= len(values)


def test_the_newest_tick_is_told_once() -> None:
    tape = taken(("100", NOW), ("101", NOW), ("102", NOW))
    assert tape.line.changed == [tape]
    tape.line.changed.clear()
    tape.settle()
    tape.take("103", NOW, {})
    assert tape.line.changed == [tape]


def test_problems_have_names() -> None:
    assert [price_problem(one) for one in (math.nan, math.inf, 0, -1, 1)] == [
        "not_a_number",
        "not_a_number",
        "not_positive",
        "not_positive",
        "",
    ]
    assert price_problem(11, last=1) == "spike"


# --- Clocks -----------------------------------------------------------------------------------------------------------
def test_a_venue_whose_clock_goes_back_is_followed_without_a_second_candle_for_a_minute() -> None:
    tape = taken(("100", NOW), ("101", NOW + MINUTE_MS - 40_001))
    back = NOW - 600_000
    for step in range(4):
        tape.take("102", back + step * 1_000, {})
    assert tape.value == 102
    assert tape.line.refused == {"older": 2}
    for step in range(0, 900_000, 10_000):
        tape.line.clock(true_now=back + step, skew=0)
        tape.take("103", back + 5_000 + step, {})
    starts = [candle.ts for _tape, candle in tape.line.ended]
    assert starts == sorted(set(starts))
    assert all(ts % MINUTE_MS == 0 for ts in starts)


def test_our_own_clock_jumps_and_ticks_go_on() -> None:
    clock, line = VenueClock(), Line("binance")
    tape = make_tape(line=line, at=NOW)
    tape.take("100", NOW, {})
    for jump in (-600_000, 1_200_000):
        clock.jumped(jump)
        ours = NOW + clock.drift
        line.clock(true_now=clock.true_now(ours), skew=clock.skew)
        tape.take("101", NOW + 1_000, {})
        assert line.refused == {}
        assert clock.ours(tape.ts) == ours + 1_000


def test_a_venue_from_the_future_is_read_by_its_own_clock_after_a_while_and_back_again() -> None:
    clock, line = VenueClock(), Line("binance")
    tape = make_tape(line=line, at=NOW)
    for step in range(10):
        tape.take("100", NOW + step * 500 + HOUR, {})
        if line.newest_future:
            clock.saw_future(line.newest_future, now_ms=NOW + step * 500, at=step * 0.5)
            line.newest_future = 0
        line.clock(true_now=clock.true_now(NOW + step * 500), skew=clock.skew)
    assert clock.skew == HOUR
    assert tape.value == 100
    assert NOW <= tape.ts <= NOW + 10_000
    for step in range(10, 14):
        tape.take("101", NOW + step * 500, {})
    clock.saw(tape.ts, now_ms=NOW + 7_000)
    assert clock.skew == 0


def test_a_single_tick_from_the_future_moves_no_clock() -> None:
    clock = VenueClock()
    clock.saw_future(NOW + HOUR, now_ms=NOW, at=0)
    clock.saw_future(NOW + 9 * HOUR, now_ms=NOW, at=30)
    clock.saw_future(NOW + HOUR, now_ms=NOW, at=600)
    assert clock.skew == 0


# --- Minutes ----------------------------------------------------------------------------------------------------------
def test_a_minute_is_built_and_closed_by_the_next_tick() -> None:
    builder = MinuteBuilder()
    start = NOW - NOW % MINUTE_MS
    for offset, price in ((0, 10), (10_000, 12), (20_000, 9), (59_999, 11)):
        assert builder.add(price, start + offset) is None
    assert builder.add(20, start + MINUTE_MS) == OpenCandle(start, 10, 12, 9, 11, 0, heard_since=0)
    assert builder.candle().row == (start + MINUTE_MS, 20, 20, 20, 20, 0)


def test_a_minute_of_which_a_part_was_not_heard_is_none() -> None:
    builder, start = MinuteBuilder(heard_since=math.inf), NOW - NOW % MINUTE_MS
    builder.add(10, start)
    assert builder.candle().heard_since is None
    builder.listen(start + 20_000)  # connected in its midst
    assert builder.add(11, start + MINUTE_MS) is None
    assert builder.add(12, start + 2 * MINUTE_MS) == OpenCandle(
        start + MINUTE_MS, 11, 11, 11, 11, 0, heard_since=start + 20_000
    )
    builder.listen(math.inf)  # lost in its midst
    assert builder.finish_if_over(at=start + 4 * MINUTE_MS) is None


def test_a_minute_is_closed_by_time_with_grace_and_only_once() -> None:
    builder = MinuteBuilder()
    start = NOW - NOW % MINUTE_MS
    builder.add(10, start)
    assert builder.finish_if_over(at=start + MINUTE_MS) is None
    closed = builder.finish_if_over(at=start + MINUTE_MS + 2_000)
    assert closed == OpenCandle(start, 10, 10, 10, 10, 0, heard_since=0)
    assert builder.finish_if_over(at=start + 2 * MINUTE_MS) is None
    assert builder.add(11, start + 59_000) is None
    assert not builder.is_open


def test_what_a_day_traded_grows_by_what_a_minute_traded() -> None:
    builder = MinuteBuilder()
    for volume in (1000.0, 1002.0, 1001.0, 1004.5):
        builder.add(10, NOW)
        builder.add_day_volume(volume)
    assert builder.candle().volume == pytest.approx(5.5)


def test_volume_carries_no_dust_of_floats() -> None:
    builder = MinuteBuilder()
    for volume in (50_000.1, 50_000.4, 50_145.42234):
        builder.add(10, NOW)
        builder.add_day_volume(volume)
    assert builder.candle().volume == 145.32234


ticks = st.lists(st.tuples(st.floats(0.01, 1e6), st.integers(-900_000, 900_000)), max_size=80)


@given(ticks)
def test_minutes_are_aligned_unique_and_possible_whatever_clocks_do(moves: list[tuple[float, int]]) -> None:
    builder, ts, closed = MinuteBuilder(), NOW, []
    for price, step in moves:
        ts += step
        if builder.is_open and ts < builder.start:
            builder.turn_back()
        candle = builder.add(price, ts)
        if candle is not None:
            closed.append(candle)
    assert len({candle.ts for candle in closed}) == len(closed)
    for candle in closed:
        assert candle.ts % MINUTE_MS == 0
        assert 0 < candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high


# --- Which venue ------------------------------------------------------------------------------------------------------
@dataclass
class View:
    value: float = 100.0
    is_usable: bool = True


def test_a_silent_venue_is_distrusted_and_trusted_again_when_it_is_steady() -> None:
    hearing = Hearing()
    hearing.begin(0)
    hearing.heard(1)
    assert not hearing.judge(1 + SILENT_AFTER)
    assert hearing.judge(1.1 + SILENT_AFTER)
    assert not hearing.is_trusted
    hearing.heard(20)
    assert not hearing.judge(20)
    hearing.heard(22)
    assert not hearing.judge(22)
    hearing.heard(20 + TRUSTED_AFTER)
    assert hearing.judge(20 + TRUSTED_AFTER)
    assert hearing.is_trusted


def test_the_own_venue_first_then_the_first_that_can_stand_in() -> None:
    own, silent, far, empty, good = View(), View(is_usable=False), View(1000), View(0), View(101)
    assert source_for(own, [good]) is own
    own.is_usable = False
    assert source_for(own, [own, silent, far, empty, good]) is good
    assert source_for(own, [own, silent, far, empty]) is own
    own.value = 0
    assert source_for(own, [far]) is far


# --- Numbers ----------------------------------------------------------------------------------------------------------
@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**12), max_value=10**12))
def test_a_number_written_plainly_is_the_same_number(number: object) -> None:
    written = plain(str(number))
    assert written is not None
    assert float(written) == float(str(number))
    assert "e" not in written.lower()
    assert not ("." in written and written.endswith("0"))
