"""Accounts of ledgers, seen as what exchanges fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.exchanges.models import Connection, VenueAccount
from apps.portfolios.models import Account, AccountKind

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from apps.portfolios.models import Portfolio


def free_accounts(*, portfolio: Portfolio, exchange: str, is_simulated: bool) -> QuerySet[Account]:
    """Return the accounts of an exchange that no connection fills, of the same world."""
    rows = Account.objects.filter(portfolio=portfolio, kind=AccountKind.EXCHANGE, exchange=exchange, connections=None)
    return rows.exclude(venue_account__is_simulated=not is_simulated).order_by("id")


def names_taken(*, portfolio: Portfolio) -> set[str]:
    """Return the names of all accounts of a portfolio."""
    return set(Account.objects.filter(portfolio=portfolio).values_list("name", flat=True))


def other_world_is_there(*, portfolio: Portfolio, is_simulated: bool) -> bool:
    """Tell whether a portfolio has accounts of the other world, simulated or real."""
    connections = Connection.objects.of_portfolio(portfolio.pk).filter(is_simulated=not is_simulated)
    parted = VenueAccount.objects.filter(account__portfolio=portfolio, is_simulated=not is_simulated)
    return connections.exists() or parted.exists()
