"""Links to a portfolio or a tax year: made and shown once, revoked, and opened by whoever holds one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.accounts.actions import record_audit
from apps.core.errors import ConflictError, DeniedError, FieldProblem, InvalidError, NotFoundError
from apps.portfolios.domain.sharing import (
    LAST_YEAR,
    MOST_DAYS,
    MOST_LIVE,
    USUAL_DAYS,
    ShareContent,
    SharePurpose,
    new_share_token,
    share_fingerprint,
)
from apps.portfolios.models import Portfolio, ShareLink
from apps.portfolios.models.shares import may_share

if TYPE_CHECKING:
    from apps.accounts.domain.origin import RequestMeta
    from apps.accounts.models import User


class TooManySharesError(ConflictError):
    """The portfolio has as many links as anybody can keep an eye on."""

    code = "too_many_shares"
    title = "Too many links"
    default_detail = f"A portfolio has {MOST_LIVE} links at a time. Revoke one that is no longer needed."


class ViewerSharesNothingError(DeniedError):
    """Who may only look gives nothing out."""

    code = "viewer_shares_nothing"
    title = "Viewers do not share"
    default_detail = "Ask whoever runs this instance for the role of a member; then you can share."


def make_share(
    *,
    portfolio: Portfolio,
    purpose: SharePurpose,
    shows: ShareContent,
    year: int | None = None,
    name: str = "",
    days: int = USUAL_DAYS,
    now: datetime,
    request_meta: RequestMeta,
) -> tuple[ShareLink, str]:
    """Make a link in its owner's name; its token is returned this once and stored nowhere."""
    if not may_share(user=portfolio.owner):
        raise ViewerSharesNothingError
    _check(purpose, year, days)
    token = new_share_token()
    with transaction.atomic():
        Portfolio.objects.select_for_update().get(pk=portfolio.pk)
        if ShareLink.objects.filter(portfolio=portfolio).live(now=now).count() >= MOST_LIVE:
            raise TooManySharesError
        link = ShareLink.objects.create(
            portfolio=portfolio,
            purpose=purpose,
            year=year,
            shows=shows,
            name=name,
            fingerprint=share_fingerprint(token, purpose=purpose),
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
        record_audit(
            actor=portfolio.owner,
            action="share.created",
            target=str(link.pk),
            now=now,
            detail={"purpose": str(purpose), "year": year, "shows": str(shows), "days": days},
            request_meta=request_meta,
        )
    return link, token


def revoke_share(*, user: User, portfolio: Portfolio, share_id: UUID, now: datetime, request_meta: RequestMeta) -> None:
    """End a link; whoever opens it from now on finds nothing."""
    with transaction.atomic():
        mine = ShareLink.objects.for_user(user).filter(portfolio=portfolio, pk=share_id, revoked_at=None)
        if not mine.update(revoked_at=now):
            raise NotFoundError
        record_audit(actor=user, action="share.revoked", target=str(share_id), now=now, request_meta=request_meta)


def find_share(*, purpose: str, token: str, now: datetime) -> ShareLink:
    """Return what a link opens at the moment; whatever is wrong with it, there is nothing, found out the same way."""
    fingerprint = share_fingerprint(token, purpose=purpose)
    found = ShareLink.objects.opening(now=now).select_related("portfolio__owner").filter(fingerprint=fingerprint)
    link = found.first()
    if link is None:
        raise NotFoundError
    return link


def note_opened(*, link: ShareLink, now: datetime, request_meta: RequestMeta) -> None:
    """Count that somebody looked; the first time stands in the owner's log."""
    with transaction.atomic():
        row = ShareLink.objects.filter(pk=link.pk)
        if row.filter(first_opened_at=None).update(first_opened_at=now):
            record_audit(
                actor=None,
                subject=link.portfolio.owner,
                action="share.first_opened",
                target=str(link.pk),
                now=now,
                request_meta=request_meta,
            )
        row.update(opened=F("opened") + 1, last_opened_at=now)


def _check(purpose: SharePurpose, year: int | None, days: int) -> None:
    problems = []
    if not 1 <= days <= MOST_DAYS:
        problems.append(FieldProblem("expires_in_days", "out_of_range", f"Choose 1 to {MOST_DAYS} days."))
    if purpose is SharePurpose.TAX_YEAR and (year is None or not 1 <= year <= LAST_YEAR):
        problems.append(FieldProblem("year", "required", "Say which year the link shows."))
    if purpose is SharePurpose.PORTFOLIO and year is not None:
        problems.append(FieldProblem("year", "not_allowed", "A link to the portfolio has no year."))
    if problems:
        raise InvalidError(problems=problems)
