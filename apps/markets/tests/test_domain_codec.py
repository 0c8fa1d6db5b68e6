"""Blocks give back what went in, to the last bit, and a damaged one is never read."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apps.markets.domain import codec
from apps.markets.domain.candles import Candles
from apps.markets.domain.timeframes import Timeframe
from apps.markets.tests.factories_candles import NEW_YEAR, make_candles

_ANY = st.floats(allow_nan=False, allow_infinity=False, width=64)
_CENTS = st.integers(1, 10**12)


@st.composite
def _decimal(draw: st.DrawFn) -> Candles:
    """Candles whose prices are decimals of some digits, on a grid with holes."""
    count, digits = draw(st.integers(1, 60)), draw(st.integers(0, 10))
    timeframe = draw(st.sampled_from(list(Timeframe)))
    steps = draw(st.lists(st.integers(1, 500), min_size=count, max_size=count))
    columns = [np.array(draw(st.lists(_CENTS, min_size=count, max_size=count))) / 10.0**digits for _ in range(5)]
    ts = timeframe.floor(NEW_YEAR) + np.cumsum(np.array(steps, dtype=np.int64)) * timeframe.milliseconds
    return Candles(ts, *columns)


@given(candles=_decimal())
@settings(deadline=None)
def test_decimals_come_back_to_the_last_bit(candles: Candles) -> None:
    timeframe = next(one for one in reversed(Timeframe) if not np.any(candles.ts % one.milliseconds))
    block = codec.encode(candles, timeframe)
    assert codec.decode(block).equals(candles)
    head = codec.read_head(block)
    assert (head.timeframe, head.count, head.first_ts) == (timeframe, len(candles), candles.first_ts)


@given(values=st.lists(st.tuples(_ANY, _ANY, _ANY, _ANY, _ANY), min_size=1, max_size=40))
@example(values=[(0.1 + 0.2, 1e300, 5e-324, -0.0, 1 / 3)])
@example(values=[(-0.0, 0.0, 1.0, 2.0**53, 2.0**53 + 2)])
@settings(deadline=None)
def test_any_floats_come_back_to_the_last_bit(values: list[tuple[float, ...]]) -> None:
    table = np.array(values, dtype=np.float64)
    columns = [np.ascontiguousarray(column) for column in table.T]
    candles = Candles(NEW_YEAR + np.arange(len(values), dtype=np.int64) * 60_000, *columns)
    back = codec.decode(codec.encode(candles, Timeframe.M1))
    for mine, theirs in zip(candles.values, back.values, strict=True):
        assert mine.tobytes() == theirs.tobytes()


def test_prices_are_kept_as_small_whole_numbers() -> None:
    candles = make_candles(8_192, timeframe=Timeframe.M1)
    block = codec.encode(candles, Timeframe.M1)
    head = codec.read_head(block)
    assert (head.codec, head.price_digits, head.volume_digits) == (codec.INTEGERS, 2, 5)
    assert len(block) < 10 * len(candles)


def test_one_third_takes_the_codec_of_floats() -> None:
    candles = make_candles(10)
    odd = Candles(candles.ts, *(column / 3 for column in candles.values))
    block = codec.encode(odd, Timeframe.H1)
    assert codec.read_head(block).codec == codec.FLOATS
    assert codec.decode(block).equals(odd)


@pytest.mark.parametrize("place", [0, 4, 8, 20, 40, -1])
def test_a_flipped_bit_is_noticed(place: int) -> None:
    block = bytearray(codec.encode(make_candles(50), Timeframe.H1))
    block[place] ^= 1
    with pytest.raises(codec.DamagedBlockError):
        codec.decode(bytes(block))


def test_a_cut_block_is_noticed() -> None:
    block = codec.encode(make_candles(50), Timeframe.H1)
    for length in (0, 10, len(block) // 2, len(block) - 1):
        with pytest.raises(codec.DamagedBlockError):
            codec.decode(block[:length])


def test_what_is_off_the_grid_or_out_of_order_is_no_block() -> None:
    candles = make_candles(5)
    for wrong in (candles.pick(slice(0, 0)), candles.pick(np.array([1, 0])), candles.pick(np.array([1, 1]))):
        with pytest.raises(ValueError, match="candle"):
            codec.encode(wrong, Timeframe.H1)
    with pytest.raises(ValueError, match="grid"):
        codec.encode(candles, Timeframe.D1)
