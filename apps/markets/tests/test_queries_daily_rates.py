"""Daily rates of the past, many at once: the same worth that `rate` gives at each day's end, and nothing made up."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.markets import actions, queries
from apps.markets.domain.candles import from_rows
from apps.markets.domain.timeframes import DAY_MS, Timeframe
from apps.markets.models import Backfill, CandleSeries
from apps.markets.models.candles import CandleSource
from apps.markets.tests.factories import make_instrument, make_price

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
FIRST = datetime(2026, 3, 10, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
START = int(FIRST.timestamp()) // 86_400


def _closes(
    name: str, closes: Sequence[float | None], *, timeframe: Timeframe = Timeframe.D1, volume_usd: str = "1"
) -> None:
    """Make a market with closes since the first day; None is a hole."""
    instrument = make_instrument(name, volume_usd=volume_usd)
    rows = [
        (START * DAY_MS + step * timeframe.milliseconds, close, close, close, close, 1.0)
        for step, close in enumerate(closes)
        if close is not None
    ]
    actions.store_candles(
        instrument=instrument, timeframe=timeframe, candles=from_rows(rows), source=CandleSource.VENUE, now=NOW
    )


def _found(asset: str, target: str, days: int) -> queries.DailyRates:
    return queries.daily_rates(assets=[asset], target=target, from_=FIRST, to=FIRST + days * DAY)[asset]


def _values(found: queries.DailyRates, days: int) -> list[Decimal | None]:
    return [found.value(START + day) for day in range(days)]


def test_each_day_is_worth_what_a_rate_at_its_end_says() -> None:
    _closes("binance:SOL/BTC", [0.0021, 0.0022, 0.0023, 0.00240001])
    _closes("kraken:BTC/EUR", [60_000.1, 70_000.25, 65_432.1, 64_000.0])
    found = _found("SOL", "EUR", 4)
    single = [queries.rate(source="SOL", target="EUR", at=FIRST + (day + 1) * DAY, now=NOW).value for day in range(4)]
    assert _values(found, 4) == single
    assert single[0] == Decimal("0.0021") * Decimal("60000.1")
    assert found.sources(START) == ("binance", "kraken")
    back = _found("EUR", "SOL", 4)
    assert back.value(START + 3) == queries.rate(source="EUR", target="SOL", at=FIRST + 4 * DAY, now=NOW).value


def test_one_missing_day_is_stood_in_for_and_no_more() -> None:
    _closes("kraken:BTC/USD", [10.0, None, None, 40.0, 50.0])
    make_price("kraken:BTC/USD", "99", now=NOW)
    found = _found("BTC", "USD", 7)
    assert _values(found, 7) == [10, 10, None, 40, 50, 50, None]
    assert (found.days(), found.sources(START + 2)) == ([START, START + 1, START + 3, START + 4, START + 5], ())
    assert (found.value(START - 1), found.value(START + 7), found.sources(START + 9)) == (None, None, ())


def test_another_way_serves_the_days_that_the_best_one_does_not_know() -> None:
    _closes("binance:BTC/USD", [None, None, None, 31.5, 32.5], volume_usd="99")
    _closes("kraken:BTC/USD", [11.0, 12.0, 13.0, 14.0, 15.0])
    found = _found("BTC", "USD", 5)
    assert _values(found, 5) == [11, 12, 13, Decimal("31.5"), Decimal("32.5")]
    assert (found.sources(START), found.sources(START + 4)) == (("kraken",), ("binance",))
    assert [str(name) for name in found.wanted] == ["binance:BTC/USD"]


def test_the_last_hour_tells_the_close_where_days_are_not_kept() -> None:
    _closes("kraken:BTC/USD", [float(hour) for hour in range(1, 48)], timeframe=Timeframe.H1)
    assert _values(_found("BTC", "USD", 3), 3) == [24, 24, None]


def test_money_is_worth_itself_and_the_unknown_nothing() -> None:
    assert _values(_found("USD", "USD", 2), 2) == [1, 1]
    found = _found("NOPE", "USD", 2)
    assert (_values(found, 2), found.wanted, found.pending) == ([None, None], (), False)
    assert _found("USD", "EUR", 0).days() == []


def test_history_on_its_way_is_said() -> None:
    series = CandleSeries.objects.create(instrument=make_instrument("kraken:BTC/USD"), timeframe=Timeframe.D1)
    Backfill.objects.create(series=series, from_ms=0, to_ms=9, cursor_ms=9)
    found = _found("BTC", "USD", 2)
    assert (found.pending, _values(found, 2)) == (True, [None, None])
    assert [str(name) for name in found.wanted] == ["kraken:BTC/USD"]


def test_many_assets_cost_no_more_questions(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    names = [f"C{number}" for number in range(12)]
    for number, name in enumerate(names):
        _closes(f"binance:{name}/USDT", [float(number + 1)] * 30)
    _closes("kraken:USDT/USD", [1.0] * 30)
    with django_assert_max_num_queries(7):
        found = queries.daily_rates(assets=names, target="USD", from_=FIRST, to=FIRST + 30 * DAY)
    assert [found[name].value(START + 29) for name in names] == [Decimal(number) for number in range(1, 13)]
