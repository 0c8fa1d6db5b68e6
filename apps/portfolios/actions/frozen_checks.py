"""Comparing the frozen years with a ledger that has moved on, once for each of its versions."""

from apps.portfolios.models import BookedResult, FrozenCheck, Portfolio
from apps.portfolios.queries.freezing import checked_years


def note_checks(*, portfolio: Portfolio, result: BookedResult) -> None:
    """Keep what comparing the frozen years with a result came to, so that it is not done again."""
    rows = [
        FrozenCheck(frozen=row, version=result.version, differs=differs, moved=str(moved))
        for row, differs, moved, is_new in checked_years(portfolio=portfolio, result=result)
        if is_new
    ]
    FrozenCheck.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["frozen"], update_fields=["version", "differs", "moved"]
    )
