"""Splitting bars and minutes: whatever the whole is, its parts make it exactly."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from apps.simulator.domain import seeds
from apps.simulator.domain.series import Bar, Bars, shares, split, trades
from apps.simulator.domain.shapes import plain

price = st.integers(min_value=5, max_value=10**9)


@st.composite
def bars(draw: st.DrawFn, *, least_volume: int = 0) -> Bar:
    start, end, one, other = draw(price), draw(price), draw(price), draw(price)
    volume = draw(st.integers(min_value=least_volume, max_value=10**9))
    high, low = max(start, end, one, other), min(start, end, one, other)
    return Bar(start, high, low, end, volume, volume * ((start + end + high + low) // 4))


def _path(bar: Bar, size: int, seed: int) -> seeds.Floats:
    line = np.linspace(float(bar.open), float(bar.close), size + 1)
    return line + seeds.bridge(seeds.generator(seed, "test"), size, (bar.high - bar.low) * 0.7)


@given(bars(), st.sampled_from([4, 5, 60, 1440]), st.integers(0, 10**6))
def test_the_parts_of_a_bar_are_exactly_the_bar(bar: Bar, size: int, seed: int) -> None:
    parts = split(seeds.generator(seed, "split"), bar, _path(bar, size, seed), wander=bar.high / 1000)
    assert parts.whole() == bar
    assert len(parts) == size
    assert (parts.close[:-1] == parts.open[1:]).all()
    assert (parts.high >= np.maximum(parts.open, parts.close)).all()
    assert (parts.low <= np.minimum(parts.open, parts.close)).all()
    assert (parts.table >= 0).all()


@given(bars(least_volume=4), st.integers(1, 400), st.integers(0, 10**6))
def test_the_trades_of_a_minute_are_exactly_the_minute(bar: Bar, count: int, seed: int) -> None:
    made = trades(seeds.generator(seed, "trades"), bar, count)
    shown = (made.price[0], max(made.price), min(made.price), made.price[-1], sum(made.amount))
    assert shown == bar[:5]
    assert made.at[0] == 0
    assert made.at == sorted(made.at)
    assert made.at[-1] < 60_000
    assert min(made.amount) >= 1
    assert (made.highest[-1], made.lowest[-1], made.volume[-1]) == (bar.high, bar.low, bar.volume)


@given(st.integers(0, 10**15), st.lists(st.floats(0, 10**6), min_size=1, max_size=50), st.integers(0, 20))
def test_shares_add_up(total: int, weights: list[float], least: int) -> None:
    parts = shares(total, np.array(weights), least)
    assert int(parts.sum()) == total
    assert int(parts.min()) >= min(least, total // len(weights))


@given(st.lists(st.tuples(bars(), st.booleans()), min_size=6, max_size=6))
def test_absent_bars_do_not_count(rows: list[tuple[Bar, bool]]) -> None:
    table = Bars(np.array([bar for bar, _ in rows]).T, np.array([present for _, present in rows]))
    there = [bar for bar, present in rows if present]
    whole = table.whole()
    if not there:
        assert whole is None
        return
    assert whole == Bar(
        there[0].open,
        max(bar.high for bar in there),
        min(bar.low for bar in there),
        there[-1].close,
        sum(bar.volume for bar in there),
        sum(bar.quote for bar in there),
    )


def test_plain_text_keeps_every_digit() -> None:
    assert [plain(1, 8), plain(-5, 2), plain(123456, 2), plain(7, 0)] == ["0.00000001", "-0.05", "1234.56", "7"]
