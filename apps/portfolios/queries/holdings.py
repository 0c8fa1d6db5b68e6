"""Holdings with their prices: now as they were valued last, or at a moment of the past, booked for the question."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any, Final

from apps.core.api.times import iso_z
from apps.core.money import multiply, plain
from apps.markets.queries.rates import Rate
from apps.portfolios.domain.booking import Booking, book, text
from apps.portfolios.domain.completeness import Completeness, Issue, completeness
from apps.portfolios.domain.faults import booking_issues
from apps.portfolios.domain.held import Held, held, legs_among
from apps.portfolios.models import Portfolio, ValueState
from apps.portfolios.queries.completeness import STALE_SECONDS, completeness_row, holding_issues
from apps.portfolios.queries.ledger import ledger_entries
from apps.portfolios.queries.portfolios import timeline_of
from apps.portfolios.queries.pricing import prices_of

_DIGITS: Final = 200


@dataclass(frozen=True, slots=True)
class PricedHolding:
    """What is held of one asset, as answers write it."""

    asset: str
    amount: str
    cost_basis: str
    accounts: Mapping[str, str]
    price: str | None
    price_state: str
    price_source: str
    price_at: datetime | None
    value: str | None
    unrealised: str | None
    is_stale: bool
    is_simulated: bool


def as_held(*, one: Held) -> tuple[str, str, str, dict[str, str]]:
    """Return asset, amount, cost and amounts by account as they are kept."""
    return one.asset, text(one.amount), text(one.cost), {name: text(amount) for name, amount in one.accounts.items()}


def priced(*, asset: str, amount: str, cost: str, accounts: Mapping[str, str], rate: Rate | None) -> PricedHolding:
    """Put a price to a holding; without one there is no value, and the state says whether one may still come."""
    price = None if rate is None else rate.value
    value = None if price is None else multiply(Decimal(amount), price)
    with localcontext() as context:
        context.prec = _DIGITS
        gain = None if value is None else value - Decimal(cost)
    return PricedHolding(
        asset=asset,
        amount=amount,
        cost_basis=cost,
        accounts=accounts,
        price=None if price is None else plain(price),
        price_state=str(ValueState.PENDING if rate is None else rate.state.value),
        price_source="" if rate is None else ", ".join(rate.sources)[:120],
        price_at=None if rate is None or price is None else _price_at(rate),
        value=None if value is None else plain(value),
        unrealised=None if gain is None else plain(gain),
        is_stale=rate is not None and (rate.age_ms or 0) > STALE_SECONDS * 1000,
        is_simulated=rate is not None and rate.simulated,
    )


def _price_at(rate: Rate) -> datetime:
    if rate.ts is None:
        return rate.at
    return datetime.fromtimestamp(rate.ts / 1000, tz=rate.at.tzinfo)


def total_of(*, rows: Iterable[PricedHolding]) -> str:
    """Return the sum of all values that are known."""
    with localcontext() as context:
        context.prec = _DIGITS
        return plain(sum((Decimal(row.value) for row in rows if row.value is not None), Decimal(0)))


def price_remarks(*, rows: Sequence[PricedHolding]) -> list[Issue]:
    """Return what is to be said of the prices."""
    return holding_issues(
        states=[row.price_state for row in rows],
        stale=sum(row.is_stale for row in rows),
        simulated=any(row.is_simulated for row in rows),
    )


def answer_of(*, portfolio: Portfolio, rows: Sequence[PricedHolding], found: Completeness) -> dict[str, Any]:
    """Return the answer about holdings, but for its moment."""
    return {
        "currency": portfolio.currency,
        "results": [
            {
                "asset": row.asset,
                "amount": row.amount,
                "price": row.price,
                "price_state": row.price_state,
                "price_source": row.price_source,
                "price_ts": None if row.price_at is None else iso_z(row.price_at),
                "value": row.value,
                "cost_basis": row.cost_basis,
                "unrealised": row.unrealised,
                "accounts": row.accounts,
            }
            for row in rows
        ],
        "total": total_of(rows=rows),
        "simulated": any(row.is_simulated for row in rows),
        "completeness": completeness_row(found=found),
    }


def holdings_at(*, portfolio: Portfolio, at: datetime, now: datetime) -> dict[str, Any]:
    """Return the holdings at a moment of the past, at the prices of that moment."""
    entries = ledger_entries(portfolio=portfolio, until=at)
    booking = book(entries, timeline_of(portfolio=portfolio, until=at), quote=portfolio.currency)
    rows = priced_holdings(portfolio=portfolio, booking=booking, at=at, now=now)
    remarks = [*booking_issues(booking, legs=legs_among(entries)), *price_remarks(rows=rows)]
    found = completeness(remarks, facts=len(entries) + len(rows))
    return {**answer_of(portfolio=portfolio, rows=rows, found=found), "as_of": iso_z(at), "stale": False}


def priced_holdings(
    *, portfolio: Portfolio, booking: Booking, at: datetime | None = None, now: datetime
) -> list[PricedHolding]:
    """Return what a booking holds, with the prices of a moment."""
    rows = [as_held(one=one) for one in held(booking) if one.amount]
    rates = prices_of(assets=[row[0] for row in rows], currency=portfolio.currency, at=at, now=now)
    return [
        priced(asset=asset, amount=amount, cost=cost, accounts=accounts, rate=rates.get(asset))
        for asset, amount, cost, accounts in rows
    ]
