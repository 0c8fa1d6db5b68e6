"""What the ledger has of an account: entries of files, batches of syncs, and what was last seen to be held."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from apps.portfolios.models import BatchKind, BatchState, Transaction, TransactionQuerySet
from apps.portfolios.models.observed import ObservedBalance

#: What brings the entries of a sync into the ledger.
SYNC: Final = BatchKind.SYNC


def file_entries(*, account_id: UUID) -> TransactionQuerySet:
    """Return the entries of an account that files have told and that count."""
    return Transaction.objects.standing().filter(account=account_id, batch__kind=BatchKind.IMPORT)


def proposed_seam(*, account_id: UUID) -> datetime | None:
    """Return when the last entry happened that files have told of an account: the seam to a connection."""
    rows = file_entries(account_id=account_id).order_by("-at")
    return rows.values_list("at", flat=True).first()


def sync_batches(*, account_id: UUID) -> list[UUID]:
    """Return the batches that syncs have posted to an account and that count, newest first."""
    rows = Transaction.objects.filter(account=account_id, batch__kind=BatchKind.SYNC, batch__state=BatchState.COMMITTED)
    return sorted(set(rows.order_by().values_list("batch", flat=True)), reverse=True)


def last_seen(*, account_id: UUID) -> dict[str, Decimal]:
    """Return what the venue last said that an account holds, zeros of coins that it once held included."""
    return dict(ObservedBalance.objects.filter(account=account_id).values_list("asset", "amount"))
