"""What money did since the first day, as one line: the time-weighted return day by day, without any amount in it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from apps.portfolios.domain.history import HistoryDay
from apps.portfolios.domain.measures import Day, day_return
from apps.portfolios.domain.measures.arithmetic import WIDE
from apps.portfolios.domain.performance import NEAR_ZERO, date_of

_ONE: Final = Decimal(1)


def growth(days: Sequence[HistoryDay]) -> list[tuple[int, Decimal]]:
    """Return each day with what one unit of money from before the first had become; it stands while there is none."""
    if not days:
        return []
    floor = WIDE.multiply(max(max(abs(day.value), day.inflow) for day in days), NEAR_ZERO)
    grown, before, line = _ONE, days[0], []
    for day in days[1:]:
        if WIDE.add(before.value, day.inflow) > floor:
            grown = WIDE.multiply(grown, WIDE.add(_ONE, day_return(_measured(before), _measured(day))))
        line.append((day.day, grown))
        before = day
    return line


def _measured(day: HistoryDay) -> Day:
    return Day(date_of(day.day), day.value, day.inflow, day.outflow)
