"""What the overview shows: one's money, a few markets, how far this account is secured, whether live data flows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apps.accounts import queries as accounts
from apps.accounts.models import User
from apps.core.cache import redis_is_up
from apps.markets import queries as markets
from apps.markets.queries import Glance
from apps.portfolios.queries.glances import MoneyGlance, money_glance

MARKETS_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class Overview:
    """How far a person has secured their account, and how the instance is."""

    email_verified: bool
    has_second_factor: bool
    has_passkey: bool
    has_recovery_codes: bool
    live_data: bool
    markets: Glance | None = None
    money: MoneyGlance | None = None

    @property
    def steps_done(self) -> int:
        """Count the done steps; the account itself is the first."""
        return 1 + sum((self.email_verified, self.has_second_factor, self.has_recovery_codes))

    @property
    def steps_all(self) -> int:
        """Count all steps."""
        return 4

    @property
    def share_done(self) -> float:
        """Return how much is done, for the bar."""
        return self.steps_done / self.steps_all


def overview_for(*, user: User, now: datetime) -> Overview:
    """Answer what the overview of one person shows."""
    factors = accounts.second_factors_of(user=user)
    return Overview(
        email_verified=accounts.email_is_verified(user=user),
        has_second_factor=factors.totp or bool(factors.passkeys),
        has_passkey=bool(factors.passkeys),
        has_recovery_codes=factors.recovery_codes_left > 0,
        live_data=redis_is_up(),
        markets=markets.glance(user=user, limit=MARKETS_SHOWN),
        money=money_glance(user=user, now=now),
    )
