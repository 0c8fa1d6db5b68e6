"""Performance figures: returns by time and by money, risk, drawdown. Exact decimals throughout."""

from apps.portfolios.domain.measures.arithmetic import figure, settled
from apps.portfolios.domain.measures.files import MeasureFileError, measure
from apps.portfolios.domain.measures.linking import Day, daily_returns, day_return, linked
from apps.portfolios.domain.measures.money_weighted import Flow, xirr
from apps.portfolios.domain.measures.risk import Drawdown, RiskFigures, drawdown, quantile, risk_figures

__all__ = [
    "Day",
    "Drawdown",
    "Flow",
    "MeasureFileError",
    "RiskFigures",
    "daily_returns",
    "day_return",
    "drawdown",
    "figure",
    "linked",
    "measure",
    "quantile",
    "risk_figures",
    "settled",
    "xirr",
]
