"""What was held at the end of a year: as it was frozen, or as the ledger has it today."""

from datetime import datetime
from typing import Any

from apps.portfolios.models import Portfolio
from apps.portfolios.queries.freezing import frozen_of, is_over, kept_figures, year_end
from apps.portfolios.queries.holdings import holdings_at


def read_year_end(*, portfolio: Portfolio, year: int, now: datetime) -> dict[str, Any] | None:
    """Return the holdings at the end of a year at its prices, nothing while the year goes on.

    Of a frozen year they are those that were frozen, and `today` names the assets of which today's differ.
    """
    if not is_over(year=year, now=now):
        return None
    today = holdings_at(portfolio=portfolio, at=year_end(year=year), now=now)
    row = frozen_of(portfolio=portfolio, year=year)
    if row is None:
        return {"results": today["results"], "total": today["total"], "frozen": False, "today": []}
    kept = kept_figures(row=row)
    return {
        "results": kept["holdings"],
        "total": kept["holdings_total"],
        "frozen": True,
        "today": _otherwise(kept["holdings"], today["results"]),
    }


def _otherwise(then: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the assets of which amount or cost are not as they were frozen, each with both."""
    was, is_now = ({row["asset"]: row for row in rows} for rows in (then, now))
    nothing = {"amount": "0", "cost_basis": "0"}
    found = []
    for asset in sorted({*was, *is_now}):
        before, after = was.get(asset, nothing), is_now.get(asset, nothing)
        if any(before[name] != after[name] for name in nothing):
            found.append(
                {
                    "asset": asset,
                    **{f"{name}_then": before[name] for name in nothing},
                    **{f"{name}_now": after[name] for name in nothing},
                }
            )
    return found
