"""The money-weighted return (XIRR): the yearly rate at which all money in and out comes to nothing.

With v = (1 + r)^(-1/365) the question is where the sum of amount x v^days is zero for v above 0. Everything is
relative to the amounts, so that their size does not matter. Descartes and Laguerre tell how many answers there can be.
Where there are several, the one with the sign of the profit counts, and of those the one nearest to zero: whoever
made money is shown no loss, and nobody is shown the wilder of two rates.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Final

from apps.portfolios.domain.measures.arithmetic import ONE, WIDE, ZERO, total

DAYS_A_YEAR: Final = 365
#: With more changes of sign than this the answers are looked for step by step, in place of one by one.
MOST_CHANGES: Final = 12

_NEAR: Final = Decimal("1.0001")
_SAME: Final = Decimal("1e-110")
_NOTHING: Final = Decimal("1e-90")
_FIRST_STEP: Final = Decimal("0.0001")
_STEP_GROWTH: Final = Decimal("1.03")


@dataclass(frozen=True, slots=True)
class Flow:
    """Money on a day: put in is negative, taken out or there at the end is positive."""

    date: date
    amount: Decimal


#: Days since the first flow and an amount, ascending by days.
_Term = tuple[int, Decimal]


def xirr(flows: Iterable[Flow]) -> Decimal | None:
    """Return the yearly rate of return by actual days over 365, or None where no rate solves it."""
    terms = _terms(flows)
    if not _changes(amount for _day, amount in terms):
        return None
    factor = _factor(terms)
    if factor is None:
        return None
    return WIDE.subtract(WIDE.divide(ONE, WIDE.power(factor, DAYS_A_YEAR)), ONE)


def _terms(flows: Iterable[Flow]) -> list[_Term]:
    """Return what moved on each day, days on which nothing moved left out."""
    by_day: dict[date, Decimal] = {}
    for flow in flows:
        by_day[flow.date] = WIDE.add(by_day.get(flow.date, ZERO), flow.amount)
    moved = sorted(day for day, amount in by_day.items() if amount)
    return [((day - moved[0]).days, by_day[day]) for day in moved]


def _changes(numbers: Iterable[Decimal]) -> int:
    signs = [number > 0 for number in numbers if number]
    return sum(one != other for one, other in pairwise(signs))


def _factor(terms: Sequence[_Term]) -> Decimal | None:
    """Return what a day's waiting divides by, at the rate that counts."""
    profit = total(amount for _day, amount in terms)
    if not profit:
        return ONE
    low, high = _reach(terms)
    # Positive rates are where the factor is below 1: a gain is looked for there first, a loss above.
    sides = (low, high) if profit > 0 else (high, low)
    found = (_nearest(terms, side) for side in sides)
    return next((factor for factor in found if factor is not None), None)


def _nearest(terms: Sequence[_Term], end: Decimal) -> Decimal | None:
    """Return the answer nearest to 1 on its way to an end; running sums say how many there can be (Laguerre)."""
    sums = accumulate((amount for _day, amount in (terms if end < ONE else terms[::-1])), WIDE.add)
    most = _changes(sums)
    low, high = min(end, ONE), max(end, ONE)
    if not most:
        return None
    if most == 1:
        return _solved(terms, low, high)
    if _changes(amount for _day, amount in terms) > MOST_CHANGES:
        return _first_met(terms, end)
    found = _between(terms, [low, *_turning_points(terms, low, high), high])
    return min(found, key=_distance, default=None)


def _distance(factor: Decimal) -> Decimal:
    return max(factor, WIDE.divide(ONE, factor))


def _reach(terms: Sequence[_Term]) -> tuple[Decimal, Decimal]:
    """Return between which factors every answer lies (Cauchy's bound)."""
    largest = max(amount.copy_abs() for _day, amount in terms)
    first, last = terms[0][1].copy_abs(), terms[-1][1].copy_abs()
    low = WIDE.divide(first, WIDE.add(first, largest))
    high = WIDE.divide(WIDE.add(last, largest), last)
    return low, high


def _turning_points(terms: Sequence[_Term], low: Decimal, high: Decimal) -> list[Decimal]:
    """Return where the sum, divided by v to a power, turns: its answers lie between those places (Rolle).

    The power lies between the days of a change of sign, so that what is asked next has one change less.
    """
    change = next((k for k in range(1, len(terms)) if (terms[k][1] > 0) != (terms[k - 1][1] > 0)), None)
    if change is None:
        return []
    twice = terms[change - 1][0] + terms[change][0]
    slope = [(day, WIDE.multiply(amount, Decimal(2 * day - twice))) for day, amount in terms]
    return _between(slope, [low, *_turning_points(slope, low, high), high])


def _first_met(terms: Sequence[_Term], end: Decimal) -> Decimal | None:
    """Walk from 1 to an end in growing steps until the sum changes its sign."""
    step, near = _FIRST_STEP, ONE
    rising = _evaluated(terms, ONE)[0] > 0
    while near != end:
        grown = WIDE.add(ONE, step)
        far = max(end, WIDE.divide(near, grown)) if end < ONE else min(end, WIDE.multiply(near, grown))
        if (_evaluated(terms, far)[0] > 0) != rising:
            return _solved(terms, min(near, far), max(near, far))
        step, near = WIDE.multiply(step, _STEP_GROWTH), far
    return None


def _between(terms: Sequence[_Term], edges: Sequence[Decimal]) -> list[Decimal]:
    """Return the answers that lie at or between neighboring edges."""
    values = [_sign(terms, edge) for edge in edges]
    found = [edge for edge, sign in zip(edges, values, strict=True) if not sign]
    for (start, before), (end, after) in pairwise(zip(edges, values, strict=True)):
        if before * after < 0:
            found.append(_solved(terms, start, end))
    return sorted(found)


def _sign(terms: Sequence[_Term], factor: Decimal) -> int:
    """Return the sign of the sum; what is nothing beside its own parts is zero, as where it only touches zero."""
    value, _slope = _evaluated(terms, factor)
    size, _rise = _evaluated([(day, amount.copy_abs()) for day, amount in terms], factor)
    if value.copy_abs() <= WIDE.multiply(size, _NOTHING):
        return 0
    return 1 if value > 0 else -1


def _solved(terms: Sequence[_Term], low: Decimal, high: Decimal) -> Decimal:
    """Return the answer between two factors at which the sum has opposite signs: halved, then by Newton's steps."""
    rising = _evaluated(terms, high)[0] > 0
    place = WIDE.sqrt(WIDE.multiply(low, high))
    while True:
        value, slope = _evaluated(terms, place)
        low, high = (low, place) if (value > 0) == rising else (place, high)
        following = WIDE.sqrt(WIDE.multiply(low, high))
        if slope and WIDE.divide(high, low) < _NEAR:
            # The slope is v times the derivative, so that the step is relative to the place.
            newton = WIDE.subtract(place, WIDE.divide(WIDE.multiply(value, place), slope))
            following = newton if low <= newton <= high else following
        if not value or WIDE.subtract(following, place).copy_abs() <= WIDE.multiply(place, _SAME):
            return place
        place = following


def _evaluated(terms: Sequence[_Term], factor: Decimal) -> tuple[Decimal, Decimal]:
    """Return the sum at a factor, and the factor times its derivative there."""
    value, slope, after = ZERO, ZERO, terms[-1][0]
    powers: dict[int, Decimal] = {}
    for day, amount in reversed(terms):
        gap = after - day
        if gap not in powers:
            powers[gap] = WIDE.power(factor, gap)
        value = WIDE.add(WIDE.multiply(value, powers[gap]), amount)
        slope = WIDE.add(WIDE.multiply(slope, powers[gap]), WIDE.multiply(amount, Decimal(day)))
        after = day
    return value, slope
