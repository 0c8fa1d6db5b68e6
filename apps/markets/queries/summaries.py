"""What a list of markets shows of each instrument besides its live price."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.markets.models import MarketSummary


@dataclass(frozen=True, slots=True)
class Summary:
    """Hourly closes of seven days and the prices that changes are measured against; None where unknown."""

    closes: tuple[float, ...]
    first_ts: int | None
    price_1h_ago: float | None
    price_24h_ago: float | None
    price_7d_ago: float | None
    at: datetime


def summaries(*, instruments: Iterable[UUID] | None = None) -> dict[UUID, Summary]:
    """Return the summaries of these instruments, or of all of them; one that has none is absent."""
    rows = MarketSummary.objects.all()
    if instruments is not None:
        rows = rows.filter(instrument__in=list(instruments))
    fields = ("instrument", "closes", "first_ts", "price_1h_ago", "price_24h_ago", "price_7d_ago", "at")
    return {row[0]: Summary(tuple(row[1]), *row[2:]) for row in rows.values_list(*fields)}
