"""Rates of the past: the last close before a moment, never a later one, never one made up."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.core.errors import InvalidError
from apps.markets import actions, queries
from apps.markets.domain.candles import from_rows
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models import Backfill, CandleSeries
from apps.markets.models.candles import CandleSource
from apps.markets.queries import NoRate, RateState
from apps.markets.tests.factories import make_instrument, make_price

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MIDNIGHT = datetime(2026, 3, 10, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def _closes(name: str, timeframe: Timeframe, first: datetime, closes: Sequence[float], **more: object) -> None:
    """Make an instrument with a history of closes."""
    instrument = make_instrument(name, **more)  # type: ignore[arg-type]
    start = int(first.timestamp() * 1000)
    rows = [
        (start + step * timeframe.milliseconds, close, close, close, close, 1.0) for step, close in enumerate(closes)
    ]
    candles = from_rows(rows)
    actions.store_candles(
        instrument=instrument, timeframe=timeframe, candles=candles, source=CandleSource.VENUE, now=NOW
    )


def _rate(source: str, target: str, at: datetime) -> queries.Rate:
    return queries.rate(source=source, target=target, at=at, now=NOW)


def test_a_day_closes_at_midnight_and_not_before() -> None:
    _closes("kraken:BTC/USD", Timeframe.D1, MIDNIGHT - 2 * DAY, [80_000.5, 90_000.25, 100_000.0])
    found = _rate("BTC", "USD", MIDNIGHT)
    assert (found.value, found.state, found.sources) == (Decimal("90000.25"), RateState.PRICED, ("kraken",))
    assert (found.ts, found.age_ms) == (int(MIDNIGHT.timestamp() * 1000), 0)
    noon = _rate("BTC", "USD", MIDNIGHT + DAY / 2)
    assert (noon.value, noon.age_ms) == (Decimal("90000.25"), 12 * 3_600_000)
    assert _rate("BTC", "USD", MIDNIGHT + DAY).value == Decimal(100_000)
    assert _rate("USD", "BTC", MIDNIGHT + DAY).value == Decimal("0.00001")


def test_hours_count_before_days() -> None:
    _closes("kraken:BTC/USD", Timeframe.H1, MIDNIGHT, [5.0, 6.0, 7.0])
    assert _rate("BTC", "USD", MIDNIGHT + 2 * HOUR + HOUR / 2).value == Decimal(6)


def test_an_old_close_does_not_stand_for_a_missing_one() -> None:
    _closes("kraken:BTC/USD", Timeframe.D1, MIDNIGHT - 10 * DAY, [80_000.0])
    make_price("kraken:BTC/USD", "84000", now=NOW)
    found = _rate("BTC", "USD", MIDNIGHT)
    assert (found.value, found.state, found.reason) == (None, RateState.UNPRICED, NoRate.NO_HISTORY)


def test_history_on_its_way_is_said() -> None:
    instrument = make_instrument("kraken:BTC/USD")
    series = CandleSeries.objects.create(instrument=instrument, timeframe=Timeframe.D1)
    Backfill.objects.create(series=series, from_ms=0, to_ms=9, cursor_ms=9)
    found = _rate("BTC", "USD", MIDNIGHT + 3 * DAY)
    assert (found.value, found.state, found.reason) == (None, RateState.PENDING, NoRate.HISTORY_LOADING)


def test_a_way_without_history_is_left_for_one_with_it() -> None:
    make_instrument("binance:BTC/USD", volume_usd="999")
    _closes("kraken:BTC/USD", Timeframe.D1, MIDNIGHT - DAY, [50_000.0], volume_usd="1", active=False)
    assert _rate("BTC", "USD", MIDNIGHT).value == Decimal(50_000)


def test_a_broken_peg_shows_in_the_past_too() -> None:
    _closes("binance:SOL/USDC", Timeframe.D1, MIDNIGHT - DAY, [20.0])
    _closes("kraken:USDC/USD", Timeframe.D1, MIDNIGHT - DAY, [0.88])
    assert _rate("SOL", "USD", MIDNIGHT).value == Decimal("17.6")


def test_a_ticker_means_what_it_meant_then() -> None:
    _closes("kraken:LUNC/USD", Timeframe.D1, datetime(2022, 4, 30, tzinfo=UTC), [80.0])
    _closes("kraken:LUNA/USD", Timeframe.D1, MIDNIGHT - DAY, [0.5])
    assert _rate("LUNA", "USD", datetime(2022, 5, 1, 1, tzinfo=UTC)).value == Decimal(80)
    assert _rate("LUNA", "USD", MIDNIGHT).value == Decimal("0.5")


def test_the_last_minute_is_now_and_the_future_is_refused() -> None:
    make_instrument("kraken:BTC/USD")
    make_price("kraken:BTC/USD", "84000", now=NOW)
    assert _rate("BTC", "USD", NOW - timedelta(seconds=30)).value == Decimal(84_000)
    with pytest.raises(InvalidError):
        _rate("BTC", "USD", NOW + HOUR)


def test_many_assets_take_as_few_queries_as_one(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    codes = [f"C{number}" for number in range(60)]
    for code in codes:
        make_instrument(f"binance:{code}/USDT")
        make_price(f"binance:{code}/USDT", "2", now=NOW)
    make_instrument("kraken:USDT/EUR")
    make_price("kraken:USDT/EUR", "0.5", now=NOW)
    with django_assert_num_queries(3):
        found = queries.rates(sources=[*codes, "EUR"], target="EUR", now=NOW)
    assert {rate.value for rate in found.values()} == {Decimal(1)}
