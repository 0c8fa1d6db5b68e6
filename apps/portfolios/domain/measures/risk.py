"""What returns say together: growth, spread, reward for risk, the worst fall."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from apps.portfolios.domain.measures.arithmetic import ONE, WIDE, ZERO, from_fraction, ratio, total
from apps.portfolios.domain.measures.linking import linked

#: Crypto trades every day of the year.
PERIODS_A_YEAR: Final = Decimal(365)
_VAR_SHARE: Final = Fraction(1, 20)


@dataclass(frozen=True, slots=True)
class RiskFigures:
    """The figures of a series of returns; None where one is not defined."""

    total_return: Decimal | None = None
    cagr: Decimal | None = None
    volatility: Decimal | None = None
    sharpe: Decimal | None = None
    sortino: Decimal | None = None
    max_drawdown: Decimal | None = None
    calmar: Decimal | None = None
    var_5pct_historical: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall from a peak, how many periods the longest time below a peak took, and where it stands now."""

    deepest: Decimal
    longest: int
    current: Decimal


def risk_figures(
    returns: Sequence[Decimal], *, risk_free: Decimal = ZERO, periods: Decimal = PERIODS_A_YEAR
) -> RiskFigures:
    """Return all figures of a series of returns, `periods` of them a year, against a yearly risk-free rate."""
    if not returns:
        return RiskFigures()
    free = WIDE.subtract(WIDE.power(WIDE.add(ONE, risk_free), WIDE.divide(ONE, periods)), ONE)
    excess = WIDE.subtract(_mean(returns), free)
    a_year = WIDE.sqrt(periods)
    spread, downside = _deviation(returns), _downside(returns, free)
    growth, deepest = _cagr(returns, periods), drawdown(returns).deepest
    return RiskFigures(
        total_return=linked(returns),
        cagr=growth,
        volatility=None if spread is None else WIDE.multiply(spread, a_year),
        sharpe=WIDE.multiply(ratio(excess, spread), a_year) if spread else None,
        sortino=WIDE.multiply(ratio(excess, downside), a_year) if downside else None,
        max_drawdown=deepest,
        calmar=ratio(growth, deepest.copy_abs()) if growth is not None and deepest else None,
        var_5pct_historical=quantile(returns, _VAR_SHARE),
    )


def drawdown(returns: Sequence[Decimal]) -> Drawdown:
    """Return how far and how long a series fell below its running peak, its start included."""
    level = peak = ONE
    deepest = current = ZERO
    longest = since_peak = 0
    for one in returns:
        level = WIDE.multiply(level, WIDE.add(ONE, one))
        peak = max(peak, level)
        current = WIDE.subtract(ratio(level, peak), ONE)
        deepest = min(deepest, current)
        since_peak = since_peak + 1 if current else 0
        longest = max(longest, since_peak)
    return Drawdown(deepest, longest, current)


def quantile(numbers: Sequence[Decimal], share: Fraction) -> Decimal:
    """Return the quantile between the two neighbors of its place, by straight line."""
    ordered = sorted(numbers)
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    part = from_fraction(place - below)
    return WIDE.add(ordered[below], WIDE.multiply(part, WIDE.subtract(ordered[above], ordered[below])))


def _mean(numbers: Sequence[Decimal]) -> Decimal:
    return WIDE.divide(total(numbers), Decimal(len(numbers)))


def _deviation(returns: Sequence[Decimal]) -> Decimal | None:
    """Return the sample's standard deviation; returns that are all equal have exactly none."""
    count = len(returns)
    if count < 2:
        return None
    if len(set(returns)) == 1:
        return ZERO
    mean = _mean(returns)
    squares = total(WIDE.power(WIDE.subtract(one, mean), 2) for one in returns)
    return WIDE.sqrt(WIDE.divide(squares, Decimal(count - 1)))


def _downside(returns: Sequence[Decimal], free: Decimal) -> Decimal:
    falls = (min(WIDE.subtract(one, free), ZERO) for one in returns)
    return WIDE.sqrt(WIDE.divide(total(WIDE.power(fall, 2) for fall in falls), Decimal(len(returns))))


def _cagr(returns: Sequence[Decimal], periods: Decimal) -> Decimal | None:
    """Return the yearly growth; there is none once everything and more was lost."""
    grown = WIDE.add(ONE, linked(returns))
    if grown < 0:
        return None
    return WIDE.subtract(WIDE.power(grown, WIDE.divide(periods, Decimal(len(returns)))), ONE)
