"""Which instruments the prices of holdings follow: found where they are valued, remembered for the pages about them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from django.core.cache import cache

from apps.markets.queries import current_world
from apps.markets.queries.rates import Rate
from apps.portfolios.models import Portfolio
from apps.portfolios.queries.pricing import prices_of

#: A portfolio that somebody looks at is valued much sooner than this, and its ways are found with its prices.
KEPT_SECONDS: Final = 3_600


def ways_of(*, portfolio: Portfolio, assets: Collection[str], now: datetime) -> Mapping[str, str]:
    """Return the ways of assets as they were valued last; what was not valued yet is looked for."""
    kept: Mapping[str, str] = cache.get(_key(portfolio)) or {}
    missing = [asset for asset in assets if asset not in kept]
    if not missing:
        return kept
    found = prices_of(assets=missing, currency=portfolio.currency, now=now)
    return remember_ways(portfolio=portfolio, rates=found, kept=kept)


def remember_ways(
    *, portfolio: Portfolio, rates: Mapping[str, Rate], kept: Mapping[str, str] = MappingProxyType({})
) -> Mapping[str, str]:
    """Remember the ways of some rates beside those that are kept, and return them all."""
    ways = {**kept, **{asset: _way(rate) for asset, rate in rates.items()}}
    if rates:
        cache.set(_key(portfolio), ways, KEPT_SECONDS)
    return ways


def _way(rate: Rate) -> str:
    """Name the instruments of a rate, each with a minus where it is inverted."""
    return ",".join(f"{'-' if step.inverse else ''}{step.instrument}" for step in rate.path)


def _key(portfolio: Portfolio) -> str:
    return f"portfolio-ways:{portfolio.pk}:{portfolio.currency}:{current_world()}"
