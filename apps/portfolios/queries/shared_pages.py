"""What a visitor with a link sees. Percentages are worked out here, and of the amounts nothing goes further.

A page in percentages is made of fractions, names of assets, dates and counts; `amounts` is None, so that no template
can show, title or draw what is not there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from apps.core import money
from apps.portfolios.queries.history import HistoryAnswer
from apps.portfolios.queries.overview_pages import HoldingRow, OverviewPage, Slice
from apps.portfolios.queries.performance import PerformanceAnswer

#: Hundredths of a percent: enough to read, too few to work back from.
DIGITS: Final = 4
WIDTH: Final = 720
HEIGHT: Final = 200
MOST_POINTS: Final = 240
_DAY_MS: Final = 86_400_000
_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class SharedAmounts:
    """The amounts of one holding, in a link that shows them."""

    amount: Decimal
    price: Decimal | None
    value: Decimal | None
    cost: Decimal
    unrealised: Decimal | None


@dataclass(frozen=True, slots=True)
class SharedHolding:
    """One asset: what part of the whole it is, and how it did."""

    asset: str
    title: str
    weight: Decimal | None
    change_24h: Decimal | None
    gain: Decimal | None
    amounts: SharedAmounts | None

    @property
    def width(self) -> str:
        """Return the length of its bar in percent."""
        return f"{(self.weight or _NOTHING) * 100:.2f}"


@dataclass(frozen=True, slots=True)
class SharedPart:
    """A part of the whole; `value` only where amounts are shown."""

    name: str
    share: Decimal
    start: Decimal
    color: str
    value: Decimal | None

    @property
    def width(self) -> str:
        """Return the length of its bar in percent."""
        return f"{self.share * 100:.2f}"


@dataclass(frozen=True, slots=True)
class SharedLine:
    """A line to be drawn, `zero` where it begins or where nothing is; what its ends and extremes are stands beside."""

    path: str
    zero: str
    first: datetime
    last: datetime
    end: Decimal
    high: Decimal
    low: Decimal
    deposits: str = ""


@dataclass(frozen=True, slots=True)
class SharedFigures:
    """How the portfolio did since its first day, in fractions."""

    twr: Decimal | None
    xirr: Decimal | None
    max_drawdown: Decimal | None
    volatility: Decimal | None
    sharpe: Decimal | None
    benchmark: Decimal | None
    benchmark_name: str
    samples: int


@dataclass(frozen=True, slots=True)
class SharedTotals:
    """The sums of the portfolio, in a link that shows them."""

    total: Decimal
    cost: Decimal
    unrealised: Decimal
    profit: Decimal | None


@dataclass(frozen=True, slots=True)
class SharedPortfolio:
    """A portfolio as its visitor sees it."""

    holdings: tuple[SharedHolding, ...]
    by_kind: tuple[SharedPart, ...]
    by_account: tuple[SharedPart, ...]
    figures: SharedFigures | None
    line: SharedLine | None
    moved_today: Decimal | None
    unpriced: int
    score: Decimal | None
    amounts: SharedTotals | None
    currency: str


def shared_portfolio(
    *,
    page: OverviewPage,
    answer: PerformanceAnswer,
    growth: Sequence[tuple[int, Decimal]],
    history: HistoryAnswer | None,
    currency: str,
) -> SharedPortfolio:
    """Return the page of a portfolio; with its history it shows amounts, without it has none."""
    full = history is not None
    return SharedPortfolio(
        holdings=tuple(_holding(row, page.total, full=full) for row in page.rows),
        by_kind=tuple(_part(one, full=full) for one in page.by_kind),
        by_account=tuple(_part(one, full=full) for one in page.by_account) if full else (),
        figures=_figures(answer),
        line=_growth_line(growth) if history is None else _value_line(history),
        moved_today=_moved_today(page),
        unpriced=page.unpriced + page.pending,
        score=_fraction(Decimal(str(answer.completeness.get("score", "1")))),
        amounts=_totals(page, answer) if full else None,
        currency=currency if full else "",
    )


def _holding(row: HoldingRow, total: Decimal, *, full: bool) -> SharedHolding:
    weight = None if row.value is None or total <= 0 or row.value < 0 else money.divide(row.value, total)
    return SharedHolding(
        asset=row.asset,
        title=row.title,
        weight=_fraction(weight),
        change_24h=_fraction(row.change_24h),
        gain=_fraction(row.gain),
        amounts=SharedAmounts(row.amount, row.price, row.value, row.cost, row.unrealised) if full else None,
    )


def _part(one: Slice, *, full: bool) -> SharedPart:
    share = money.rounded(one.share, digits=DIGITS)
    return SharedPart(one.name, share, money.rounded(one.start, digits=2), one.color, one.value if full else None)


def _figures(answer: PerformanceAnswer) -> SharedFigures | None:
    found = answer.figures
    if found is None:
        return None
    return SharedFigures(
        twr=_fraction(found.twr),
        xirr=_fraction(found.xirr),
        max_drawdown=_fraction(found.max_drawdown),
        volatility=_fraction(found.volatility),
        sharpe=None if found.sharpe is None else money.rounded(found.sharpe, digits=2),
        benchmark=_fraction(answer.benchmark.twr),
        benchmark_name=answer.benchmark_name,
        samples=found.samples,
    )


def _totals(page: OverviewPage, answer: PerformanceAnswer) -> SharedTotals:
    profit = answer.figures.profit if answer.figures else None
    return SharedTotals(page.total, page.cost, page.unrealised, profit)


def _moved_today(page: OverviewPage) -> Decimal | None:
    moved = page.moved_today
    if moved is None or page.total - moved <= 0:
        return None
    return _fraction(money.divide(moved, page.total - moved))


def _fraction(number: Decimal | None) -> Decimal | None:
    return None if number is None else money.rounded(number, digits=DIGITS)


# --- Lines ------------------------------------------------------------------------------------------------------------
def _growth_line(growth: Sequence[tuple[int, Decimal]]) -> SharedLine | None:
    """Draw what one unit became, as gains and losses of it; nothing of amounts is in that."""
    points = [(day * _DAY_MS, money.rounded(grown - 1, digits=DIGITS)) for day, grown in growth]
    return _line(points)


def _value_line(history: HistoryAnswer) -> SharedLine | None:
    """Draw the value in money, with what was put in beside it."""
    points = [(one.ts, one.value) for one in history.points if one.value or not one.unpriced]
    return _line(points, beside=[(one.ts, one.net_deposits) for one in history.points])


def _line(points: Sequence[tuple[int, Decimal]], *, beside: Sequence[tuple[int, Decimal]] = ()) -> SharedLine | None:
    if len(points) < 2:
        return None
    numbers = [number for _ts, number in points]
    high, low = max(numbers), min(numbers)
    beyond = [number for _ts, number in beside]
    top, bottom = max(high, _NOTHING, *beyond), min(low, _NOTHING, *beyond)
    scale = _Scale(points[0][0], points[-1][0], float(bottom), float(top))
    return SharedLine(
        path=_path(points, scale),
        zero=scale.y(0.0),
        first=_time(points[0][0]),
        last=_time(points[-1][0]),
        end=numbers[-1],
        high=high,
        low=low,
        deposits=_path(beside, scale) if beside else "",
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a time and a number lie in the drawing."""

    start: int
    end: int
    bottom: float
    top: float

    def x(self, ts: int) -> str:
        return f"{(ts - self.start) / max(self.end - self.start, 1) * WIDTH:.1f}"

    def y(self, number: float) -> str:
        return f"{HEIGHT - (number - self.bottom) / ((self.top - self.bottom) or 1.0) * HEIGHT:.1f}"


def _path(points: Sequence[tuple[int, Decimal]], scale: _Scale) -> str:
    drawn = " L".join(f"{scale.x(ts)} {scale.y(float(number))}" for ts, number in _thinned(points))
    return f"M{drawn}"


def _thinned(points: Sequence[tuple[int, Decimal]]) -> Iterable[tuple[int, Decimal]]:
    """Leave out what nobody would see; the first and the last stay."""
    step = -(-len(points) // MOST_POINTS)
    return [*points[:-1:step], points[-1]]


def _time(ts: int) -> datetime:
    return datetime.fromtimestamp(ts / 1000, tz=UTC)
