"""Questions about the markets."""

from apps.markets.queries.prices import (
    alatest_prices,
    current_world,
    feed_states,
    latest_prices,
    open_candles,
    price_batches,
)

__all__ = [
    "alatest_prices",
    "current_world",
    "feed_states",
    "latest_prices",
    "open_candles",
    "price_batches",
]
