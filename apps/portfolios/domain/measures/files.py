"""A file of days, flows or returns in, its figures as text out: the offline calculator without its command."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Final, TypeAlias

from apps.core.money import AmountError, parse_amount
from apps.portfolios.domain.measures.arithmetic import ZERO, figure
from apps.portfolios.domain.measures.linking import Day, daily_returns, linked
from apps.portfolios.domain.measures.money_weighted import Flow, xirr
from apps.portfolios.domain.measures.risk import PERIODS_A_YEAR, risk_figures

_MOST_PERIODS: Final = 1_000_000
Result: TypeAlias = dict[str, str | list[str | None] | None]


class MeasureFileError(ValueError):
    """A file that cannot be measured; its text is one sentence for the person."""


def measure(document: object) -> Result:
    """Return the figures of a file's days, flows and returns, whichever of them it holds."""
    if not isinstance(document, Mapping):
        raise MeasureFileError('The file holds no JSON object with "days", "flows" or "returns".')
    parts = [part for name, part in _PARTS.items() if name in document]
    if not parts:
        raise MeasureFileError('The file holds none of "days", "flows" and "returns".')
    result: Result = {}
    for part in parts:
        result |= part(document)
    return result


def _of_days(document: Mapping[str, object]) -> Result:
    days = sorted((_day(place, row) for place, row in _rows(document, "days")), key=lambda day: day.date)
    for one, other in pairwise(days):
        if one.date == other.date:
            raise MeasureFileError(f'"days" holds {one.date.isoformat()} twice; give each day once.')
    returns = daily_returns(days)
    return {"daily": [figure(one) for one in returns], "twr": figure(linked(returns)) if days else None}


def _of_flows(document: Mapping[str, object]) -> Result:
    flows = [Flow(_date(place, row), _number(place, row, "amount")) for place, row in _rows(document, "flows")]
    return {"xirr": figure(xirr(flows))}


def _of_returns(document: Mapping[str, object]) -> Result:
    given = document["returns"]
    if not isinstance(given, list):
        raise MeasureFileError('"returns" is not a list.')
    returns = [_parsed(f"returns[{index}]", value) for index, value in enumerate(given)]
    risk_free = _setting(document, "risk_free", ZERO)
    periods = _setting(document, "periods", PERIODS_A_YEAR)
    if risk_free <= -1:
        raise MeasureFileError('"risk_free" lies above -1; 0.03 is three percent a year.')
    if not 0 < periods <= _MOST_PERIODS:
        raise MeasureFileError('"periods" is how many returns make a year: above 0, and at most a million.')
    found = risk_figures(returns, risk_free=risk_free, periods=periods)
    return {
        "total_return": figure(found.total_return),
        "cagr": figure(found.cagr),
        "volatility": figure(found.volatility),
        "sharpe": figure(found.sharpe),
        "sortino": figure(found.sortino),
        "max_drawdown": figure(found.max_drawdown),
        "calmar": figure(found.calmar),
        "var_5pct_historical": figure(found.var_5pct_historical),
    }


_PARTS: Final[Mapping[str, Callable[[Mapping[str, object]], Result]]] = {
    "days": _of_days,
    "flows": _of_flows,
    "returns": _of_returns,
}


def _rows(document: Mapping[str, object], name: str) -> list[tuple[str, Mapping[str, object]]]:
    given = document[name]
    if not isinstance(given, list):
        raise MeasureFileError(f'"{name}" is not a list.')
    rows = []
    for index, row in enumerate(given):
        if not isinstance(row, Mapping):
            raise MeasureFileError(f"{name}[{index}] is not an object.")
        rows.append((f"{name}[{index}]", row))
    return rows


def _day(place: str, row: Mapping[str, object]) -> Day:
    inflow, outflow = (_number(place, row, name, ZERO) for name in ("inflow", "outflow"))
    return Day(_date(place, row), _number(place, row, "value_end"), inflow, outflow)


def _date(place: str, row: Mapping[str, object]) -> date:
    """Return a row's day; a moment stands for its day in UTC."""
    given = row.get("date")
    if not isinstance(given, str):
        raise MeasureFileError(f"{place} needs a date such as 2024-03-01.")
    try:
        moment = datetime.fromisoformat(given)
        return (moment.astimezone(UTC) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError):
        raise MeasureFileError(f"{place} has no date of the calendar; write it as 2024-03-01.") from None


def _number(place: str, row: Mapping[str, object], name: str, absent: Decimal | None = None) -> Decimal:
    given = row.get(name)
    if given is None and absent is not None:
        return absent
    return _parsed(f"{place}.{name}", given)


def _setting(document: Mapping[str, object], name: str, absent: Decimal) -> Decimal:
    given = document.get(name)
    return absent if given is None else _parsed(name, given)


def _parsed(place: str, value: object) -> Decimal:
    """Return a number given as text or as an exactly read JSON number."""
    if value is None:
        raise MeasureFileError(f"{place} is missing.")
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise MeasureFileError(f"{place} is not a number.")
    try:
        return parse_amount(value)
    except AmountError as error:
        raise MeasureFileError(f"{place}: {error.message}") from None
