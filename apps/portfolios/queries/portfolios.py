"""A person's portfolios, their accounts, and the rules they are booked by."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.core.errors import FieldProblem, InvalidError, NotFoundError
from apps.portfolios.domain.policy import Policy, PolicyError, parse_policy, policy_as_portable
from apps.portfolios.domain.timeline import PolicyChange, Timeline, checked_timeline, parse_timeline
from apps.portfolios.domain.transactions import microseconds
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
    return timeline_of(portfolio=portfolio, until=at).last


def timeline_of(*, portfolio: Portfolio, until: datetime | None = None) -> Timeline:
    """Return the rules that the portfolio is booked by from the beginning on, with their changes up to a moment."""
    rows = PolicyPeriod.objects.filter(portfolio=portfolio).values_list("from_at", "policy")
    periods = {from_at: parse_policy(policy) for from_at, policy in rows}
    first = periods.pop(None, Policy())
    changes = [PolicyChange(microseconds(from_at), policy) for from_at, policy in periods.items() if from_at]
    timeline = checked_timeline(first, changes)
    return timeline if until is None else timeline.until(microseconds(until))


def policy_asked_for(*, portfolio: Portfolio, wishes: Mapping[str, object]) -> Policy | None:
    """Return the portfolio's own rules with the wishes put in their places; nothing where nothing is wished."""
    given = {name: value for name, value in wishes.items() if value is not None}
    if not given:
        return None
    own = policy_as_portable(policy_of(portfolio=portfolio))
    if given.get("method", "acb") != "acb":
        own.pop("superficial_window_days", None)
    return checked_policy_of(raw={**own, **given})


def checked_policy_of(*, raw: Mapping[str, object]) -> Policy:
    """Return the rules that the mapping spells, or raise what is wrong with them."""
    try:
        return parse_policy(raw)
    except PolicyError as error:
        raise InvalidError(problems=[FieldProblem(error.field, error.code, error.message)]) from error


def checked_timeline_of(*, policy: object, changes: object) -> Timeline:
    """Return the timeline that a policy and its changes spell, or raise what is wrong with it."""
    try:
        return parse_timeline(policy, changes)
    except PolicyError as error:
        raise InvalidError(problems=[FieldProblem(error.field, error.code, error.message)]) from error
