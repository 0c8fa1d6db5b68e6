"""Tables of the markets: what is traded where, candles, watchlists."""

from apps.markets.models.candles import (
    SLOT_CANDLES,
    Backfill,
    CandleBlock,
    CandleGap,
    CandleSeries,
    CandleSource,
    CandleTail,
    MarketSummary,
    QuarantinedCandle,
    QuarantineState,
)
from apps.markets.models.catalogue import Asset, AssetCode, AssetKind, Instrument, InstrumentQuerySet
from apps.markets.models.watchlists import Watchlist, WatchlistItem

__all__ = [
    "SLOT_CANDLES",
    "Asset",
    "AssetCode",
    "AssetKind",
    "Backfill",
    "CandleBlock",
    "CandleGap",
    "CandleSeries",
    "CandleSource",
    "CandleTail",
    "Instrument",
    "InstrumentQuerySet",
    "MarketSummary",
    "QuarantineState",
    "QuarantinedCandle",
    "Watchlist",
    "WatchlistItem",
]
