"""The feed: prices in from the venues, nonsense refused, the newest out to everybody."""

from apps.markets.hub.feed import Feed

__all__ = ["Feed"]
