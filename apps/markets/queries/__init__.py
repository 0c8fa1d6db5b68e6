"""Questions about the markets."""

from apps.markets.queries.asset_page import asset_page, preferred_instrument
from apps.markets.queries.catalogue import (
    asset,
    assets,
    instrument,
    instruments,
    known_instruments,
    names_of,
    symbols_now,
)
from apps.markets.queries.market_table import find_markets, market_page, market_rows
from apps.markets.queries.prices import (
    alatest_prices,
    current_world,
    feed_states,
    latest_prices,
    open_candles,
    price_batches,
)
from apps.markets.queries.watchlists import watchlist_of, watchlists_of

__all__ = [
    "alatest_prices",
    "asset",
    "asset_page",
    "assets",
    "current_world",
    "feed_states",
    "find_markets",
    "instrument",
    "instruments",
    "known_instruments",
    "latest_prices",
    "market_page",
    "market_rows",
    "names_of",
    "open_candles",
    "preferred_instrument",
    "price_batches",
    "symbols_now",
    "watchlist_of",
    "watchlists_of",
]
