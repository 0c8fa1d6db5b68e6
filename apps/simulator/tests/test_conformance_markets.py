"""The unmodified ccxt client reads the public side of all four exchanges and finds what the world holds."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import ccxt
import pytest

from apps.simulator.domain.shapes import MINUTE_MS
from apps.simulator.hub import wall_clock
from apps.simulator.tests.conftest import Running

PAGES = {"binance": 1000, "coinbase": 300, "kucoin": 1500}
SYMBOL = "BTC/USDT"
KRAKEN_MOST = 720


def _steps(rows: list[list[Any]]) -> set[int]:
    return {later[0] - earlier[0] for earlier, later in pairwise(rows)}


def test_the_list_of_markets_is_the_world_s_list(running: Running, venue: str) -> None:
    listed = running.client(venue).load_markets()
    markets = running.markets(venue)
    assert set(listed) == set(markets)
    for symbol, market in markets.items():
        entry = listed[symbol]
        assert entry["active"] is not market.halted
        assert entry["spot"] is True
        assert Decimal(entry["precision"]["price"]) == Decimal(market.price_step)
        assert Decimal(entry["limits"]["amount"]["min"]) == Decimal(market.min_amount)
        assert Decimal(entry["limits"]["cost"]["min"]) == Decimal(market.min_cost)


def test_currencies_are_read_with_their_networks(running: Running, venue: str) -> None:
    client = running.keyed(venue, "main")
    client.load_markets(True)
    assert {currency.code for currency in running.world.currencies(venue)} <= set(client.currencies)


def test_tickers_of_all_markets_agree_with_the_world(running: Running, venue: str) -> None:
    client = running.loaded(venue)
    before = {symbol: running.world.ticker(venue, symbol, wall_clock()) for symbol in running.markets(venue)}
    tickers = client.fetch_tickers()
    assert set(tickers) == set(before)
    for symbol, ticker in tickers.items():
        known = before[symbol]
        assert abs(Decimal(ticker["last"]) / Decimal(known.last) - 1) < Decimal("0.02")
        assert Decimal(ticker["baseVolume"]) > 0
    one = client.fetch_ticker(SYMBOL)
    assert Decimal(one["bid"]) < Decimal(one["ask"])
    now = running.world.ticker(venue, SYMBOL, wall_clock())
    assert abs(Decimal(one["last"]) / Decimal(now.last) - 1) < Decimal("0.01")


@pytest.mark.parametrize("paged", sorted(PAGES))
def test_candles_over_many_pages_have_no_hole_and_equal_the_world(running: Running, paged: str) -> None:
    client, size = running.loaded(paged), PAGES[paged]
    end = wall_clock() // MINUTE_MS * MINUTE_MS
    start = end - int(size * 2.4) * MINUTE_MS
    rows: list[list[Any]] = []
    pages, since = 0, start
    while since < end:
        page = client.fetch_ohlcv(SYMBOL, "1m", since, size)
        assert 0 < len(page) <= size
        rows, pages, since = rows + page, pages + 1, page[-1][0] + MINUTE_MS
    assert pages == 3
    assert _steps(rows) == {MINUTE_MS}
    known = running.world.candles(paged, SYMBOL, MINUTE_MS, start, end, wall_clock())
    seen = [[row[0], *map(Decimal, row[1:])] for row in rows if row[0] < end]
    assert seen == [[row.ts, *map(Decimal, (row.open, row.high, row.low, row.close, row.volume))] for row in known]


def test_kraken_gives_the_latest_720_candles_whatever_is_asked(running: Running) -> None:
    client = running.loaded("kraken")
    rows = client.fetch_ohlcv(SYMBOL, "1m")
    assert len(rows) == KRAKEN_MOST
    assert _steps(rows) == {MINUTE_MS}
    early = client.fetch_ohlcv(SYMBOL, "1m", wall_clock() - 5000 * MINUTE_MS)
    assert early[0][0] >= rows[0][0]


def test_more_than_a_page_cannot_be_asked_for(running: Running) -> None:
    binance = running.client("binance")
    assert len(binance.public_get_klines({"symbol": "BTCUSDT", "interval": "1m", "limit": 5000})) == 1000
    coinbase = running.client("coinbase")
    now = wall_clock() // 1000
    with pytest.raises(ccxt.BadRequest):
        coinbase.v3_public_get_brokerage_market_products_product_id_candles(
            {"product_id": "BTC-USDT", "granularity": "ONE_MINUTE", "start": str(now - 60 * 400), "end": str(now)}
        )


def test_every_timeframe_of_the_client_is_served(running: Running, venue: str) -> None:
    client = running.loaded(venue)
    asked = set(client.timeframes) - {"1s", "2w", "1M"}  # not played here; Kraken's fortnight has fifteen days
    assert {"1m", "5m", "15m", "1h", "1d"} <= asked
    for timeframe in asked:
        step = client.parse_timeframe(timeframe) * 1000
        rows = client.fetch_ohlcv(SYMBOL, timeframe, wall_clock() // step * step - 10 * step)
        assert len(rows) >= 9, timeframe
        assert _steps(rows) == {step}


def test_the_first_candle_comes_when_more_history_is_asked_for_than_there_is(running: Running) -> None:
    client = running.loaded("binance")
    rows = client.fetch_ohlcv(SYMBOL, "1m", wall_clock() - 400 * 86_400_000, 10)
    assert len(rows) == 10
    assert _steps(rows) == {MINUTE_MS}
    minutes = running.world.candles("binance", SYMBOL, MINUTE_MS, rows[0][0] - MINUTE_MS, rows[0][0], wall_clock())
    assert minutes == []


def test_public_trades_rise_with_time(running: Running, venue: str) -> None:
    client = running.loaded(venue)
    trades = client.fetch_trades(SYMBOL, limit=50)
    assert len(trades) > 1
    assert [trade["timestamp"] for trade in trades] == sorted(trade["timestamp"] for trade in trades)
    assert wall_clock() - trades[-1]["timestamp"] < 60_000
    assert {trade["side"] for trade in trades} <= {"buy", "sell"}


def test_time_and_status_are_those_of_a_healthy_exchange(running: Running, venue: str) -> None:
    client = running.client(venue)
    assert abs(client.fetch_time() - wall_clock()) < 2_000
    if client.has["fetchStatus"]:
        assert client.fetch_status()["status"] == "ok"


def test_an_unknown_market_is_refused_in_the_exchange_s_words(running: Running) -> None:
    with pytest.raises(ccxt.BadSymbol):
        running.client("binance").public_get_klines({"symbol": "NOPEUSDT", "interval": "1m"})
    with pytest.raises(ccxt.BadRequest):
        running.client("binance").public_get_klines({"symbol": "BTCUSDT", "interval": "7m"})
    with pytest.raises(ccxt.ExchangeError, match="Unknown asset pair"):
        running.client("kraken").public_get_ticker({"pair": "NOPEUSD"})
    with pytest.raises(ccxt.ExchangeError, match="900001"):
        running.client("kucoin").public_get_market_stats({"symbol": "NOPE-USDT"})
    with pytest.raises(ccxt.ExchangeError, match="product_id"):
        running.client("coinbase").v3_public_get_brokerage_market_products_product_id({"product_id": "NOPE-USD"})
