"""Verbs of the markets."""

from apps.markets.actions.catalogue import (
    MarketsRefresh,
    MergeError,
    merge_assets,
    rank_markets,
    refresh_due_markets,
    refresh_markets,
)
from apps.markets.actions.prices import (
    NotLeadingError,
    forget_prices,
    publish_prices,
    write_feed_states,
    write_open_candles,
)

__all__ = [
    "MarketsRefresh",
    "MergeError",
    "NotLeadingError",
    "forget_prices",
    "merge_assets",
    "publish_prices",
    "rank_markets",
    "refresh_due_markets",
    "refresh_markets",
    "write_feed_states",
    "write_open_candles",
]
