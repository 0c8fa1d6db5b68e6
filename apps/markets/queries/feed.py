"""What the feed streams."""

from apps.markets.domain.instruments import VENUES
from apps.markets.models import Instrument


def streamed_instruments(*, per_venue: int) -> dict[str, list[tuple[str, str]]]:
    """Return by venue what is traded in this world, the largest first: our name and the venue's own."""
    traded: dict[str, list[tuple[str, str]]] = {venue: [] for venue in VENUES}
    rows = Instrument.objects.here().active().by_size().values_list("venue", "symbol", "venue_symbol")
    for venue, symbol, venue_symbol in rows.iterator():
        if len(traded[venue]) < per_venue:
            traded[venue].append((f"{venue}:{symbol}", venue_symbol))
    return traded
