"""Verbs of the markets."""

from apps.markets.actions.candles import Stored, forget_built, pack_tails, series_for, store_candles
from apps.markets.actions.catalogue import (
    MarketsRefresh,
    rank_markets,
    refresh_due_markets,
    refresh_markets,
)
from apps.markets.actions.files import (
    FileReport,
    ImportReport,
    Mode,
    NoCandleFilesError,
    Selection,
    export_candles,
    import_candles,
)
from apps.markets.actions.history import mend_minutes, repair_gaps, request_history, run_backfill
from apps.markets.actions.identity import MergeError, merge_assets, name_code
from apps.markets.actions.minutes import store_minutes
from apps.markets.actions.prices import (
    NotLeadingError,
    forget_prices,
    publish_prices,
    write_feed_states,
    write_open_candles,
)
from apps.markets.actions.quarantine import (
    AlreadySettledError,
    NotStorableError,
    TakenIn,
    discard_candle,
    release_candle,
    take_in,
)
from apps.markets.actions.reading import Served, read_candles
from apps.markets.actions.summaries import make_summaries
from apps.markets.actions.watching import KeptList, Watched, drop_item, drop_watchlist, put_back, watch
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
    "AlreadySettledError",
    "FileReport",
    "ImportReport",
    "KeptList",
    "MarketsRefresh",
    "MergeError",
    "Mode",
    "NameTakenError",
    "NoCandleFilesError",
    "NotLeadingError",
    "NotStorableError",
    "Selection",
    "Served",
    "Stored",
    "TakenIn",
    "TooManyItemsError",
    "TooManyListsError",
    "Watched",
    "add_to_watchlist",
    "create_watchlist",
    "delete_watchlist",
    "discard_candle",
    "drop_item",
    "drop_watchlist",
    "export_candles",
    "forget_built",
    "forget_prices",
    "import_candles",
    "make_summaries",
    "merge_assets",
    "name_code",
    "mend_minutes",
    "note_on_item",
    "order_items",
    "order_watchlists",
    "pack_tails",
    "publish_prices",
    "put_back",
    "rank_markets",
    "read_candles",
    "refresh_due_markets",
    "refresh_markets",
    "release_candle",
    "remove_from_watchlist",
    "rename_watchlist",
    "repair_gaps",
    "request_history",
    "run_backfill",
    "series_for",
    "store_candles",
    "store_minutes",
    "take_in",
    "watch",
    "write_feed_states",
    "write_open_candles",
]
