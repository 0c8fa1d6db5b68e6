"""Booking: the ledger's result under a policy is made anew when the ledger has moved on, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.core.locks import LockTakenError, lock
from apps.portfolios.actions.matching import match_certain
from apps.portfolios.actions.pricing import value_entries
from apps.portfolios.actions.valuing import keep_holdings, revalue
from apps.portfolios.domain.booking import Booking, book
from apps.portfolios.domain.completeness import Issue
from apps.portfolios.domain.held import CLOSING, booking_issues, legs_among, parts
from apps.portfolios.domain.policy import Policy, policy_as_portable
from apps.portfolios.models import BookedPart, BookedResult, Portfolio, Valuation, ValueState
from apps.portfolios.queries.booking import input_hash, packed, policy_hash
from apps.portfolios.queries.ledger import ledger_entries
from apps.portfolios.queries.portfolios import policy_of

#: Results of other policies than its own that are kept for a portfolio.
MOST_RESULTS: Final = 12
#: So many values are looked up while somebody waits; the sweep finds the others.
_VALUES_AT_ONCE: Final = 20
MOST_SWEPT: Final = 100
_LONGEST_BOOKING: Final = 120.0
_MOST_ROUNDS: Final = 3


def ensure_booked(*, portfolio: Portfolio, policy: Policy | None = None, now: datetime) -> BookedResult:
    """Return the result under a policy, the portfolio's own unless another is given; book if the ledger moved on."""
    wanted = policy or policy_of(portfolio=portfolio)
    kept = BookedResult.objects.filter(portfolio=portfolio, policy_hash=policy_hash(policy=wanted)).first()
    if kept is not None and kept.version == portfolio.version:
        return kept
    return recompute(portfolio_id=portfolio.pk, policy=policy, now=now)


def recompute(*, portfolio_id: UUID, policy: Policy | None = None, now: datetime) -> BookedResult:
    """Book a ledger as it stands and keep the result; what comes in meanwhile is left to the next booking."""
    portfolio = Portfolio.objects.get(pk=portfolio_id)
    matched = match_certain(portfolio=portfolio, now=now)
    if value_entries(portfolio=portfolio, most=_VALUES_AT_ONCE, now=now) or matched:
        portfolio.refresh_from_db()
    own = policy_of(portfolio=portfolio)
    wanted = policy or own
    version = portfolio.version
    entries = ledger_entries(portfolio=portfolio)
    digest = input_hash(entries=entries, policy=wanted, currency=portfolio.currency)
    booking = book(entries, wanted, quote=portfolio.currency)
    issues = booking_issues(booking, legs=legs_among(entries))
    return _keep(
        BookedResult(
            portfolio=portfolio,
            policy=policy_as_portable(wanted),
            policy_hash=policy_hash(policy=wanted),
            is_own=wanted == own,
            version=version,
            input_hash=digest,
            entries=len(entries),
            booked_at=now,
        ),
        booking,
        issues,
    )


def book_one(*, portfolio_id: UUID, now: datetime) -> bool:
    """Book and value one ledger, unless its result is that of what stands there; tell whether there was work."""
    portfolio = Portfolio.objects.filter(pk=portfolio_id).first()
    if portfolio is None or portfolio.booked_version == portfolio.version:
        return False
    try:
        with lock(f"portfolios:book:{portfolio_id}", seconds=_LONGEST_BOOKING):
            for _round in range(_MOST_ROUNDS):  # what comes in meanwhile found the lock taken
                recompute(portfolio_id=portfolio_id, now=now)
                if not Portfolio.objects.unbooked().filter(pk=portfolio_id).exists():
                    break
            revalue(portfolio_id=portfolio_id, now=now)
    except LockTakenError:
        return False
    return True


def book_behind(*, now: datetime) -> int:
    """Book the ledgers that have moved on without anybody hearing of it, and go on looking for values."""
    behind = list(Portfolio.objects.unbooked().order_by("id").values_list("pk", flat=True)[:MOST_SWEPT])
    booked = sum(book_one(portfolio_id=portfolio_id, now=now) for portfolio_id in behind)
    open_values = Valuation.objects.filter(state=ValueState.PENDING, transaction__reversed_in=None)
    waiting = open_values.order_by("portfolio").values_list("portfolio", flat=True).distinct()[:MOST_SWEPT]
    for portfolio in Portfolio.objects.filter(pk__in=list(waiting)):
        value_entries(portfolio=portfolio, now=now)
    return booked


def _keep(result: BookedResult, booking: Booking, issues: Sequence[Issue]) -> BookedResult:
    found = parts(booking)
    closing = found[CLOSING]
    totals = {name: closing[name] for name in closing if name.startswith(("realised_", "income_", "fees_"))}
    result.totals = {**totals, "issues": [[issue.code.value, issue.count] for issue in issues]}
    with transaction.atomic():
        portfolio = Portfolio.objects.select_for_update().get(pk=result.portfolio_id)
        same = BookedResult.objects.filter(portfolio=portfolio)
        newer = same.filter(policy_hash=result.policy_hash, version__gt=result.version).first()
        if newer is not None:
            return newer
        if result.is_own:
            same.filter(is_own=True).exclude(policy_hash=result.policy_hash).update(is_own=False)
        same.filter(policy_hash=result.policy_hash).delete()
        result.save(force_insert=True)
        BookedPart.objects.bulk_create(
            [BookedPart(result=result, name=name, body=packed(part=part)) for name, part in found.items()]
        )
        stale = same.filter(is_own=False).order_by("-booked_at").values_list("pk", flat=True)[MOST_RESULTS:]
        same.filter(pk__in=list(stale)).delete()
        if result.is_own:
            keep_holdings(portfolio=portfolio, booking=booking)
            portfolio.booked_version = max(portfolio.booked_version, result.version)
            portfolio.save(update_fields=["booked_version"])
    return result
