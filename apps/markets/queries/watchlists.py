"""A person's watchlists."""

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from apps.accounts.models import User
from apps.core.errors import NotFoundError
from apps.markets.models import Watchlist, WatchlistItem


def watchlists_of(*, user: User) -> QuerySet[Watchlist]:
    """Return the person's lists with their items, in the person's order."""
    items = Prefetch("items", queryset=WatchlistItem.objects.in_order())
    return Watchlist.objects.for_user(user).in_order().prefetch_related(items)


def watchlist_of(*, user: User, watchlist_id: UUID) -> Watchlist:
    """Return one of the person's lists with its items, or raise `NotFoundError`."""
    found = watchlists_of(user=user).filter(pk=watchlist_id).first()
    if found is None:
        raise NotFoundError
    return found
