"""The table of markets in plain Python: what fits, in which order, and the line of a week."""

from decimal import Decimal

import pytest

from apps.markets.domain.instruments import InstrumentName
from apps.markets.domain.market_table import SPARK_LEVELS, MarketRow, MarketWish, moved, select, spark_of


def row(name: str, *, title: str = "", price: str | None = "1", volume: str | None = "1") -> MarketRow:
    parsed = InstrumentName.parse(name)
    return MarketRow(
        parsed,
        title or parsed.base,
        2,
        price=None if price is None else Decimal(price),
        volume=None if volume is None else Decimal(volume),
    )


ROWS = (
    row("binance:BTC/USDT", title="Bitcoin", price="70000", volume="9"),
    row("kraken:BTC/EUR", title="Bitcoin", price="65000", volume="5"),
    row("kraken:ETH/EUR", title="Ethereum", price=None, volume="7"),
    row("coinbase:ADA/USD", title="Cardano", price="0.4", volume=None),
)


@pytest.mark.parametrize(
    ("wish", "names"),
    [
        (MarketWish(), ["binance:BTC/USDT", "kraken:ETH/EUR", "kraken:BTC/EUR", "coinbase:ADA/USD"]),
        (MarketWish(words="bit kra"), ["kraken:BTC/EUR"]),
        (MarketWish(words="btc/eur"), ["kraken:BTC/EUR"]),
        (MarketWish(venue="kraken", sort="name", descending=False), ["kraken:BTC/EUR", "kraken:ETH/EUR"]),
        (MarketWish(quote="USD"), ["coinbase:ADA/USD"]),
        (
            MarketWish(sort="price", descending=False),
            ["coinbase:ADA/USD", "kraken:BTC/EUR", "binance:BTC/USDT", "kraken:ETH/EUR"],
        ),
        (
            MarketWish(sort="price", descending=True),
            ["binance:BTC/USDT", "kraken:BTC/EUR", "coinbase:ADA/USD", "kraken:ETH/EUR"],
        ),
        (MarketWish(words="nothing"), []),
    ],
)
def test_rows_that_fit_stand_in_order_and_unknown_figures_last(wish: MarketWish, names: list[str]) -> None:
    assert [str(found.name) for found in select(ROWS, wish)] == names


def test_a_change_is_unknown_where_a_price_is() -> None:
    assert moved(Decimal(100), Decimal("101.5")) == Decimal("0.015")
    assert moved(None, Decimal(1)) is None
    assert moved(Decimal(1), None) is None
    assert moved(Decimal(0), Decimal(1)) is None


def test_a_week_is_drawn_from_its_lowest_to_its_highest() -> None:
    line = spark_of([float(close) for close in range(1, 169)])
    assert (line[0], line[-1]) == (SPARK_LEVELS[0], SPARK_LEVELS[-1])
    assert list(line) == sorted(line, key=SPARK_LEVELS.index)


def test_a_week_skips_what_is_missing_and_a_flat_one_lies_in_the_middle() -> None:
    assert spark_of([]) == spark_of([5.0]) == ""
    assert spark_of([float("nan"), 1.0, None, 2.0, 0.0]) == SPARK_LEVELS[0] + SPARK_LEVELS[-1]
    assert set(spark_of([3.0] * 20)) == {SPARK_LEVELS[32]}
