"""Where prices come from at the moment, and how each venue's stream is doing."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings

from apps.core.cache import RedisOutage
from apps.markets.queries import feed_states

CONNECTED = "connected"
SILENT = "silent"
OFF = "off"
_TOLD_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class PriceSource:
    """One venue's stream; what was connected and has said nothing for long counts as silent."""

    venue: str
    state: str
    instruments: int
    last_message_at: datetime | None


def read_price_sources(*, now: datetime) -> tuple[PriceSource, ...]:
    """Return the streams of every venue; none while prices are switched off or Redis is away."""
    if settings.FEED == OFF:
        return ()
    try:
        states = feed_states()
    except RedisOutage:
        return ()
    return tuple(_source(one.venue, one.state, one.instruments, one.last_message_ms, now) for one in states)


def _source(venue: str, state: str, instruments: int, last_ms: int | None, now: datetime) -> PriceSource:
    heard_at = None if last_ms is None else datetime.fromtimestamp(last_ms / 1000, tz=UTC)
    is_fresh = heard_at is not None and now - heard_at < _TOLD_WITHIN
    told = SILENT if state == CONNECTED and not is_fresh else state
    return PriceSource(venue=venue, state=told, instruments=instruments, last_message_at=heard_at)


def price_feed_state(*, sources: tuple[PriceSource, ...], has_redis: bool) -> str:
    """Return in one word whether prices come in."""
    if settings.FEED == OFF:
        return "off"
    if not has_redis:
        return "paused"
    if not any(source.state == CONNECTED for source in sources):
        return "waiting"
    return "simulated" if settings.FEED == "simulator" else "on"
