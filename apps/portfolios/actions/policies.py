"""The rules of booking: chosen by the owner, and the ledger is booked anew by them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from apps.portfolios.actions.portfolios import ledger_changed, locked_portfolio
from apps.portfolios.domain.policy import Policy, policy_as_portable
from apps.portfolios.domain.timeline import Timeline
from apps.portfolios.domain.transactions import moment
from apps.portfolios.models import PolicyPeriod
from apps.portfolios.queries.policies import possible_timeline
from apps.portfolios.queries.portfolios import timeline_of

if TYPE_CHECKING:
    from apps.accounts.models import User


def choose_policy(*, user: User, portfolio_id: UUID, policy: Policy, now: datetime) -> None:
    """Book a portfolio of the person's by these rules from the beginning on; the same rules change nothing."""
    choose_timeline(user=user, portfolio_id=portfolio_id, timeline=Timeline(policy), now=now)


def choose_timeline(*, user: User, portfolio_id: UUID, timeline: Timeline, now: datetime) -> None:
    """Book a portfolio of the person's by rules that change at moments; the same timeline changes nothing."""
    with transaction.atomic():
        portfolio = locked_portfolio(user=user, portfolio_id=portfolio_id)
        if timeline_of(portfolio=portfolio) == timeline:
            return
        possible_timeline(portfolio=portfolio, timeline=timeline, now=now)
        PolicyPeriod.objects.filter(portfolio=portfolio).delete()
        periods = [(None, timeline.first), *((moment(change.at_us), change.policy) for change in timeline.changes)]
        PolicyPeriod.objects.bulk_create(
            PolicyPeriod(portfolio=portfolio, from_at=from_at, policy=policy_as_portable(policy), created_at=now)
            for from_at, policy in periods
        )
        ledger_changed(portfolio=portfolio)
