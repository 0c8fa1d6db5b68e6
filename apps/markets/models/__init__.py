"""Tables of the markets: what is traded where, candles, watchlists."""

from apps.markets.models.catalogue import Asset, AssetCode, AssetKind, Instrument, InstrumentQuerySet
from apps.markets.models.watchlists import Watchlist, WatchlistItem

__all__ = [
    "Asset",
    "AssetCode",
    "AssetKind",
    "Instrument",
    "InstrumentQuerySet",
    "Watchlist",
    "WatchlistItem",
]
