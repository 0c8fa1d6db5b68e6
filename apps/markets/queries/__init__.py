"""Questions about the markets."""

from apps.markets.queries.asset_detail import AssetDetail, asset_detail
from apps.markets.queries.asset_page import asset_page, preferred_instrument
from apps.markets.queries.candles import CandlePage, Span, candles, ladder, read_page
from apps.markets.queries.catalogue import (
    asset,
    assets,
    codes_of,
    instrument,
    instruments,
    known_instruments,
    names_of,
    symbols_at,
)
from apps.markets.queries.daily_rates import DailyRates, DailyStep, DailyWay, daily_rates, daily_stamp
from apps.markets.queries.feed import streamed_instruments
from apps.markets.queries.market_table import find_markets, market_page, market_rows
from apps.markets.queries.prices import (
    alatest_prices,
    current_world,
    feed_states,
    latest_prices,
    open_candles,
    price_batches,
)
from apps.markets.queries.quality import SeriesQuality, data_quality, quarantined
from apps.markets.queries.rates import NoRate, Rate, RateState, RateStep, rate, rates
from apps.markets.queries.summaries import Summary, summaries
from apps.markets.queries.tickers import Ticker, tickers
from apps.markets.queries.watch_pages import (
    Glance,
    glance,
    lists_with,
    market_meant,
    named_instrument,
    watchlist_page,
)
from apps.markets.queries.watchlists import watchlist_of, watchlists_of

__all__ = [
    "AssetDetail",
    "CandlePage",
    "DailyRates",
    "DailyStep",
    "DailyWay",
    "Glance",
    "NoRate",
    "Rate",
    "RateState",
    "RateStep",
    "SeriesQuality",
    "Span",
    "Summary",
    "Ticker",
    "alatest_prices",
    "asset",
    "asset_detail",
    "asset_page",
    "assets",
    "codes_of",
    "candles",
    "current_world",
    "daily_rates",
    "daily_stamp",
    "data_quality",
    "feed_states",
    "find_markets",
    "glance",
    "instrument",
    "instruments",
    "known_instruments",
    "ladder",
    "latest_prices",
    "lists_with",
    "market_meant",
    "market_page",
    "market_rows",
    "named_instrument",
    "names_of",
    "open_candles",
    "preferred_instrument",
    "price_batches",
    "quarantined",
    "rate",
    "rates",
    "read_page",
    "streamed_instruments",
    "summaries",
    "symbols_at",
    "tickers",
    "watchlist_of",
    "watchlist_page",
    "watchlists_of",
]
