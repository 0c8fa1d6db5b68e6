"""Questions about connections: whose they are, how they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from apps.core.errors import NotFoundError
from apps.exchanges.models import Connection, ConnectionQuerySet

if TYPE_CHECKING:
    from apps.accounts.models import User


def connections_of(*, user: User) -> ConnectionQuerySet:
    """Return a person's connections with what their lists show."""
    return Connection.objects.for_user(user).select_related("portfolio", "account")


def connection_of(*, user: User, connection_id: UUID) -> Connection:
    """Return one of a person's connections; another's does not exist for them."""
    found = connections_of(user=user).filter(pk=connection_id).first()
    if found is None:
        raise NotFoundError
    return found
