"""What other rules of booking would come to: the same ledger under each of them, side by side."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from apps.core import money
from apps.portfolios.domain.booking import Booking, book
from apps.portfolios.domain.held import parts
from apps.portfolios.domain.policy import Method, Policy, PolicyError, Scope, checked_policy
from apps.portfolios.domain.transactions import Entry
from apps.portfolios.models import Portfolio
from apps.portfolios.queries.ledger import ledger_entries


@dataclass(frozen=True, slots=True)
class YearFigures:
    """The gains of one year under two policies."""

    year: int
    before: Decimal
    after: Decimal

    @property
    def delta(self) -> Decimal:
        """Return by how much the year changes."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Consequences:
    """What changes when a policy takes the place of another."""

    years: tuple[YearFigures, ...]
    realised_before: Decimal
    realised_after: Decimal
    cost_before: Decimal
    cost_after: Decimal
    missing_before: int
    missing_after: int

    @property
    def changes(self) -> bool:
        """Tell whether any figure changes."""
        return (self.realised_before, self.cost_before, self.missing_before) != (
            self.realised_after,
            self.cost_after,
            self.missing_after,
        ) or any(year.delta for year in self.years)


@dataclass(frozen=True, slots=True)
class LabRow:
    """One combination of method and scope and what it comes to."""

    policy: Policy
    is_own: bool
    realised: Decimal
    short: Decimal
    long: Decimal
    cost_left: Decimal


def consequences(*, portfolio: Portfolio, now_by: Policy, then_by: Policy) -> Consequences:
    """Return what changes when the ledger is booked by another policy; nothing is kept."""
    entries = ledger_entries(portfolio=portfolio)
    before, after = (_book(entries, policy, portfolio) for policy in (now_by, then_by))
    return Consequences(
        years=tuple(_years(before, after)),
        realised_before=money.from_scaled(before.totals.realised),
        realised_after=money.from_scaled(after.totals.realised),
        cost_before=_cost_left(before),
        cost_after=_cost_left(after),
        missing_before=len(before.shortfalls),
        missing_after=len(after.shortfalls),
    )


def method_lab(*, portfolio: Portfolio, own: Policy, year: int | None = None) -> tuple[LabRow, ...]:
    """Return what every method and scope comes to, for one year or for all of them."""
    entries = ledger_entries(portfolio=portfolio)
    rows = []
    for policy in _combinations(own):
        booking = _book(entries, policy, portfolio)
        figures = parts(booking).get(str(year)) if year else None
        realised, short, long = (
            (Decimal(str(figures[f"realised_{name}"])) for name in ("total", "short", "long"))
            if figures
            else (money.from_scaled(one) for one in _totals(booking, year))
        )
        is_own = (policy.method, policy.scope) == (own.method, own.scope)
        rows.append(LabRow(policy, is_own, realised, short, long, _cost_left(booking)))
    return tuple(rows)


def _totals(booking: Booking, year: int | None) -> tuple[int, int, int]:
    if year:
        return 0, 0, 0
    return booking.totals.realised, booking.totals.short, booking.totals.long


def _combinations(own: Policy) -> Iterable[Policy]:
    for method in Method:
        for scope in Scope:
            try:
                yield checked_policy(replace(own, method=method, scope=scope))
            except PolicyError:
                continue


def _book(entries: Iterable[Entry], policy: Policy, portfolio: Portfolio) -> Booking:
    return book(entries, policy, quote=portfolio.currency)


def _cost_left(booking: Booking) -> Decimal:
    return money.from_scaled(sum(lot.cost for lot in booking.open_lots))


def _years(before: Booking, after: Booking) -> Iterable[YearFigures]:
    was, will = parts(before), parts(after)
    for name in sorted({*was, *will}, reverse=True):
        if name.isdigit():
            figures = (
                Decimal(str(side[name]["realised_total"])) if name in side else Decimal(0) for side in (was, will)
            )
            yield YearFigures(int(name), *figures)
