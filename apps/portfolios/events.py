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
    """The holdings of a portfolio, or what they are worth, have changed; `booked` is the version of its ledger."""

    portfolio_id: UUID
    owner_id: UUID
    version: int
    booked: int = 0  # an event from before it was told
    currency: str
    total: str
    as_of: str
