"""The links that a person made, with where each stands."""

from datetime import datetime

from django.db.models import Case, CharField, QuerySet, Value, When

from apps.portfolios.models import Portfolio, ShareLink
from apps.portfolios.models.shares import ended_with_owner


def shares_of(*, portfolio: Portfolio, now: datetime) -> QuerySet[ShareLink]:
    """Return the links to a portfolio and its tax years, the newest first, each with its `state`."""
    state = Case(
        When(revoked_at__isnull=False, then=Value("revoked")),
        When(ended_with_owner(), then=Value("revoked")),
        When(expires_at__lte=now, then=Value("expired")),
        default=Value("live"),
        output_field=CharField(),
    )
    return ShareLink.objects.filter(portfolio=portfolio).annotate(state=state).order_by("-id")
