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
from apps.markets.actions.watching import KeptList, Watched, drop_item, drop_watchlist, put_back, watch

__all__ = [
    "KeptList",
    "MarketsRefresh",
    "MergeError",
    "NameTakenError",
    "NotLeadingError",
    "TooManyItemsError",
    "TooManyListsError",
    "Watched",
    "add_to_watchlist",
    "create_watchlist",
    "delete_watchlist",
    "drop_item",
    "drop_watchlist",
    "forget_prices",
    "merge_assets",
    "note_on_item",
    "order_items",
    "order_watchlists",
    "publish_prices",
    "put_back",
    "rank_markets",
    "refresh_due_markets",
    "refresh_markets",
    "remove_from_watchlist",
    "rename_watchlist",
    "watch",
    "write_feed_states",
    "write_open_candles",
]
