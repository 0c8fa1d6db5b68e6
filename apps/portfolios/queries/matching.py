"""Transfers of which one side is not known yet, what they may be, and those that are matched."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Min, QuerySet

from apps.core.api.times import iso_z
from apps.core.errors import NotFoundError
from apps.core.money import plain
from apps.portfolios.domain.matching import PROPOSED, Leg, Proposal, proposals
from apps.portfolios.domain.transactions import microseconds
from apps.portfolios.models import Portfolio, Transaction, TransactionQuerySet
from apps.portfolios.models.matching import PartedPair, TransferMatch
from apps.portfolios.queries.completeness import unmatched_legs


def legs_to_match(*, portfolio: Portfolio) -> TransactionQuerySet:
    """Return the transfers that wait for their other side, newest first."""
    return unmatched_legs(portfolio=portfolio).select_related("account").newest_first()


def leg_of(*, portfolio: Portfolio, transaction_id: UUID) -> Transaction:
    """Return a transfer that waits for its other side, or raise `NotFoundError`."""
    found = legs_to_match(portfolio=portfolio).filter(pk=transaction_id).first()
    if found is None:
        raise NotFoundError
    return found


def as_leg(*, row: Transaction) -> Leg:
    """Return a waiting transfer as matching sees it: what was sent, or what arrived."""
    came = row.amount if row.received is None or row.to_account_id is None else row.received
    return Leg(
        id=str(row.pk),
        at_us=microseconds(row.at),
        asset=row.asset,
        amount=came or Decimal(0),
        account=str(row.account_id),
        tx_hash=row.tx_hash,
    )


def proposals_for(*, portfolio: Portfolio) -> list[Proposal]:
    """Return what the waiting transfers of a portfolio may be, the likeliest first."""
    rows = list(unmatched_legs(portfolio=portfolio))
    outs = [as_leg(row=row) for row in rows if row.to_account_id is None]
    ins = [as_leg(row=row) for row in rows if row.from_account_id is None]
    parted = PartedPair.objects.filter(portfolio=portfolio).values_list("out_id", "arrived_id")
    refused = {(str(out), str(arrived)) for out, arrived in parted}
    return [one for one in proposals(outs, ins, refused=refused) if one.score >= PROPOSED]


def unmatched_rows(*, rows: list[Transaction], found: list[Proposal]) -> list[dict[str, Any]]:
    """Return waiting transfers as answers have them, each with what it may be."""
    return [
        {
            **leg_row(row=row),
            "candidates": [
                {"out": one.out, "in": list(one.arrived), "score": one.score, "reasons": list(one.reasons)}
                for one in found
                if str(row.pk) in {one.out, *one.arrived}
            ],
        }
        for row in rows
    ]


def leg_row(*, row: Transaction) -> dict[str, Any]:
    """Return one side of a transfer as answers have it."""
    leg = as_leg(row=row)
    return {
        "id": leg.id,
        "direction": "out" if row.to_account_id is None else "in",
        "ts": iso_z(row.at),
        "asset": leg.asset,
        "amount": plain(leg.amount),
        "account": row.account.name,
        "tx_hash": row.tx_hash,
        "address": row.address,
        "external_id": row.external_id,
    }


def matches_of(*, portfolio: Portfolio) -> QuerySet[TransferMatch]:
    """Return the matched transfers of a portfolio whose sides all stand, newest first."""
    rows = TransferMatch.objects.filter(portfolio=portfolio, out__reversed_in=None)
    return rows.select_related("out__account", "by").prefetch_related("arrivals__transaction__account").order_by("-id")


def matched_since(*, matches: QuerySet[TransferMatch]) -> datetime | None:
    """Return the earliest moment of the sides of these matches."""
    found = matches.aggregate(left=Min("out__at"), came=Min("arrivals__transaction__at"))
    return min((at for at in found.values() if at is not None), default=None)


def match_row(*, match: TransferMatch) -> dict[str, Any]:
    """Return a matched transfer as answers have it."""
    return {
        "id": str(match.pk),
        "out": leg_row(row=match.out),
        "in": [leg_row(row=one.transaction) for one in match.arrivals.all()],
        "score": match.score,
        "reasons": match.reasons,
        "automatic": match.by_id is None,
        "at": iso_z(match.created_at),
    }
