"""The markets of the world: reproducible, exact from trades to days, and with a story."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.simulator.domain.shapes import VENUES, Candle, UnknownSymbolError
from apps.simulator.domain.world import World
from apps.simulator.tests.factories import DAY, HOUR, MINUTE, NOW, last_event, make_world, summed, the_world

SYMBOLS = [
    ("binance", "BTC/USDT"),
    ("binance", "SHIB/USDT"),
    ("coinbase", "ETH/USD"),
    ("coinbase", "BTC/USDC"),
    ("kraken", "USD/JPY"),
    ("kraken", "USDC/USD"),
    ("kucoin", "ETH/BTC"),
]
markets = st.sampled_from(SYMBOLS)
days_ago = st.integers(min_value=0, max_value=300)
moments = st.integers(min_value=NOW - 20 * DAY, max_value=NOW)


def _rows(world: World, name: tuple[str, str], timeframe: int, first: int, last: int, now: int = NOW) -> list[Candle]:
    return world.candles(*name, timeframe, first, last, now)


@settings(deadline=None, max_examples=25)
@given(markets, days_ago, st.sampled_from([5, 15, 60, 240, 1440]))
def test_candles_add_up_from_minutes_to_days(name: tuple[str, str], ago: int, size: int) -> None:
    begin = (NOW // DAY - ago) * DAY
    minutes = _rows(the_world(), name, MINUTE, begin, begin + DAY)
    wholes = _rows(the_world(), name, size * MINUTE, begin, begin + DAY)
    assert len(minutes) == (1440 if ago else (NOW - begin) // MINUTE + 1)
    for index, whole in enumerate(wholes):
        assert whole.ts == begin + index * size * MINUTE
        assert summed([whole]) == summed(minutes[index * size : (index + 1) * size])


@settings(deadline=None, max_examples=20)
@given(markets, moments)
def test_the_growing_candle_is_what_was_traded_so_far(name: tuple[str, str], now: int) -> None:
    world = the_world()
    begin = now // MINUTE * MINUTE
    (growing,) = _rows(world, name, MINUTE, begin, now + 1, now)
    so_far = world.trades(*name, begin, now, 5000)
    prices = [Decimal(trade.price) for trade in so_far]
    assert summed([growing])[:4] == (prices[0], max(prices), min(prices), prices[-1])
    assert Decimal(growing.volume) == sum((Decimal(trade.amount) for trade in so_far), Decimal())
    ticker = world.ticker(*name, now)
    assert (ticker.last, ticker.ts, ticker.last_id) == (growing.close, so_far[-1].ts, so_far[-1].id)
    (final,) = _rows(world, name, MINUTE, begin, begin + 1, begin + MINUTE)
    assert Decimal(final.low) <= Decimal(ticker.last) <= Decimal(final.high)
    (hour,) = _rows(world, name, HOUR, now // HOUR * HOUR, now + 1, now)
    assert hour.close == growing.close


@settings(deadline=None, max_examples=15)
@given(markets, moments)
def test_a_final_minute_is_all_its_trades(name: tuple[str, str], moment: int) -> None:
    begin = moment // MINUTE * MINUTE
    (final,) = _rows(the_world(), name, MINUTE, begin, begin + 1, begin + 3 * MINUTE)
    told = the_world().trades(*name, begin, begin + MINUTE - 1, 5000)
    prices = [Decimal(trade.price) for trade in told]
    assert summed([final])[:4] == (prices[0], max(prices), min(prices), prices[-1])
    assert Decimal(final.volume) == sum((Decimal(trade.amount) for trade in told), Decimal())


def test_the_ticker_is_the_last_day_in_one() -> None:
    name = ("binance", "SOL/USDT")
    ticker = the_world().ticker(*name, NOW)
    minutes = _rows(the_world(), name, MINUTE, NOW - DAY, NOW + 1)
    start, high, low, end, volume, quote = summed(minutes)
    assert len(minutes) == 1440
    assert (Decimal(ticker.open), Decimal(ticker.high), Decimal(ticker.low), Decimal(ticker.last)) == (
        start,
        high,
        low,
        end,
    )
    assert (Decimal(ticker.volume), Decimal(ticker.quote_volume)) == (volume, quote)
    assert Decimal(ticker.change) == end - start
    assert Decimal(ticker.bid) < Decimal(ticker.ask)


def test_the_same_seed_is_the_same_world_whatever_was_asked_before() -> None:
    def told(world: World, names: list[tuple[str, str]]) -> dict[object, object]:
        found: dict[object, object] = {}
        for name in names:
            found[name] = (
                world.ticker(*name, NOW),
                _rows(world, name, MINUTE, NOW - 200 * MINUTE, NOW + 1),
                _rows(world, name, DAY, 0, NOW + 1),
                world.trades(*name, NOW - MINUTE, NOW, 5000),
            )
        return found

    one = told(make_world(), SYMBOLS)
    other = make_world()
    other.candles("binance", "BTC/USDT", MINUTE, NOW - 300 * DAY, NOW - 299 * DAY, NOW)
    assert repr(sorted(one.items())) == repr(sorted(told(other, SYMBOLS[::-1]).items()))
    assert one[SYMBOLS[0]] != told(make_world(seed=8), SYMBOLS[:1])[SYMBOLS[0]]


def test_a_later_look_tells_the_same_past() -> None:
    name = ("kraken", "BTC/USD")
    then = _rows(the_world(), name, HOUR, NOW - 10 * DAY, NOW - DAY)
    assert _rows(make_world(), name, HOUR, NOW - 10 * DAY, NOW - DAY, NOW + 400 * DAY) == then


def test_faster_ticks_make_the_same_candles() -> None:
    fast = make_world(ticks_per_second=20)
    name = ("binance", "BTC/USDT")
    one, other = (_rows(world, name, MINUTE, NOW - HOUR, NOW - MINUTE) for world in (the_world(), fast))
    assert [candle[:6] for candle in one] == [candle[:6] for candle in other]
    assert len(fast.trades(*name, NOW - MINUTE, NOW, 5000)) > 4 * len(
        the_world().trades(*name, NOW - MINUTE, NOW, 5000)
    )


def test_prices_move_several_times_a_second() -> None:
    seen = {the_world().ticker("binance", "BTC/USDT", NOW + step).last for step in range(0, 5_000, 20)}
    assert len(seen) >= 10
    assert the_world().prepare("binance", "BTC/USDT", NOW) is False
    for market in the_world().markets("binance", NOW):
        the_world().prepare("binance", market.symbol, NOW)
    moved = the_world().moved("binance", NOW, NOW + 1_000)
    assert "BTC/USDT" in moved
    assert len(moved) > 30
    assert the_world().moved("binance", NOW, NOW) == []


def test_every_venue_lists_what_it_should() -> None:
    listed = {venue: {market.symbol for market in the_world().markets(venue, NOW)} for venue in VENUES}
    assert len(listed["binance"]) >= 60
    assert {"BTC/USD", "BTC/USDC"} <= listed["coinbase"]
    assert {"EUR/USD", "GBP/USD", "USD/CHF", "USD/JPY", "USDT/USD", "USDC/USD", "BTC/EUR"} <= listed["kraken"]
    assert "BTC/USDT" in listed["kucoin"]
    codes = {currency.code for currency in the_world().currencies("kraken")}
    assert {"EUR", "BTC", "USDT"} <= codes


def test_a_long_list_can_be_had() -> None:
    world = make_world(markets=1000)
    listed = [market for venue in VENUES for market in world.markets(venue, NOW)]
    assert 1000 <= len(listed) <= 1020
    assert len({(market.venue, market.symbol) for market in listed}) == len(listed)
    market = listed[len(listed) // 4 - 3]
    assert world.ticker(market.venue, market.symbol, NOW).symbol == market.symbol


def test_history_has_an_end_in_the_past() -> None:
    short = make_world(history_days=30)
    minutes = short.candles("binance", "ETH/USDT", MINUTE, 0, NOW, NOW, 10)
    assert minutes[0].ts == (NOW // DAY - 30) * DAY
    assert len(minutes) == 10
    days = short.candles("binance", "ETH/USDT", DAY, 0, NOW, NOW)
    assert len(days) > 5 * 365


# --- the story ------------------------------------------------------------------------------------------------------
def _closes(name: tuple[str, str], timeframe: int, first: int, last: int) -> list[float]:
    return [float(candle.close) for candle in _rows(the_world(), name, timeframe, first, last)]


def test_coins_move_together_and_venues_differ_by_a_little() -> None:
    closes = [_closes(("binance", f"{coin}/USDT"), DAY, NOW - 700 * DAY, NOW) for coin in ("BTC", "ETH", "SOL")]
    moves = np.corrcoef(np.diff(np.log(np.array(closes)), axis=1))
    assert 0.4 < moves[0, 1] < 0.99
    assert 0.2 < moves[0, 2] < 0.99
    one = np.array(_closes(("binance", "BTC/USDT"), HOUR, NOW - 40 * DAY, NOW))
    other = np.array(_closes(("kucoin", "BTC/USDT"), HOUR, NOW - 40 * DAY, NOW))
    apart = np.abs(one / other - 1)
    assert 0 < np.median(apart) < 0.002
    assert apart.max() < 0.01


def test_volatility_comes_in_clusters() -> None:
    moves = np.abs(np.diff(np.log(_closes(("binance", "BTC/USDT"), DAY, NOW - 2500 * DAY, NOW))))
    assert np.corrcoef(moves[:-1], moves[1:])[0, 1] > 0.05
    assert 0.005 < np.median(moves) < 0.05


def test_a_crash_takes_a_quarter_within_hours() -> None:
    crash = last_event(the_world(), "crash")
    before, *_, after = _closes(("binance", "BTC/USDT"), HOUR, crash.from_ts - 2 * HOUR, crash.to_ts + 2 * HOUR)
    assert after / before < 0.8


def test_a_stablecoin_loses_its_peg_for_a_day() -> None:
    world = the_world()
    event = last_event(world, "depeg")
    venue, symbol = next(
        (venue, f"{event.subject}/{quote}")
        for venue, quote in (("kraken", "USD"), ("coinbase", "USD"), ("binance", "USDT"))
        if world.known(venue, f"{event.subject}/{quote}")
    )
    day = [float(row.low) for row in _rows(world, (venue, symbol), MINUTE, event.from_ts, event.to_ts)]
    assert 0.8 < min(day) < 0.97
    for quiet in (event.from_ts - DAY, event.to_ts + 12 * HOUR):
        lows = [float(row.low) for row in _rows(world, (venue, symbol), MINUTE, quiet, quiet + 6 * HOUR)]
        assert min(lows) > 0.99


def test_a_listing_begins_a_market() -> None:
    event = last_event(the_world(), "listing")
    symbol = f"{event.subject}/USDT"
    with pytest.raises(UnknownSymbolError):
        the_world().ticker("binance", symbol, event.from_ts - 1)
    assert symbol not in the_world().moved("binance", event.from_ts - 1000, event.from_ts - 1)
    first, *_ = the_world().candles("binance", symbol, MINUTE, 0, NOW, NOW)
    assert first.ts == event.from_ts
    (day,) = _rows(the_world(), ("binance", symbol), DAY, event.from_ts // DAY * DAY, event.from_ts)
    minutes = _rows(the_world(), ("binance", symbol), MINUTE, event.from_ts // DAY * DAY, day.ts + DAY)
    assert len(minutes) == (day.ts + DAY - event.from_ts) // MINUTE
    assert summed([day]) == summed(minutes)


def test_a_delisting_ends_a_market_and_it_vanishes_from_the_list() -> None:
    event = last_event(the_world(), "delisting")
    symbol, end = f"{event.subject}/USDT", event.from_ts

    def listed(now: int) -> list[bool]:
        return [market.halted for market in the_world().markets("kucoin", now) if market.symbol == symbol]

    assert listed(end - 1) == [False]
    assert listed(end + HOUR) == [True]
    assert listed(end + DAY) == []
    frozen = the_world().ticker("kucoin", symbol, end + HOUR)
    last = the_world().candles("kucoin", symbol, MINUTE, end - MINUTE, end + HOUR, end + HOUR)
    assert [candle.ts for candle in last] == [end - MINUTE]
    assert frozen.last == last[0].close
    assert symbol not in the_world().moved("kucoin", end - 1000, end + 1000)
    with pytest.raises(UnknownSymbolError):
        the_world().candles("kucoin", symbol, MINUTE, end - HOUR, end, end + DAY)
