"""Freezing a tax year, unlocking it, and taking today's figures into it; what was frozen before stays to be read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from apps.accounts.actions import record_audit
from apps.accounts.domain.origin import NO_REQUEST, RequestMeta
from apps.core.errors import ConflictError, FieldProblem, InvalidError, NotFoundError
from apps.portfolios.actions.portfolios import locked_portfolio
from apps.portfolios.actions.reading import read_today, refresh
from apps.portfolios.domain.frozen import TOTALS
from apps.portfolios.models import FrozenCheck, FrozenEnd, FrozenYear, Portfolio
from apps.portfolios.queries.freezing import (
    difference_of,
    difference_row,
    figures_hash,
    figures_of,
    frozen_row,
    frozen_trail,
    frozen_year,
    is_over,
    packed_figures,
    year_end,
    year_input_hash,
)
from apps.portfolios.queries.holdings import holdings_at
from apps.portfolios.queries.portfolios import portfolio_of
from apps.portfolios.queries.year_issues import year_issues

if TYPE_CHECKING:
    from apps.accounts.models import User


class YearNotOverError(ConflictError):
    """A year that still goes on."""

    code = "year_not_over"
    title = "The year is not over"
    default_detail = "A year can be frozen once it has passed, in UTC."


class YearFrozenError(ConflictError):
    """The year is frozen already."""

    code = "year_frozen"
    title = "Frozen already"
    default_detail = "This year is frozen. Accept today's figures into it, or unlock it."


class OpenIssuesError(ConflictError):
    """Something is missing of the year, and nobody has accepted that."""

    code = "year_has_open_issues"
    title = "Something is missing of this year"
    default_detail = "Mend what errors names, or freeze with accept_issues to keep the figures as they are."


class LedgerMovedError(ConflictError):
    """The ledger changed while it was being frozen, or is not booked yet."""

    code = "ledger_moved"
    title = "The ledger is being booked"
    default_detail = "New entries are being booked. Look at the year again in a moment, then freeze it."


class ReasonNeededError(InvalidError):
    """Unlocking without a word why."""

    code = "reason_needed"
    title = "Say why"
    default_detail = "Give a reason: it stays in the trail of the year."


def freeze_year(
    *,
    user: User,
    portfolio_id: UUID,
    year: int,
    accept_issues: bool = False,
    note: str = "",
    now: datetime,
    request_meta: RequestMeta = NO_REQUEST,
) -> FrozenYear:
    """Keep the figures of a year as they are now; what is missing of it has to be accepted."""
    made = _draft(user, portfolio_id, year, note, now, accept_issues=accept_issues)
    with transaction.atomic():
        _lock(user, made)
        if _standing(made.portfolio, year) is not None:
            raise YearFrozenError
        _keep(made)
        _record(user, "tax_year.frozen", made, now, request_meta)
    return made


def accept_year(
    *,
    user: User,
    portfolio_id: UUID,
    year: int,
    accept_issues: bool = False,
    reason: str = "",
    now: datetime,
    request_meta: RequestMeta = NO_REQUEST,
) -> FrozenYear:
    """Freeze a frozen year anew with the figures of today; the former ones stay in its trail."""
    frozen_year(portfolio=portfolio_of(user=user, portfolio_id=portfolio_id), year=year)
    made = _draft(user, portfolio_id, year, reason, now, accept_issues=accept_issues)
    with transaction.atomic():
        _lock(user, made)
        former = _standing(made.portfolio, year)
        if former is None:
            raise NotFoundError
        if former.result_hash == made.result_hash and former.input_hash == made.input_hash:
            return former
        _end(former, FrozenEnd.REPLACED, user, reason, now)
        _keep(made)
        _record(user, "tax_year.frozen_anew", made, now, request_meta, former=former.result_hash)
    return made


def unlock_year(
    *,
    user: User,
    portfolio_id: UUID,
    year: int,
    reason: str,
    now: datetime,
    request_meta: RequestMeta = NO_REQUEST,
) -> FrozenYear:
    """Let a year follow the ledger again; what was frozen, and why it no longer is, stays to be read."""
    if not reason.strip():
        raise ReasonNeededError(problems=[FieldProblem("reason", ReasonNeededError.code, "Say why.")])
    with transaction.atomic():
        portfolio = locked_portfolio(user=user, portfolio_id=portfolio_id)
        former = _standing(portfolio, year)
        if former is None:
            raise NotFoundError
        _end(former, FrozenEnd.UNLOCKED, user, reason.strip(), now)
        _record(user, "tax_year.unlocked", former, now, request_meta)
    return former


def read_frozen(*, portfolio: Portfolio, year: int, now: datetime) -> dict[str, Any]:
    """Return a frozen year with how today's figures differ, whether its input is the same, and its trail."""
    row = frozen_year(portfolio=portfolio, year=year)
    today = read_today(portfolio=portfolio, year=year, now=now)
    input_hash = year_input_hash(portfolio=portfolio, year=year, policy=today["policy"])
    trail = [frozen_row(row=one) for one in frozen_trail(portfolio=portfolio, year=year)]
    return {
        **frozen_row(row=row),
        **difference_row(found=difference_of(row=row, today=today)),
        "input_changed": input_hash != row.input_hash,
        "trail": trail,
    }


# --- Steps -----------------------------------------------------------------------------------------------------------
def _draft(user: User, portfolio_id: UUID, year: int, note: str, now: datetime, *, accept_issues: bool) -> FrozenYear:
    """Return the year as it is booked now, not kept yet."""
    refresh(portfolio=portfolio_of(user=user, portfolio_id=portfolio_id), now=now)
    portfolio = portfolio_of(user=user, portfolio_id=portfolio_id)
    if not is_over(year=year, now=now):
        raise YearNotOverError
    booked = read_today(portfolio=portfolio, year=year, now=now)
    if booked["stale"]:
        raise LedgerMovedError
    issues = year_issues(portfolio=portfolio, year=year, booked=booked)
    if issues and not accept_issues:
        problems = [FieldProblem("accept_issues", one.code.value, f"{one.count} in {year}") for one in issues]
        raise OpenIssuesError(problems=problems)
    figures = figures_of(booked=booked)
    at_end = holdings_at(portfolio=portfolio, at=year_end(year=year), now=now)
    return FrozenYear(
        portfolio=portfolio,
        year=year,
        currency=portfolio.currency,
        policy=booked["policy"],
        version=portfolio.version,
        input_hash=year_input_hash(portfolio=portfolio, year=year, policy=booked["policy"]),
        result_hash=figures_hash(figures=figures),
        totals={name: figures[name] for name in TOTALS},
        issues=[[one.code.value, one.count] for one in issues],
        body=packed_figures(figures={**figures, "holdings": at_end["results"], "holdings_total": at_end["total"]}),
        note=note.strip(),
        by=user,
        at=now,
    )


def _lock(user: User, made: FrozenYear) -> None:
    """Lock the ledger that a year was read from; one that has moved on meanwhile is read again by the caller."""
    held = locked_portfolio(user=user, portfolio_id=made.portfolio_id)
    if held.version != made.version:
        raise LedgerMovedError


def _standing(portfolio: Portfolio, year: int) -> FrozenYear | None:
    rows = FrozenYear.objects.filter(portfolio=portfolio, year=year).standing()
    return rows.select_for_update().defer("body").first()


def _keep(made: FrozenYear) -> None:
    made.save(force_insert=True)
    FrozenCheck.objects.create(frozen=made, version=made.version, differs=False)


def _end(row: FrozenYear, how: FrozenEnd, user: User, reason: str, now: datetime) -> None:
    row.ended_as, row.ended_by, row.ended_at, row.reason = how, user, now, reason.strip()
    row.save(update_fields=["ended_as", "ended_by", "ended_at", "reason"])


def _record(user: User, action: str, row: FrozenYear, now: datetime, meta: RequestMeta, *, former: str = "") -> None:
    detail: dict[str, str | int | bool | None] = {"year": row.year, "result_hash": row.result_hash}
    if former:
        detail["former_result_hash"] = former
    record_audit(actor=user, action=action, target=str(row.portfolio_id), now=now, detail=detail, request_meta=meta)
