"""What happens in the ledger."""

from dataclasses import dataclass
from uuid import UUID

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class EntriesPosted(Event):
    """What is booked in a portfolio has changed: entries came, were reversed, or are booked by other rules."""

    portfolio_id: UUID
    version: int


@dataclass(frozen=True, kw_only=True)
class PortfolioRevalued(Event):
    """The holdings of a portfolio, or what they are worth, have changed."""

    portfolio_id: UUID
    owner_id: UUID
    version: int
    currency: str
    total: str
    as_of: str
