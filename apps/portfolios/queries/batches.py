"""What filled a portfolio, and what each batch changes."""

from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from apps.core.errors import NotFoundError
from apps.portfolios.domain.movements import effect
from apps.portfolios.models import Batch, Portfolio, Transaction
from apps.portfolios.queries.ledger import entries_of


def batches_of(*, portfolio: Portfolio) -> QuerySet[Batch]:
    """Return what filled the portfolio, newest first."""
    return Batch.objects.filter(portfolio=portfolio).select_related("by").order_by("-id")


def batch_of(*, portfolio: Portfolio, batch_id: UUID) -> Batch:
    """Return a batch of the portfolio, or raise `NotFoundError`."""
    found = batches_of(portfolio=portfolio).filter(pk=batch_id).first()
    if found is None:
        raise NotFoundError
    return found


def effect_of_batch(*, batch: Batch) -> dict[str, Decimal]:
    """Return what the batch's standing entries add to each asset, or take from it."""
    rows = Transaction.objects.filter(batch=batch).standing()
    return effect(entries_of(portfolio=batch.portfolio, rows=rows), money=batch.portfolio.currency)
