"""What was realized in a stretch of time, and what is not realized at its end: as it was booked, or booked for it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from apps.core.money import from_scaled
from apps.portfolios.domain.held import held
from apps.portfolios.domain.measures import settled
from apps.portfolios.domain.measures.arithmetic import WIDE
from apps.portfolios.domain.transactions import microseconds
from apps.portfolios.models import BookedPart, BookedResult, Holding, Portfolio
from apps.portfolios.queries.booking import booking_of, unpacked
from apps.portfolios.queries.history import DAY_MS, Lived
from apps.portfolios.queries.portfolios import timeline_of

_ZERO: Final = Decimal(0)


class StretchGains(NamedTuple):
    """Gains of a stretch, in the portfolio's money."""

    realised: Decimal
    unrealised: Decimal


def stretch_gains(*, portfolio: Portfolio, past: Lived, from_: datetime | None, to: datetime) -> StretchGains:
    """Return what was realized in `[from, to)`, and what is not realized at its end of what has a price."""
    last = int(to.timestamp() * 1000 - 1) // DAY_MS
    result = BookedResult.objects.filter(portfolio=portfolio, is_own=True).first()
    if last < past.today or result is None or result.version != portfolio.version:
        return _booked_for_it(portfolio, past, from_, to, last)
    kept = Holding.objects.filter(portfolio=portfolio).values_list("asset", "amount", "cost_basis")
    rows = [(asset, Decimal(amount), Decimal(cost)) for asset, amount, cost in kept]
    return StretchGains(_realised(result, from_, to), _open(rows, past, last))


def _realised(result: BookedResult, from_: datetime | None, to: datetime) -> Decimal:
    if from_ is None:
        return Decimal(result.totals["realised_total"])
    since, first = microseconds(from_), from_.astimezone(UTC).year
    years = [str(year) for year in range(first, to.astimezone(UTC).year + 1)]
    parts = BookedPart.objects.filter(result=result, name__in=years).values_list("name", "body")
    with localcontext(WIDE):
        gains = _ZERO
        for name, body in parts:
            part = unpacked(body=body)
            if name == years[0]:
                gains += sum((Decimal(row["gain"]) for row in part["disposals"] if _at_us(row["ts"]) >= since), _ZERO)
            else:
                gains += Decimal(part["realised_total"])
        return settled(gains)


def _at_us(text: str) -> int:
    return microseconds(datetime.fromisoformat(text))


def _booked_for_it(portfolio: Portfolio, past: Lived, from_: datetime | None, to: datetime, last: int) -> StretchGains:
    until = to - timedelta(microseconds=1)
    booking = booking_of(portfolio=portfolio, policy=timeline_of(portfolio=portfolio, until=until), until=until)
    since = None if from_ is None else microseconds(from_)
    gains = sum(one.gain for one in booking.disposals if since is None or one.at_us >= since)
    rows = [(one.asset, from_scaled(one.amount), from_scaled(one.cost)) for one in held(booking)]
    return StretchGains(from_scaled(gains), _open(rows, past, last))


def _open(rows: list[tuple[str, Decimal, Decimal]], past: Lived, last: int) -> Decimal:
    with localcontext(WIDE):
        gain = _ZERO
        for asset, amount, cost in rows:
            series = past.prices.get(asset)
            price = None if series is None else series.value(last)
            if price is not None:
                gain += amount * price - cost
        return settled(gain)
