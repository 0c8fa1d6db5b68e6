"""Pages of the markets: the table, one market, watchlists."""

from apps.markets.views.asset import asset, asset_by_symbol, settle
from apps.markets.views.table import find, markets, rows
from apps.markets.views.watchlists import (
    add,
    create,
    delete,
    note,
    order,
    remove,
    rename,
    undo,
    watch,
    watch_menu,
    watchlists,
)

__all__ = [
    "add",
    "asset",
    "asset_by_symbol",
    "create",
    "delete",
    "find",
    "markets",
    "note",
    "order",
    "remove",
    "rename",
    "rows",
    "settle",
    "undo",
    "watch",
    "watch_menu",
    "watchlists",
]
