"""How a portfolio did between two days: money in and out, returns by time and by money, risk, and a benchmark.

A percentage needs something it is a percentage of: a day that began with next to nothing, measured by the most there
has been, has no return, and neither has a whole stretch. Risk needs 60 days; a yearly rate needs them too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Final

from apps.portfolios.domain.history import DailyPrices, HistoryDay
from apps.portfolios.domain.measures import (
    Day,
    Drawdown,
    Flow,
    RiskFigures,
    day_return,
    drawdown,
    linked,
    risk_figures,
    settled,
    xirr,
)
from apps.portfolios.domain.measures.arithmetic import WIDE

LEAST_SAMPLES: Final = 60
#: A base below this fraction of the most there has been is next to nothing.
NEAR_ZERO: Final = Decimal("0.0001")

_ZERO: Final = Decimal(0)
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What something else did in the same days: its return, and what the same deposits would have become in it."""

    twr: Decimal | None
    same_flows_value: Decimal | None


@dataclass(frozen=True, slots=True)
class Performance:
    """The figures of a stretch of days; None where one is not defined, or not before 60 days."""

    first_day: int
    last_day: int
    start_value: Decimal
    end_value: Decimal
    deposits: Decimal
    withdrawals: Decimal
    profit: Decimal
    twr: Decimal | None
    xirr: Decimal | None
    roi: Decimal | None
    volatility: Decimal | None
    sharpe: Decimal | None
    sortino: Decimal | None
    calmar: Decimal | None
    max_drawdown: Decimal | None
    max_drawdown_days: int | None
    current_drawdown: Decimal | None
    samples: int
    unpriced_days: int


def performance(days: Sequence[HistoryDay], *, first_day: int, last_day: int) -> Performance | None:
    """Return the figures from the start of the first to the end of the last day; None before there was anything."""
    before, chosen = _chosen(days, first_day, last_day)
    if before is None or not chosen:
        return None
    with localcontext(WIDE):
        floor = _next_to_nothing(days, chosen[-1].day)
        returns = _returns(before, chosen, floor)
        put_in = sum((day.inflow for day in chosen), _ZERO)
        profit = chosen[-1].value + sum((day.outflow for day in chosen), _ZERO) - before.value - put_in
        base = before.value + put_in
        risk, fall = _risk(returns)
        enough = len(returns) >= LEAST_SAMPLES
        return Performance(
            first_day=chosen[0].day,
            last_day=chosen[-1].day,
            start_value=settled(before.value),
            end_value=settled(chosen[-1].value),
            deposits=settled(sum((day.deposits for day in chosen), _ZERO)),
            withdrawals=settled(sum((day.withdrawals for day in chosen), _ZERO)),
            profit=settled(profit),
            twr=settled(linked(returns)) if returns else None,
            xirr=_rounded(xirr(_cash(before, chosen))) if enough else None,
            roi=settled(profit / base) if base > floor else None,
            volatility=_rounded(risk.volatility),
            sharpe=_rounded(risk.sharpe),
            sortino=_rounded(risk.sortino),
            calmar=_rounded(risk.calmar),
            max_drawdown=_rounded(risk.max_drawdown),
            max_drawdown_days=None if fall is None else fall.longest,
            current_drawdown=None if fall is None else settled(fall.current),
            samples=len(returns),
            unpriced_days=sum(bool(day.unpriced) for day in chosen),
        )


def benchmark(days: Sequence[HistoryDay], *, first_day: int, last_day: int, parts: Sequence[DailyPrices]) -> Benchmark:
    """Return what equal parts of something else did, and what the same deposits would have become in them."""
    before, chosen = _chosen(days, first_day, last_day)
    if before is None or not chosen or not parts:
        return Benchmark(None, None)
    with localcontext(WIDE):
        grown = [_grown(before, chosen, part) for part in parts]
        same = [_same_flows(before, chosen, part, len(parts)) for part in parts]
    twr = None if None in grown else settled(_sum(grown) / len(parts) - 1)
    return Benchmark(twr, None if None in same else settled(_sum(same)))


def cash_flows(days: Sequence[HistoryDay], *, first_day: int, last_day: int) -> list[Flow]:
    """Return the flows that the money-weighted return is found from, the worth at start and end included."""
    before, chosen = _chosen(days, first_day, last_day)
    with localcontext(WIDE):
        return [] if before is None or not chosen else _cash(before, chosen)


def date_of(day: int) -> date:
    """Return the date of a day that is counted from 1970-01-01."""
    return _EPOCH + timedelta(days=day)


def _chosen(days: Sequence[HistoryDay], first: int, last: int) -> tuple[HistoryDay | None, list[HistoryDay]]:
    """Return the day before the stretch and the days in it; a stretch begins where the history does."""
    if not days:
        return None, []
    chosen = [day for day in days[1:] if first <= day.day <= last]
    before = days[chosen[0].day - days[0].day - 1] if chosen else None
    return before, chosen


def _next_to_nothing(days: Sequence[HistoryDay], last: int) -> Decimal:
    """Return the base below which a percentage says nothing."""
    most = max(max(abs(day.value), day.inflow) for day in days if day.day <= last)
    return most * NEAR_ZERO


def _returns(before: HistoryDay, chosen: Sequence[HistoryDay], floor: Decimal) -> list[Decimal]:
    returns = []
    for day in chosen:
        if before.value + day.inflow > floor:
            returns.append(day_return(_measured(before), _measured(day)))
        before = day
    return returns


def _measured(day: HistoryDay) -> Day:
    return Day(date_of(day.day), day.value, day.inflow, day.outflow)


def _cash(before: HistoryDay, chosen: Sequence[HistoryDay]) -> list[Flow]:
    flows = [Flow(date_of(day.day), day.outflow - day.inflow) for day in chosen if day.outflow != day.inflow]
    start, end = Flow(date_of(before.day), -before.value), Flow(date_of(chosen[-1].day), chosen[-1].value)
    return [flow for flow in (start, *flows, end) if flow.amount]


def _risk(returns: Sequence[Decimal]) -> tuple[RiskFigures, Drawdown | None]:
    if len(returns) < LEAST_SAMPLES:
        return RiskFigures(), None
    return risk_figures(returns), drawdown(returns)


def _rounded(figure: Decimal | None) -> Decimal | None:
    return None if figure is None else settled(figure)


def _sum(numbers: Sequence[Decimal | None]) -> Decimal:
    return sum((number for number in numbers if number is not None), _ZERO)


# --- Something else ---------------------------------------------------------------------------------------------------
def _grown(before: HistoryDay, chosen: Sequence[HistoryDay], part: DailyPrices) -> Decimal | None:
    """Return how many times its first worth the last one is."""
    start = part.value(before.day) or part.value(chosen[0].day)
    end = part.value(chosen[-1].day)
    return None if not start or end is None else end / start


def _same_flows(before: HistoryDay, chosen: Sequence[HistoryDay], part: DailyPrices, parts: int) -> Decimal | None:
    """Return the worth at the end of units bought and sold at each day's close with a part of the same money."""
    units = _ZERO
    moved = [(before.day, before.value), *((day.day, day.inflow - day.outflow) for day in chosen)]
    for day, money in moved:
        if money:
            price = part.value(day)
            if not price:
                return None
            units += money / parts / price
    end = part.value(chosen[-1].day)
    return None if end is None else units * end
