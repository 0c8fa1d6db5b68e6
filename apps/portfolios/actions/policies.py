"""The rules of booking: chosen by the owner, and the ledger is booked anew by them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from apps.portfolios.actions.portfolios import ledger_changed, locked_portfolio
from apps.portfolios.domain.policy import Policy, policy_as_portable
from apps.portfolios.models import PolicyPeriod

if TYPE_CHECKING:
    from apps.accounts.models import User


def choose_policy(*, user: User, portfolio_id: UUID, policy: Policy, now: datetime) -> None:
    """Book a portfolio of the person's by these rules from the beginning on; the same rules change nothing."""
    chosen = policy_as_portable(policy)
    with transaction.atomic():
        portfolio = locked_portfolio(user=user, portfolio_id=portfolio_id)
        periods = PolicyPeriod.objects.filter(portfolio=portfolio)
        if list(periods.values_list("from_at", "policy")) == [(None, chosen)]:
            return
        periods.delete()
        PolicyPeriod.objects.create(portfolio=portfolio, policy=chosen, created_at=now)
        ledger_changed(portfolio=portfolio)
