"""What an entry would change if it were booked: holdings before and after, gain, income."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import Q

from apps.core import money
from apps.portfolios.domain.booking import Booking, book
from apps.portfolios.domain.drafts import EntryDraft, entry_of
from apps.portfolios.domain.held import held
from apps.portfolios.domain.matching import merged
from apps.portfolios.domain.timeline import Timeline
from apps.portfolios.domain.transactions import Entry
from apps.portfolios.models import Portfolio, Transaction
from apps.portfolios.queries.freezing import frozen_years_from, years_changed
from apps.portfolios.queries.ledger import entries_of, ledger_entries
from apps.portfolios.queries.portfolios import timeline_of

NEW: Final = "new"


@dataclass(frozen=True, slots=True)
class EffectLine:
    """How much of one asset a portfolio holds, and what that cost, before and after."""

    asset: str
    before: Decimal
    after: Decimal
    cost_before: Decimal
    cost_after: Decimal

    @property
    def delta(self) -> Decimal:
        """Return what is added."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Effect:
    """What an entry would change; `gain` and `income` are changes of the sums over all years.

    `frozen` are the frozen years that the ledger would have otherwise then; their own figures stay.
    """

    lines: tuple[EffectLine, ...]
    gain: Decimal
    income: Decimal
    missing: Decimal
    frozen: tuple[int, ...] = ()


def effect_of(*, portfolio: Portfolio, draft: EntryDraft, replaced: Transaction | None = None) -> Effect:
    """Return what an entry would change, without booking it; only what concerns its coins is looked at."""
    new, rules = entry_of(draft, entry_id=NEW), timeline_of(portfolio=portfolio)
    assets = _assets([new])
    rows = Transaction.objects.filter(portfolio=portfolio).standing()
    concerned = Q(asset__in=assets) | Q(in_asset__in=assets) | Q(out_asset__in=assets) | Q(fee_asset__in=assets)
    standing = entries_of(portfolio=portfolio, rows=rows.filter(concerned))
    kept = [entry for entry in standing if replaced is None or entry.id != str(replaced.pk)]
    before = _book(standing, rules, portfolio)
    after = _book(sorted([*kept, new], key=lambda entry: entry.at_us), rules, portfolio)
    first = new.at if replaced is None else min(new.at, replaced.at)
    shown = assets | (_assets([entry for entry in standing if entry not in kept]))
    years = frozen_years_from(portfolio=portfolio, first=first)
    return _effect(before, after, shown - {portfolio.currency}, years)


def effect_of_match(
    *, portfolio: Portfolio, out: Transaction, arrived: Iterable[Transaction], lost_worth: Decimal | None
) -> Effect:
    """Return what it would change to say that what left is what arrived; only their coin is looked at."""
    rules, asset = timeline_of(portfolio=portfolio), out.asset
    rows = Transaction.objects.filter(portfolio=portfolio).standing()
    concerned = Q(asset=asset) | Q(in_asset=asset) | Q(out_asset=asset) | Q(fee_asset=asset)
    standing = entries_of(portfolio=portfolio, rows=rows.filter(concerned))
    joined = merged(standing, {str(out.pk): (tuple(str(one.pk) for one in arrived), lost_worth)})
    years = frozen_years_from(portfolio=portfolio, first=out.at)
    return _effect(_book(standing, rules, portfolio), _book(joined, rules, portfolio), {asset}, years)


def effect_of_telling(*, portfolio: Portfolio, told: Mapping[str, Entry], since: datetime) -> Effect:
    """Return what it would change to tell standing entries anew, by their ids; only their coins are looked at."""
    rules, assets = timeline_of(portfolio=portfolio), _assets(told.values())
    standing = ledger_entries(portfolio=portfolio, assets=assets) if assets else []
    after = [told.get(entry.id, entry) for entry in standing]
    years = frozen_years_from(portfolio=portfolio, first=since)
    return _effect(
        _book(standing, rules, portfolio), _book(after, rules, portfolio), assets - {portfolio.currency}, years
    )


def _effect(before: Booking, after: Booking, assets: set[str], years: tuple[int, ...]) -> Effect:
    return Effect(
        lines=_lines(before, after, assets),
        gain=money.from_scaled(after.totals.realised - before.totals.realised),
        income=money.from_scaled(after.totals.income - before.totals.income),
        missing=money.from_scaled(_missing(after) - _missing(before)),
        frozen=years_changed(before=before, after=after, years=years),
    )


def _book(entries: Iterable[Entry], rules: Timeline, portfolio: Portfolio) -> Booking:
    return book(entries, rules, quote=portfolio.currency)


def _missing(booking: Booking) -> int:
    return sum(one.missing for one in booking.shortfalls)


def _assets(entries: Iterable[Entry]) -> set[str]:
    named = (
        (entry.asset, entry.in_asset, entry.out_asset, entry.fee_asset if entry.fee else None) for entry in entries
    )
    return {code for codes in named for code in codes if code}


def _lines(before: Booking, after: Booking, assets: set[str]) -> tuple[EffectLine, ...]:
    was, will = ({one.asset: one for one in held(booking)} for booking in (before, after))
    lines = []
    for asset in sorted(assets):
        figures = [
            money.from_scaled(getattr(side[asset], name) if asset in side else 0)
            for name in ("amount", "cost")
            for side in (was, will)
        ]
        lines.append(EffectLine(asset, *figures))
    return tuple(lines)
