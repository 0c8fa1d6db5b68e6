"""Booking: the ledger's result under a policy is made anew when the ledger has moved on, and kept."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from apps.core.ids import uuid7
from apps.core.locks import LockTakenError, lock
from apps.portfolios.actions.addresses import apply_answers
from apps.portfolios.actions.booked import Made, made_from
from apps.portfolios.actions.keeping_past import keep_past
from apps.portfolios.actions.matching import match_certain
from apps.portfolios.actions.pricing import value_entries
from apps.portfolios.actions.valuing import keep_holdings, revalue
from apps.portfolios.domain.booking.checkpoints import DamagedError
from apps.portfolios.domain.held import CLOSING
from apps.portfolios.domain.policy import Policy
from apps.portfolios.domain.timeline import Timeline, always, timeline_as_kept
from apps.portfolios.models import (
    BookedLots,
    BookedPart,
    BookedResult,
    Checkpoint,
    LedgerChange,
    Portfolio,
    Valuation,
    ValueState,
)
from apps.portfolios.queries.booking import policy_hash
from apps.portfolios.queries.checkpoints import Resting, resting_of
from apps.portfolios.queries.portfolios import timeline_of

log = structlog.get_logger(__name__)

#: Results of other policies than its own that are kept for a portfolio.
MOST_RESULTS: Final = 12
#: So many values are looked up while somebody waits; the sweep finds the others.
_VALUES_AT_ONCE: Final = 20
MOST_SWEPT: Final = 100
_LONGEST_BOOKING: Final = 120.0
_MOST_ROUNDS: Final = 3
#: So many changes of a ledger are remembered; a result that is further behind is made from the beginning.
MOST_CHANGES: Final = 1_000
_FROM_THE_BEGINNING: Final = "A checkpoint cannot be used; the ledger is booked from the beginning"


def ensure_booked(*, portfolio: Portfolio, policy: Policy | None = None, now: datetime) -> BookedResult:
    """Return the result under a policy, the portfolio's own unless another is given; book if the ledger moved on."""
    wanted = always(policy) if policy else timeline_of(portfolio=portfolio)
    kept = BookedResult.objects.filter(portfolio=portfolio, policy_hash=policy_hash(policy=wanted)).first()
    if kept is not None and kept.version == portfolio.version:
        return kept
    return recompute(portfolio_id=portfolio.pk, policy=policy, now=now)


def recompute(*, portfolio_id: UUID, policy: Policy | None = None, now: datetime) -> BookedResult:
    """Book a ledger as it stands and keep the result; what comes in meanwhile is left to the next booking."""
    portfolio = Portfolio.objects.get(pk=portfolio_id)
    matched = match_certain(portfolio=portfolio, now=now) + apply_answers(portfolio=portfolio, now=now)
    if value_entries(portfolio=portfolio, most=_VALUES_AT_ONCE, now=now) or matched:
        portfolio.refresh_from_db()
    own = timeline_of(portfolio=portfolio)
    wanted = always(policy) if policy else own
    told = BookedResult(
        portfolio=portfolio,
        policy=timeline_as_kept(wanted),
        policy_hash=policy_hash(policy=wanted),
        is_own=wanted == own,
        version=portfolio.version,
        booked_at=now,
    )
    kept = _keep(_made(told, wanted, resting=_resting(portfolio, told.policy_hash)))
    return kept or _keep(_made(told, wanted, resting=None)) or told


def _resting(portfolio: Portfolio, policy_hash: str) -> Resting | None:
    try:
        return resting_of(portfolio=portfolio, policy_hash=policy_hash)
    except DamagedError:
        log.warning(_FROM_THE_BEGINNING, portfolio=portfolio.pk)
        return None


def _made(told: BookedResult, rules: Timeline, *, resting: Resting | None) -> Made:
    """Book from the checkpoint, or from the beginning where what it left behind cannot be used."""
    if resting is not None:
        told.pk, told.revision = resting.result.pk, resting.result.revision + 1
        try:
            return made_from(result=told, rules=rules, resting=resting)
        except DamagedError:
            log.warning(_FROM_THE_BEGINNING, portfolio=told.portfolio_id)
    told.pk, told.revision = uuid7(), 0
    return made_from(result=told, rules=rules, resting=None)


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
            keep_past(portfolio=portfolio, now=now)  # so that its first reader need not wait for it
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


def _keep(made: Made) -> BookedResult | None:
    """Write a result in place of the one before it; nothing where that one is not what booking went on from."""
    result = made.result
    with transaction.atomic():
        portfolio = Portfolio.objects.select_for_update().get(pk=result.portfolio_id)
        same = BookedResult.objects.filter(portfolio=portfolio)
        there = same.filter(policy_hash=result.policy_hash).first()
        if there is not None and there.version > result.version:
            return there
        if result.is_own and not (there is not None and there.is_own):
            same.filter(is_own=True).exclude(policy_hash=result.policy_hash).update(is_own=False)
        if made.resting is None:
            same.filter(policy_hash=result.policy_hash).delete()
            result.save(force_insert=True)
        elif there is None or (there.pk, there.revision) != (result.pk, result.revision - 1):
            return None
        else:
            result.save(force_update=True)
            _make_room(made, made.resting.position)
        BookedPart.objects.bulk_create(made.parts)
        BookedLots.objects.bulk_create(made.lots)
        Checkpoint.objects.bulk_create(made.checkpoints)
        _drop(made)
        if there is None:
            stale = same.filter(is_own=False).order_by("-booked_at").values_list("pk", flat=True)[MOST_RESULTS:]
            same.filter(pk__in=list(stale)).delete()
        LedgerChange.objects.filter(portfolio=portfolio, version__lte=result.version - MOST_CHANGES).delete()
        if result.is_own:
            keep_holdings(portfolio=portfolio, booking=made.end)
            portfolio.booked_version = max(portfolio.booked_version, result.version)
            portfolio.save(update_fields=["booked_version"])
    return result


def _make_room(made: Made, position: int) -> None:
    """Delete what an earlier booking brought after the checkpoint."""
    of_result = {"result": made.result.pk}
    BookedPart.objects.filter(Q(name=CLOSING) | Q(start__gte=position), **of_result).delete()
    BookedLots.objects.filter(position__gt=position, **of_result).delete()
    Checkpoint.objects.filter(position__gt=position, **of_result).delete()


def _drop(made: Made) -> None:
    """Delete checkpoints that stand too close, and lots that only they showed."""
    if not made.dropped:
        return
    rows = Checkpoint.objects.filter(result=made.result)
    rows.filter(position__in=made.dropped).delete()
    kept = sorted(rows.values_list("position", flat=True))
    lots = BookedLots.objects.filter(result=made.result)
    for position in made.dropped:
        after = max((one for one in kept if one < position), default=0)
        until = next((one for one in kept if one > position), made.result.entries)
        same = lots.filter(asset=OuterRef("asset"), account=OuterRef("account"), position__lte=until)
        hidden = Exists(same.filter(position__gt=OuterRef("position")))
        lots.filter(hidden, position__gt=after, position__lte=position).delete()
