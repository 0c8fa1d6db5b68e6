"""How a portfolio did: its figures with what they are made of, a benchmark, and what assets and accounts added."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from apps.core.api.times import milliseconds
from apps.core.errors import FieldProblem, InvalidError
from apps.markets.domain.instruments import InstrumentName, InstrumentNameError
from apps.portfolios.domain.completeness import Issue, IssueCode
from apps.portfolios.domain.measures import Flow, settled
from apps.portfolios.domain.performance import Benchmark, Performance, benchmark, cash_flows, performance
from apps.portfolios.models import Portfolio
from apps.portfolios.queries.completeness import issue_row
from apps.portfolios.queries.history import DAY_MS, Lived
from apps.portfolios.queries.stretch_gains import StretchGains

USUAL_BENCHMARK: Final = "BTC"
MOST_PARTS: Final = 5


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one asset or account added to the profit, in money."""

    name: str
    profit: Decimal


@dataclass(frozen=True, slots=True)
class PerformanceAnswer:
    """The figures of a stretch, in the portfolio's money; `figures` is None where nothing had happened by then."""

    currency: str
    start: datetime | None
    end: datetime
    figures: Performance | None
    realised: Decimal
    unrealised: Decimal
    income: Decimal
    fees: Decimal
    benchmark_name: str
    benchmark: Benchmark
    by_asset: tuple[Contribution, ...]
    by_account: tuple[Contribution, ...]
    flows: tuple[Flow, ...]
    pending: bool
    simulated: bool
    completeness: Mapping[str, Any]


def benchmark_assets(*, text: str) -> list[str]:
    """Return the assets that a benchmark means: one, several with a plus between, or a market's base."""
    try:
        return [InstrumentName.parse(text).base]
    except InstrumentNameError:
        parts = [part.strip().upper() for part in text.split("+")]
    if not 1 <= len(parts) <= MOST_PARTS or not all(part.isalnum() for part in parts):
        message = "Name an asset such as BTC, several such as BTC+ETH, or a market such as binance:BTC/USDT."
        raise InvalidError(problems=[FieldProblem("benchmark", "invalid", message)])
    return parts


def portfolio_performances(
    *,
    portfolio: Portfolio,
    past: Lived,
    from_: datetime | None,
    to: datetime,
    benchmark_names: Sequence[str] = (USUAL_BENCHMARK,),
    gains: StretchGains,
    completeness: Mapping[str, Any],
) -> tuple[PerformanceAnswer, ...]:
    """Return the figures of a portfolio in `[from, to)` beside each benchmark, from a ledger lived through to its end.

    They are worked out once: the benchmarks alone differ.
    """
    days = past.history.days
    first = days[0].day + 1 if days else 0
    if from_ is not None:
        first = max(first, milliseconds(from_) // DAY_MS)
    last = (milliseconds(to) - 1) // DAY_MS
    figures = performance(days, first_day=first, last_day=last)
    answer = PerformanceAnswer(
        currency=portfolio.currency,
        start=_midnight(first) if days else from_,
        end=to,
        figures=figures,
        realised=gains.realised,
        unrealised=gains.unrealised,
        income=settled(past.history.income),
        fees=settled(past.history.fees),
        benchmark_name="",
        benchmark=Benchmark(None, None),
        by_asset=_contributions(past.history.by_asset),
        by_account=_contributions(past.history.by_account),
        flows=tuple(cash_flows(days, first_day=first, last_day=last)),
        pending=past.pending,
        simulated=past.simulated,
        completeness=_with_days(completeness, figures.unpriced_days if figures else 0),
    )
    return tuple(
        replace(answer, benchmark_name=name, benchmark=_benchmark(past, name, first, last)) for name in benchmark_names
    )


def _benchmark(past: Lived, name: str, first: int, last: int) -> Benchmark:
    parts = [past.prices[asset] for asset in benchmark_assets(text=name) if asset in past.prices]
    return benchmark(past.history.days, first_day=first, last_day=last, parts=parts)


def _with_days(completeness: Mapping[str, Any], unpriced: int) -> dict[str, Any]:
    """Add the days on which something had no price to what is known to be missing."""
    issues = list(completeness.get("issues", []))
    if unpriced:
        issues.append(issue_row(issue=Issue(IssueCode.UNPRICED_DAY, unpriced)))
    return {"score": completeness.get("score", "1"), "issues": issues}


def _contributions(profits: Mapping[str, Decimal]) -> tuple[Contribution, ...]:
    rows: Sequence[Contribution] = [Contribution(name, settled(profit)) for name, profit in profits.items()]
    return tuple(sorted(rows, key=lambda row: (-row.profit, row.name)))


def _midnight(day: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
