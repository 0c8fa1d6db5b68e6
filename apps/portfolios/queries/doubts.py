"""What the rules and the money of a portfolio make of an entry that is sound in itself, said before it is booked."""

from collections.abc import Sequence
from typing import Final

from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.transactions import EntryError, EntryType
from apps.portfolios.models import Portfolio
from apps.portfolios.queries.portfolios import timeline_of

NO_POOL: Final = "pool_opening_needs_pool"
OTHER_MONEY: Final = "quote_differs"


def openings_without_pool(*, portfolio: Portfolio, drafts: Sequence[EntryDraft]) -> dict[int, EntryError]:
    """Return what to say of openings of a pool at a time whose rules keep none, by their place among the drafts."""
    openings = [place for place, draft in enumerate(drafts) if draft.type is EntryType.POOL_OPENING]
    if not openings:
        return {}
    rules = timeline_of(portfolio=portfolio)
    said = "The rules of that time book by lots and keep no average pool."
    way = "Post a buy with the date and the cost, or choose average cost or UK pooling first."
    error = EntryError(code=NO_POOL, message=f"{said} {way}", field="type")
    return {place: error for place in openings if not rules.until(drafts[place].at_us).last.pooled}


def other_money(*, portfolio: Portfolio, draft: EntryDraft) -> str:
    """Return what to say of values that are told in another money than the portfolio's, nothing of its own."""
    if draft.quote in {None, portfolio.currency}:
        return ""
    told = f"Its values are told in {draft.quote}, this portfolio counts in {portfolio.currency}."
    return f"{told} They are converted at the rate of that moment, and stay unpriced where none is known."
