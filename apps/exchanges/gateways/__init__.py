"""The venues: one adapter each, all of one shape, and only reading."""

from typing import Final

from apps.exchanges.gateways import binance, coinbase, kraken, kucoin, uncertified
from apps.exchanges.gateways.adapter import Adapter, Session, VenueAdapter

__all__ = ["SUPPORTED", "Adapter", "Session", "VenueAdapter", "venue"]

_ADAPTERS: Final = {
    adapter.exchange: adapter for adapter in (binance.ADAPTER, coinbase.ADAPTER, kraken.ADAPTER, kucoin.ADAPTER)
}
SUPPORTED: Final[tuple[str, ...]] = tuple(_ADAPTERS)


def venue(exchange: str) -> VenueAdapter:
    """Return the adapter of a venue, or raise `LookupError` for one that nobody can read; ours are certified."""
    return _ADAPTERS[exchange] if exchange in _ADAPTERS else uncertified.adapter_of(exchange)
