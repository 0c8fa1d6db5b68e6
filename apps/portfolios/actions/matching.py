"""Matching: the two sides of a transfer are put together, by their owner or by rules without doubt, and parted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction

from apps.core.errors import ConflictError, FieldProblem, InvalidError, NotFoundError
from apps.core.money import fits, multiply
from apps.portfolios.actions.portfolios import ledger_changed
from apps.portfolios.domain.matching import certain
from apps.portfolios.models import Portfolio, Transaction
from apps.portfolios.models.matching import PartedPair, TransferArrival, TransferMatch
from apps.portfolios.queries.completeness import unmatched_legs
from apps.portfolios.queries.matching import as_leg, leg_of, matched_since, proposals_for
from apps.portfolios.queries.pricing import prices_of

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_ARRIVALS: Final = 20


class NotMatchedError(ConflictError):
    """There is no such match."""

    code = "not_matched"
    title = "Not matched"
    default_detail = "This transfer is not matched. Reload to see what stands there."


def match_transfer(
    *, portfolio: Portfolio, out_id: UUID, arrived_ids: Sequence[UUID], by: User | None, now: datetime
) -> TransferMatch:
    """Say that what left one account is what arrived in others."""
    with transaction.atomic():
        held = Portfolio.objects.select_for_update().get(pk=portfolio.pk)
        out = leg_of(portfolio=held, transaction_id=out_id)
        arrived = [leg_of(portfolio=held, transaction_id=one) for one in dict.fromkeys(arrived_ids)]
        lost = _lost(out, arrived)
        PartedPair.objects.filter(portfolio=held, out_id=out_id, arrived_id__in=arrived_ids).delete()
        made = _put_together(held, out, arrived, _worth(held, out, lost, now), by, now)
        ledger_changed(portfolio=held, since=min(one.at for one in (out, *arrived)))
        return made


def unmatch_transfer(*, portfolio: Portfolio, out_id: UUID) -> None:
    """Say that what left is not what arrived; rules do not put the two together again."""
    with transaction.atomic():
        held = Portfolio.objects.select_for_update().get(pk=portfolio.pk)
        match = TransferMatch.objects.filter(portfolio=held, out=out_id).first()
        if match is None:
            if not Transaction.objects.filter(portfolio=held, pk=out_id).exists():
                raise NotFoundError
            raise NotMatchedError
        arrived = list(match.arrivals.values_list("transaction_id", flat=True))
        PartedPair.objects.bulk_create(
            [PartedPair(portfolio=held, out_id=out_id, arrived_id=one) for one in arrived], ignore_conflicts=True
        )
        since = matched_since(matches=TransferMatch.objects.filter(pk=match.pk))
        match.delete()
        ledger_changed(portfolio=held, since=since)


def match_certain(*, portfolio: Portfolio, now: datetime) -> int:
    """Put together what leaves no doubt; return how many transfers that are."""
    legs = unmatched_legs(portfolio=portfolio)
    if not (legs.filter(to_account=None).exists() and legs.filter(from_account=None).exists()):
        return 0
    sure = certain(proposals_for(portfolio=portfolio))
    if not sure:
        return 0
    with transaction.atomic():
        held = Portfolio.objects.select_for_update().get(pk=portfolio.pk)
        waiting = {str(row.pk): row for row in unmatched_legs(portfolio=held)}
        done: list[datetime] = []
        for one in sure:
            if not {one.out, *one.arrived} <= waiting.keys():
                continue
            out, arrived = waiting[one.out], [waiting[leg] for leg in one.arrived]
            worth = _worth(held, out, _lost(out, arrived), now)
            match = _put_together(held, out, arrived, worth, None, now)
            TransferMatch.objects.filter(pk=match.pk).update(score=one.score, reasons=list(one.reasons))
            done.append(min(leg.at for leg in (out, *arrived)))
        if done:
            ledger_changed(portfolio=held, since=min(done))
    return len(done)


def _lost(out: Transaction, arrived: Sequence[Transaction]) -> Decimal:
    """Return what left and did not arrive, or refuse a pair that cannot be one."""
    problem = None
    if out.to_account_id is not None:
        problem = FieldProblem("out", "not_outgoing", "Choose coins that left one of your accounts.")
    elif not arrived or len(arrived) > MOST_ARRIVALS:
        problem = FieldProblem("in", "too_many", f"Choose one to {MOST_ARRIVALS} arrivals.")
    elif any(one.from_account_id is not None for one in arrived):
        problem = FieldProblem("in", "not_incoming", "Choose coins that came into one of your accounts.")
    elif any(one.asset != out.asset for one in arrived):
        problem = FieldProblem("in", "another_asset", f"What left was {out.asset}.")
    elif any(one.account_id == out.account_id for one in arrived):
        problem = FieldProblem("in", "same_account", "A transfer goes from one account to another.")
    if problem is None:
        lost = as_leg(row=out).amount - sum((as_leg(row=one).amount for one in arrived), Decimal(0))
        if lost >= 0:
            return lost
        problem = FieldProblem("in", "received_too_large", "No more can arrive than was sent.")
    raise InvalidError(problems=[problem])


def _worth(portfolio: Portfolio, out: Transaction, lost: Decimal, now: datetime) -> Decimal | None:
    """Return what the lost part was worth when it left; nothing if that is not known."""
    if not lost or out.fee_value is not None:
        return out.fee_value
    rate = prices_of(assets=[out.asset], currency=portfolio.currency, at=out.at, now=now).get(out.asset)
    worth = None if rate is None or rate.value is None else multiply(lost, rate.value)
    return worth if worth is None or fits(worth) else None


def _put_together(
    portfolio: Portfolio,
    out: Transaction,
    arrived: Sequence[Transaction],
    worth: Decimal | None,
    by: User | None,
    now: datetime,
) -> TransferMatch:
    match = TransferMatch.objects.create(portfolio=portfolio, out=out, fee_value=worth, by=by, created_at=now)
    TransferArrival.objects.bulk_create([TransferArrival(transaction=one, match=match) for one in arrived])
    return match
