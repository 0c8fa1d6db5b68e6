"""Whether a timeline of rules can be for a ledger: nothing in the future, and no opening balance outside a pool."""

from datetime import datetime
from typing import Any

from apps.core.api.times import iso_z
from apps.core.errors import FieldProblem, InvalidError
from apps.portfolios.domain.timeline import Timeline
from apps.portfolios.domain.transactions import EntryType, microseconds
from apps.portfolios.models import Portfolio, Transaction
from apps.portfolios.queries.method_lab import Consequences


def possible_timeline(*, portfolio: Portfolio, timeline: Timeline, now: datetime) -> Timeline:
    """Return the timeline, or raise `InvalidError` that says which of its changes cannot be."""
    if not timeline.changes:
        return timeline
    if timeline.changes[-1].at_us > microseconds(now):
        raise _refused("change_in_the_future", "Rules change at a moment that has passed; choose an earlier one.")
    openings = Transaction.objects.filter(portfolio=portfolio, type=EntryType.POOL_OPENING).standing()
    for at in openings.order_by("at").values_list("at", flat=True):
        if not timeline.at(microseconds(at)).pooled:
            message = (
                f"At {iso_z(at)} stands an opening balance of a pool, and by these rules no pool holds then. "
                "Enter it as a purchase, or let acb or uk_s104 hold at that moment."
            )
            raise _refused("opening_without_pool", message)
    return timeline


def consequences_row(*, found: Consequences) -> dict[str, Any]:
    """Return what other rules would change as it is answered."""
    return {
        "changes": found.changes,
        "years": [
            {"year": one.year, "before": one.before, "after": one.after, "frozen": one.frozen} for one in found.years
        ],
        "realised": {"before": found.realised_before, "after": found.realised_after},
        "cost_left": {"before": found.cost_before, "after": found.cost_after},
        "missing_before": found.missing_before,
        "missing_after": found.missing_after,
    }


def _refused(code: str, message: str) -> InvalidError:
    return InvalidError(problems=[FieldProblem("changes", code, message)])
