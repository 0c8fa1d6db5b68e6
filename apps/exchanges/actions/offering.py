"""Which exchanges can be connected here, and the simulator's keys for whoever wants to try without one."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from apps.exchanges.gateways import SUPPORTED, VenueAdapter, venue
from apps.exchanges.queries.worlds import is_simulated


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An exchange that can be connected."""

    exchange: str
    name: str
    certified: bool
    fields: tuple[str, ...]
    limits: tuple[str, ...]
    is_simulated: bool


def supported() -> tuple[Offer, ...]:
    """Return the exchanges that are read by code of their own, tested against their answers."""
    return tuple(offer_of(adapter=venue(exchange)) for exchange in SUPPORTED)


def offer_of(*, adapter: VenueAdapter) -> Offer:
    """Return what is told of one exchange."""
    return Offer(
        exchange=adapter.exchange,
        name=adapter.name,
        certified=adapter.certified,
        fields=tuple(adapter.fields),
        limits=tuple(adapter.limits),
        is_simulated=is_simulated(exchange=adapter.exchange),
    )


def demo_keys_are_offered() -> bool:
    """Tell whether the page may offer the simulator's keys."""
    return bool(settings.OFFER_DEMO_KEYS) and settings.FEED == "simulator"
