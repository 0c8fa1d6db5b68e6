"""Frozen tax years: their figures as they were, and how the ledger today would have them."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import orjson
import zstandard
from django.db.models import QuerySet

from apps.core.api.times import iso_z
from apps.core.errors import NotFoundError
from apps.core.money import plain
from apps.portfolios.domain.booking import Booking, book
from apps.portfolios.domain.completeness import Issue, IssueCode
from apps.portfolios.domain.drafts import EntryDraft, entry_of
from apps.portfolios.domain.frozen import ROWS, TOTALS, Change, RowDifference, YearDifference, compare
from apps.portfolios.domain.held import parts
from apps.portfolios.domain.timeline import timeline_as_kept
from apps.portfolios.domain.transactions import entry_as_portable
from apps.portfolios.models import BookedResult, FrozenYear, Portfolio
from apps.portfolios.queries.booking import year_of_result
from apps.portfolios.queries.ledger import ledger_entries
from apps.portfolios.queries.portfolios import timeline_of

_LEVEL: Final = 6
#: Rows of a difference that an answer names; beyond them they are counted.
MOST_NAMED: Final = 200
_EMPTY: Final[Mapping[str, Any]] = {**dict.fromkeys(ROWS, ()), **dict.fromkeys(TOTALS, "0")}
Figures = Mapping[str, Any]


# --- Which years -----------------------------------------------------------------------------------------------------
def frozen_years(*, portfolio: Portfolio) -> tuple[int, ...]:
    """Return the years that are frozen, the newest first."""
    rows = FrozenYear.objects.filter(portfolio=portfolio).standing()
    return tuple(rows.order_by("-year").values_list("year", flat=True))


def frozen_of(*, portfolio: Portfolio, year: int) -> FrozenYear | None:
    """Return a year as it is frozen, nothing where it is not."""
    rows = FrozenYear.objects.filter(portfolio=portfolio, year=year).standing()
    return rows.select_related("by").first()


def frozen_year(*, portfolio: Portfolio, year: int) -> FrozenYear:
    """Return a year as it is frozen, or raise `NotFoundError`."""
    found = frozen_of(portfolio=portfolio, year=year)
    if found is None:
        raise NotFoundError
    return found


def frozen_trail(*, portfolio: Portfolio, year: int | None = None) -> QuerySet[FrozenYear]:
    """Return all that was ever frozen, of one year or of all, the newest first."""
    rows = FrozenYear.objects.filter(portfolio=portfolio).defer("body").select_related("by", "ended_by")
    return rows.order_by("-id") if year is None else rows.filter(year=year).order_by("-id")


def year_end(*, year: int) -> datetime:
    """Return the last moment of a year in UTC."""
    return datetime(year, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def is_over(*, year: int, now: datetime) -> bool:
    """Tell whether a year has passed."""
    return year_end(year=year) < now


# --- What is kept ----------------------------------------------------------------------------------------------------
def figures_of(*, booked: Figures) -> dict[str, Any]:
    """Return of the answer about a year what is frozen of it."""
    return {name: booked[name] for name in (*ROWS, *TOTALS)}


def packed_figures(*, figures: Figures) -> bytes:
    """Return figures as they are kept."""
    return zstandard.ZstdCompressor(level=_LEVEL).compress(orjson.dumps(figures))


def kept_figures(*, row: FrozenYear) -> dict[str, Any]:
    """Return the figures of a frozen year."""
    found: dict[str, Any] = orjson.loads(zstandard.ZstdDecompressor().decompress(bytes(row.body)))
    return found


def figures_hash(*, figures: Figures) -> str:
    """Return the hash of a year's figures."""
    told = {name: figures[name] for name in (*ROWS, *TOTALS)}
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()


def year_input_hash(*, portfolio: Portfolio, year: int, policy: Mapping[str, Any]) -> str:
    """Return the hash of all that a year's figures are made of: the rules, and every entry up to its end."""
    rules = timeline_of(portfolio=portfolio, until=year_end(year=year))
    told = timeline_as_kept(rules) if rules.changes else policy
    head = {"currency": portfolio.currency, "policy": told, "year": year}
    digest = hashlib.sha256(orjson.dumps(head, option=orjson.OPT_SORT_KEYS))
    for entry in ledger_entries(portfolio=portfolio, until=year_end(year=year)):
        digest.update(orjson.dumps(entry_as_portable(entry), option=orjson.OPT_SORT_KEYS))
    return digest.hexdigest()


# --- Then and now ----------------------------------------------------------------------------------------------------
def difference_of(*, row: FrozenYear, today: Figures) -> YearDifference:
    """Return what tells a frozen year from the same year as it is booked today."""
    return compare(kept_figures(row=row), today)


def with_frozen(*, portfolio: Portfolio, year: int, booked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer about a year with the figures as they were frozen, where they were, and how today's differ."""
    row = frozen_of(portfolio=portfolio, year=year)
    if row is None:
        return {**booked, "frozen": None}
    kept = kept_figures(row=row)
    return {
        **booked,
        **figures_of(booked=kept),
        "policy": row.policy,
        "input_hash": row.input_hash,
        "booked_at": iso_z(row.at),
        "frozen": {**frozen_row(row=row), **difference_row(found=compare(kept, booked))},
    }


def frozen_row(*, row: FrozenYear) -> dict[str, Any]:
    """Return what is known of a frozen year without its figures."""
    return {
        "year": row.year,
        "state": row.ended_as or "frozen",
        "frozen_at": iso_z(row.at),
        "by": None if row.by is None else row.by.display_name,
        "note": row.note,
        "input_hash": row.input_hash,
        "result_hash": row.result_hash,
        "policy": row.policy,
        "totals": row.totals,
        "accepted_issues": [{"code": code, "count": count} for code, count in row.issues],
        "ended_at": None if row.ended_at is None else iso_z(row.ended_at),
        "reason": row.reason,
    }


def difference_row(*, found: YearDifference) -> dict[str, Any]:
    """Return a difference as the answers have it; the largest rows are named, all are counted."""
    rows = sorted(found.rows, key=lambda row: (-abs(row.delta), row.ts, row.tx))[:MOST_NAMED]
    difference = {
        "totals": {one.name: {"frozen": plain(one.then), "today": plain(one.now)} for one in found.totals},
        "moved": plain(found.moved),
        **{change.value: found.count(change) for change in Change},
        "rows": [_difference_row(row) for row in rows],
    }
    return {"differs": found.differs, "difference": difference if found.differs else None}


def _difference_row(row: RowDifference) -> dict[str, Any]:
    return {
        "part": row.part,
        "change": row.change.value,
        "tx": row.tx,
        "kind": row.kind,
        "asset": row.asset,
        "ts": row.ts,
        "frozen": None if row.then is None else plain(row.then),
        "today": None if row.now is None else plain(row.now),
        "fields": list(row.fields),
    }


# --- Completeness ----------------------------------------------------------------------------------------------------
def checked_years(*, portfolio: Portfolio, result: BookedResult) -> list[tuple[FrozenYear, bool, Decimal, bool]]:
    """Return each frozen year, whether a result has it otherwise, by how much, and whether that was looked up just now.

    What comparing with a version of the ledger came to is kept; only what is newer is compared.
    """
    rows = FrozenYear.objects.filter(portfolio=portfolio).standing().select_related("check_made").order_by("-year")
    found = []
    for row in rows.defer("body"):
        made = getattr(row, "check_made", None)
        if made is not None and made.version == result.version:
            found.append((row, made.differs, Decimal(made.moved), False))
            continue
        today = {**_EMPTY, **year_of_result(result=result, year=row.year)}
        difference = difference_of(row=row, today=today)
        found.append((row, difference.differs, difference.moved, True))
    return found


def frozen_issue(*, portfolio: Portfolio, result: BookedResult) -> Issue:
    """Return how many frozen years the ledger would have otherwise today, and by how much."""
    if not result.is_own:
        return Issue(IssueCode.FROZEN_YEAR_DIFFERS, 0)
    differing = [moved for _row, differs, moved, _new in checked_years(portfolio=portfolio, result=result) if differs]
    return Issue(IssueCode.FROZEN_YEAR_DIFFERS, len(differing), sum((abs(one) for one in differing), Decimal(0)))


def differing_years(*, portfolio: Portfolio) -> tuple[int, ...]:
    """Return the frozen years that were found to differ from the ledger when it was last looked at."""
    rows = FrozenYear.objects.filter(portfolio=portfolio, check_made__differs=True).standing()
    return tuple(rows.order_by("-year").values_list("year", flat=True))


# --- Before it is done -----------------------------------------------------------------------------------------------
def frozen_years_changed(
    *, portfolio: Portfolio, drafts: Sequence[EntryDraft] = (), without: Collection[str] = ()
) -> tuple[int, ...]:
    """Return the frozen years that the ledger would have otherwise if these came and those went; nothing is booked."""
    if not frozen_years(portfolio=portfolio):
        return ()
    standing = ledger_entries(portfolio=portfolio)
    new = [entry_of(draft, entry_id=f"new-{place}") for place, draft in enumerate(drafts)]
    moments = [one.at for one in new] + [one.at for one in standing if one.id in without]
    years = frozen_years_from(portfolio=portfolio, first=min(moments, default=None))
    if not years:
        return ()
    rules, kept = timeline_of(portfolio=portfolio), [one for one in standing if one.id not in without]
    before, after = (
        book(entries, rules, quote=portfolio.currency)
        for entries in (standing, sorted([*kept, *new], key=lambda entry: entry.at_us))
    )
    return years_changed(before=before, after=after, years=years)


def years_changed(*, before: Booking, after: Booking, years: Collection[int]) -> tuple[int, ...]:
    """Return the years that two bookings give different figures."""
    if not years:
        return ()
    was, will = parts(before), parts(after)
    return tuple(year for year in years if compare(was.get(str(year), _EMPTY), will.get(str(year), _EMPTY)).differs)


def frozen_years_from(*, portfolio: Portfolio, first: datetime | None) -> tuple[int, ...]:
    """Return the frozen years that something at that moment may reach: its own and those after it."""
    if first is None:
        return ()
    at = first.astimezone(UTC)
    reach = at.year - 1 if at.month == 1 else at.year  # a purchase may be matched with a sale 30 days before it
    return tuple(year for year in frozen_years(portfolio=portfolio) if year >= reach)
