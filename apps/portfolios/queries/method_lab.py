"""What other rules of booking would come to: the same ledger under each of them, side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from apps.core import money
from apps.portfolios.domain.booking import Booking, Disposal, Totals, book
from apps.portfolios.domain.held import parts, totals_of
from apps.portfolios.domain.policy import Method, Policy, PolicyError, Scope, checked_policy
from apps.portfolios.domain.timeline import Timeline, always
from apps.portfolios.domain.transactions import Entry, moment
from apps.portfolios.models import FrozenYear, Portfolio
from apps.portfolios.queries.ledger import ledger_entries

#: What explains a difference: so many assets, disposals and lots of each.
MOST_ASSETS: Final = 6
MOST_EXPLAINED: Final = 3
MOST_LOTS: Final = 3
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class YearFigures:
    """The gains of one year under two policies, and as they were frozen: then neither changes what was reported."""

    year: int
    before: Decimal
    after: Decimal
    frozen: Decimal | None = None

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
class LabLot:
    """A lot that a disposal used, and what one of it had cost."""

    at: datetime
    amount: Decimal
    unit_cost: Decimal | None


@dataclass(frozen=True, slots=True)
class LabDisposal:
    """A disposal that gains otherwise by another method: its cost and its lots by one's own rules and by that one.

    Without lots it took from an average, or found none.
    """

    asset: str
    at: datetime
    amount: Decimal
    cost_own: Decimal
    cost: Decimal
    delta: Decimal
    lots_own: tuple[LabLot, ...]
    lots: tuple[LabLot, ...]
    more_own: int = 0
    more: int = 0


@dataclass(frozen=True, slots=True)
class LabRow:
    """One combination of method and scope, what it comes to, and which assets and disposals make it differ."""

    policy: Policy
    is_own: bool
    realised: Decimal
    short: Decimal
    long: Decimal
    cost_left: Decimal
    assets: tuple[tuple[str, Decimal], ...] = ()
    disposals: tuple[LabDisposal, ...] = ()
    more: int = 0
    changing: bool = False


def consequences(*, portfolio: Portfolio, now_by: Policy | Timeline, then_by: Policy | Timeline) -> Consequences:
    """Return what changes when the ledger is booked by other rules; nothing is kept."""
    entries = ledger_entries(portfolio=portfolio)
    before, after = (_book(entries, policy, portfolio) for policy in (now_by, then_by))
    return Consequences(
        years=tuple(_years(before, after, _frozen(portfolio))),
        realised_before=money.from_scaled(before.totals.realised),
        realised_after=money.from_scaled(after.totals.realised),
        cost_before=_cost_left(before),
        cost_after=_cost_left(after),
        missing_before=len(before.shortfalls),
        missing_after=len(after.shortfalls),
    )


def method_lab(*, portfolio: Portfolio, own: Policy | Timeline, year: int | None = None) -> tuple[LabRow, ...]:
    """Return what every method and scope comes to, for one year or for all, and why it differs from one's own."""
    entries = ledger_entries(portfolio=portfolio)
    ours, timeline = _year_of(_book(entries, own, portfolio), year), always(own)
    last = timeline.last
    rows = [_lab_row(last, ours, ours, is_own=True, changing=True)] if timeline.changes else []
    for policy in _combinations(last):
        is_own = not timeline.changes and (policy.method, policy.scope) == (last.method, last.scope)
        theirs = ours if is_own else _year_of(_book(entries, policy, portfolio), year)
        rows.append(_lab_row(policy, theirs, ours, is_own=is_own))
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class _Year:
    """A booking as the lab looks at it: the disposals of the year, and what is left at the end of all."""

    disposals: Mapping[_Key, Disposal]
    totals: Totals
    cost_left: Decimal


def _year_of(booking: Booking, year: int | None) -> _Year:
    chosen = [one for one in booking.disposals if year is None or moment(one.at_us).year == year]
    return _Year(
        disposals={(one.tx, one.kind, one.asset): one for one in chosen},
        totals=totals_of(chosen, (), ()),
        cost_left=_cost_left(booking),
    )


def _lab_row(policy: Policy, theirs: _Year, ours: _Year, *, is_own: bool, changing: bool = False) -> LabRow:
    by_asset: defaultdict[str, int] = defaultdict(int)
    for sign, side in ((1, theirs), (-1, ours)):
        for one in side.disposals.values():
            by_asset[one.asset] += sign * one.gain
    assets = [(asset, money.from_scaled(delta)) for asset, delta in by_asset.items() if delta]
    pairs = ((ours.disposals[key], one) for key, one in theirs.disposals.items() if key in ours.disposals)
    differing = sorted((pair for pair in pairs if pair[0].gain != pair[1].gain), key=_by_difference)
    return LabRow(
        policy=policy,
        is_own=is_own,
        realised=money.from_scaled(theirs.totals.realised),
        short=money.from_scaled(theirs.totals.short),
        long=money.from_scaled(theirs.totals.long),
        cost_left=theirs.cost_left,
        assets=tuple(sorted(assets, key=lambda one: -abs(one[1]))[:MOST_ASSETS]),
        disposals=tuple(_lab_disposal(*pair) for pair in differing[:MOST_EXPLAINED]),
        more=max(0, len(differing) - MOST_EXPLAINED),
        changing=changing,
    )


def _by_difference(pair: tuple[Disposal, Disposal]) -> int:
    return -abs(pair[1].gain - pair[0].gain)


def _lab_disposal(own: Disposal, other: Disposal) -> LabDisposal:
    return LabDisposal(
        asset=own.asset,
        at=moment(own.at_us),
        amount=money.from_scaled(own.amount),
        cost_own=money.from_scaled(own.cost),
        cost=money.from_scaled(other.cost),
        delta=money.from_scaled(other.gain - own.gain),
        lots_own=_lab_lots(own),
        lots=_lab_lots(other),
        more_own=max(0, len(own.pieces) - MOST_LOTS),
        more=max(0, len(other.pieces) - MOST_LOTS),
    )


def _lab_lots(disposal: Disposal) -> tuple[LabLot, ...]:
    """Return the dearest of the lots that a disposal used, in order of age."""
    found = []
    dearest = sorted(disposal.pieces, key=lambda piece: -piece.cost)[:MOST_LOTS]
    for piece in sorted(dearest, key=lambda piece: piece.at_us):
        amount, cost = money.from_scaled(piece.amount), money.from_scaled(piece.cost)
        found.append(LabLot(moment(piece.at_us), amount, money.divide(cost, amount) if amount else None))
    return tuple(found)


def _combinations(own: Policy) -> Iterable[Policy]:
    for method in Method:
        for scope in Scope:
            try:
                yield checked_policy(replace(own, method=method, scope=scope))
            except PolicyError:
                continue


def _book(entries: Iterable[Entry], rules: Policy | Timeline, portfolio: Portfolio) -> Booking:
    return book(entries, rules, quote=portfolio.currency)


def _cost_left(booking: Booking) -> Decimal:
    return money.from_scaled(sum(lot.cost for lot in booking.open_lots))


def _frozen(portfolio: Portfolio) -> dict[int, Decimal]:
    rows = FrozenYear.objects.filter(portfolio=portfolio).standing().values_list("year", "totals")
    return {year: Decimal(totals["realised_total"]) for year, totals in rows}


def _years(before: Booking, after: Booking, frozen: Mapping[int, Decimal]) -> Iterable[YearFigures]:
    was, will = parts(before), parts(after)
    named = {int(name) for name in (*was, *will) if name.isdigit()}
    for year in sorted(named | frozen.keys(), reverse=True):
        sides = (side.get(str(year)) for side in (was, will))
        before_it, after_it = (Decimal(str(side["realised_total"])) if side else Decimal(0) for side in sides)
        yield YearFigures(year, before_it, after_it, frozen.get(year))
