"""What the feed follows: of each venue the largest pairs."""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from apps.markets.domain.instruments import VENUES
from apps.markets.models import Instrument


def streamed_instruments(*, per_venue: int) -> dict[str, list[tuple[str, str]]]:
    """Return by venue what is followed in this world, the largest first: our name and the venue's own."""
    traded: dict[str, list[tuple[str, str]]] = {venue: [] for venue in VENUES}
    for _pk, venue, symbol, venue_symbol in _followed(per_venue):
        traded[venue].append((f"{venue}:{symbol}", venue_symbol))
    return traded


def followed_instruments(*, per_venue: int) -> list[UUID]:
    """Return the keys of what is followed in this world, the largest first."""
    return [pk for pk, *_names in _followed(per_venue)]


def _followed(per_venue: int) -> Iterator[tuple[UUID, str, str, str]]:
    counts: Counter[str] = Counter()
    rows = Instrument.objects.here().active().by_size().values_list("pk", "venue", "symbol", "venue_symbol")
    for pk, venue, symbol, venue_symbol in rows.iterator():
        counts[venue] += 1
        if counts[venue] <= per_venue:
            yield pk, venue, symbol, venue_symbol
