"""The time-weighted return: what the money did day by day, whatever was put in or taken out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from apps.portfolios.domain.measures.arithmetic import ONE, WIDE, ZERO


@dataclass(frozen=True, slots=True)
class Day:
    """What there was at the end of a day, what came in from its start on, and what left at its end."""

    date: date
    value_end: Decimal
    inflow: Decimal = ZERO
    outflow: Decimal = ZERO


def daily_returns(days: Sequence[Day]) -> list[Decimal]:
    """Return each day's return: 0 for the first day and for a day that began with nothing."""
    return [ZERO, *map(day_return, days, days[1:])] if days else []


def linked(returns: Iterable[Decimal]) -> Decimal:
    """Return what returns make together, by product."""
    product = ONE
    for one in returns:
        product = WIDE.multiply(product, WIDE.add(ONE, one))
    return WIDE.subtract(product, ONE)


def day_return(before: Day, day: Day) -> Decimal:
    """Return what the money that was there at a day's start did until its end; 0 where there was none."""
    base = WIDE.add(before.value_end, day.inflow)
    if not base:
        return ZERO
    return WIDE.subtract(WIDE.divide(WIDE.add(day.value_end, day.outflow), base), ONE)
