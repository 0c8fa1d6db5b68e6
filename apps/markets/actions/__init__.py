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
from apps.markets.actions.watchlists import (
    NameTakenError,
    TooManyItemsError,
    TooManyListsError,
    add_to_watchlist,
    create_watchlist,
    delete_watchlist,
    note_on_item,
    order_items,
    order_watchlists,
    remove_from_watchlist,
    rename_watchlist,
)

__all__ = [
    "MarketsRefresh",
    "MergeError",
    "NameTakenError",
    "NotLeadingError",
    "TooManyItemsError",
    "TooManyListsError",
    "add_to_watchlist",
    "create_watchlist",
    "delete_watchlist",
    "forget_prices",
    "merge_assets",
    "note_on_item",
    "order_items",
    "order_watchlists",
    "publish_prices",
    "rank_markets",
    "refresh_due_markets",
    "refresh_markets",
    "remove_from_watchlist",
    "rename_watchlist",
    "write_feed_states",
    "write_open_candles",
]
