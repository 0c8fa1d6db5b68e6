"""Which exchanges can be connected here, and the simulator's keys for whoever wants to try without one."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from django.conf import settings

from apps.core.errors import NotFoundError
from apps.exchanges.gateways import SUPPORTED, VenueAdapter, venue
from apps.exchanges.gateways.demo_keys import DemoKey, demo_keys
from apps.exchanges.gateways.errors import VenueUnavailableError
from apps.exchanges.queries.worlds import is_simulated, simulator_address

log = structlog.get_logger(__name__)


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


def demo_choices(*, exchange: str) -> tuple[DemoKey, ...]:
    """Return the simulator's accounts at one exchange, where they are offered and the simulator answers."""
    address = simulator_address(exchange=exchange)
    if not address or not demo_keys_are_offered():
        return ()
    try:
        return demo_keys(address=address)
    except VenueUnavailableError:
        log.info("The simulator does not tell its accounts", exchange=exchange)
        return ()


def demo_fields(*, exchange: str, label: str) -> dict[str, str | None]:
    """Return the key of one of the simulator's accounts; it never goes through a browser."""
    for one in demo_choices(exchange=exchange):
        if one.label == label:
            return one.fields
    raise NotFoundError
