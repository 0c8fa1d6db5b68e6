"""Verbs of the markets."""

from apps.markets.actions.prices import (
    NotLeadingError,
    forget_prices,
    publish_prices,
    write_feed_states,
    write_open_candles,
)

__all__ = [
    "NotLeadingError",
    "forget_prices",
    "publish_prices",
    "write_feed_states",
    "write_open_candles",
]
