"""A person's portfolios, their accounts, and the rules they are booked by."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.core.errors import NotFoundError
from apps.portfolios.domain.policy import Policy, parse_policy
from apps.portfolios.models import Account, PolicyPeriod, Portfolio


def portfolios_of(*, user: User) -> QuerySet[Portfolio]:
    """Return the person's portfolios, the default one first."""
    return Portfolio.objects.for_user(user).in_order()


def portfolio_of(*, user: User, portfolio_id: UUID) -> Portfolio:
    """Return one of the person's portfolios, or raise `NotFoundError`."""
    found = Portfolio.objects.for_user(user).filter(pk=portfolio_id).first()
    if found is None:
        raise NotFoundError
    return found


def accounts_of(*, portfolio: Portfolio) -> QuerySet[Account]:
    """Return the accounts of a portfolio, as they were made."""
    return Account.objects.filter(portfolio=portfolio).order_by("id")


def account_of(*, portfolio: Portfolio, account_id: UUID) -> Account:
    """Return an account of the portfolio, or raise `NotFoundError`."""
    found = Account.objects.filter(portfolio=portfolio, pk=account_id).first()
    if found is None:
        raise NotFoundError
    return found


def policy_of(*, portfolio: Portfolio, at: datetime | None = None) -> Policy:
    """Return the rules that the portfolio is booked by, now or at a moment."""
    rows = PolicyPeriod.objects.filter(portfolio=portfolio).order_by("from_at")
    chosen: dict[str, object] = {}
    for from_at, policy in rows.values_list("from_at", "policy"):
        if from_at is None or at is None or from_at <= at:
            chosen = policy
    return parse_policy(chosen)
