"""Which frozen years the ledger would have otherwise if an import were booked, or a batch undone; nothing is done."""

from datetime import datetime
from typing import Final

from apps.portfolios.actions.posting import foresee_posting
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.transactions import moment
from apps.portfolios.models import Batch, BatchKind, BatchState, FileImport, Portfolio, Transaction
from apps.portfolios.queries.freezing import frozen_years, frozen_years_changed, frozen_years_from
from apps.portfolios.queries.imports import drafts_of

#: Of more entries it is said which frozen years they may reach, without booking the ledger twice for the answer.
MOST_BOOKED: Final = 20_000


def frozen_years_of_import(*, row: FileImport, now: datetime) -> tuple[int, ...]:
    """Return the frozen years that booking a preview would change, or that undoing a booked import would."""
    if not frozen_years(portfolio=row.portfolio):
        return ()
    if row.state == BatchState.PREVIEW:
        forecast = foresee_posting(portfolio=row.portfolio, drafts=drafts_of(row=row), now=now, kind=BatchKind.IMPORT)
        return frozen_years_of_drafts(portfolio=row.portfolio, drafts=forecast.fresh)
    return () if row.batch is None else frozen_years_of_batch(batch=row.batch)


def frozen_years_of_drafts(*, portfolio: Portfolio, drafts: tuple[EntryDraft, ...]) -> tuple[int, ...]:
    """Return the frozen years that booking these would change."""
    if len(drafts) > MOST_BOOKED:
        first = min(draft.at_us for draft in drafts)
        return frozen_years_from(portfolio=portfolio, first=moment(first))
    return frozen_years_changed(portfolio=portfolio, drafts=drafts)


def frozen_years_of_batch(*, batch: Batch) -> tuple[int, ...]:
    """Return the frozen years that undoing a batch would change."""
    if batch.state != BatchState.COMMITTED or not frozen_years(portfolio=batch.portfolio):
        return ()
    places = Transaction.objects.filter(batch=batch).values("place")
    standing = Transaction.objects.filter(portfolio=batch.portfolio, place__in=places).standing()
    found = dict(standing.order_by("at").values_list("pk", "at")[: MOST_BOOKED + 1])
    if len(found) > MOST_BOOKED:
        return frozen_years_from(portfolio=batch.portfolio, first=min(found.values()))
    return frozen_years_changed(portfolio=batch.portfolio, without={str(pk) for pk in found})
