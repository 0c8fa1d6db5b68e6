"""A tax year: disposals with their lots, income by kind, sums by term, and how it was frozen."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from apps.portfolios.models import BookedPart, Portfolio
from apps.portfolios.queries.holding_pages import DisposalRow, disposal_of, is_id

NOTHING: Final = Decimal(0)
#: Rows of a table on the page; its files have all.
MOST_SHOWN: Final = 500
#: Differences of a frozen year that the page names.
MOST_NAMED: Final = 12


@dataclass(frozen=True, slots=True)
class IncomeRow:
    """One income of the year."""

    tx: str
    kind: str
    asset: str
    account: str
    at: datetime
    amount: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class AssetSum:
    """What one asset brought in the year."""

    asset: str
    count: int
    proceeds: Decimal
    cost: Decimal
    gain: Decimal


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """A disposal or an income that the ledger has otherwise today: its gain or value then and now."""

    part: str
    change: str
    tx: str
    kind: str
    asset: str
    at: datetime
    then: Decimal | None
    now: Decimal | None
    fields: tuple[str, ...]

    @property
    def delta(self) -> Decimal:
        """Return by how much it changes the year."""
        return (self.now or NOTHING) - (self.then or NOTHING)

    @property
    def entry(self) -> str:
        """Return the id of the transaction behind it."""
        found = self.tx.split(":", 1)[0]
        return found if is_id(text=found) else ""


@dataclass(frozen=True, slots=True)
class FrozenState:
    """When and by whom a year was frozen, what was missing then, and what the ledger has otherwise today."""

    at: datetime
    by: str
    note: str
    accepted: tuple[tuple[str, int], ...]
    differs: bool
    came: int
    went: int
    changed: int
    moved: Decimal
    totals: tuple[tuple[str, Decimal, Decimal], ...]
    rows: tuple[FrozenRow, ...]

    @property
    def more(self) -> int:
        """Count the rows that are not named."""
        return self.came + self.went + self.changed - len(self.rows)


@dataclass(frozen=True, slots=True)
class TaxYear:
    """One year as booked; a disposal whose purchase is missing counts with a cost of nothing."""

    year: int
    years: tuple[int, ...]
    disposals: tuple[DisposalRow, ...]
    income: tuple[IncomeRow, ...]
    income_by_kind: tuple[tuple[str, int, Decimal], ...]
    by_asset: tuple[AssetSum, ...]
    realised: Decimal
    short: Decimal
    long: Decimal
    income_total: Decimal
    fees: Decimal
    input_hash: str
    booked_at: datetime
    stale: bool = False
    frozen: FrozenState | None = None

    @property
    def shown(self) -> tuple[DisposalRow, ...]:
        """Return the disposals that a page can bear; the files have all of them."""
        return self.disposals[:MOST_SHOWN]

    @property
    def income_shown(self) -> tuple[IncomeRow, ...]:
        """Return the income that a page can bear."""
        return self.income[:MOST_SHOWN]

    @property
    def proceeds(self) -> Decimal:
        """Return what all disposals brought."""
        return sum((row.proceeds for row in self.disposals), NOTHING)

    @property
    def cost(self) -> Decimal:
        """Return what the disposed coins had cost."""
        return sum((row.cost for row in self.disposals), NOTHING)

    @property
    def short_of_history(self) -> tuple[DisposalRow, ...]:
        """Return the disposals for which a purchase is missing."""
        return tuple(row for row in self.disposals if row.missing)


def booked_years(*, portfolio: Portfolio) -> tuple[int, ...]:
    """Return the years in which anything was disposed of or earned, newest first."""
    parts = BookedPart.objects.filter(result__portfolio=portfolio, result__is_own=True)
    names = parts.values_list("name", flat=True)
    return tuple(sorted({int(name) for name in names if name.isdigit()}, reverse=True))


def tax_year(*, portfolio: Portfolio, booked: Mapping[str, Any], year: int) -> TaxYear:
    """Return one year of a booked ledger as its page shows it."""
    disposals = tuple(disposal_of(row=row) for row in booked["disposals"])
    income = tuple(_income(booked["income"]))
    return TaxYear(
        year=year,
        years=booked_years(portfolio=portfolio),
        disposals=disposals,
        income=income,
        income_by_kind=tuple(_by_kind(income)),
        by_asset=tuple(_by_asset(disposals)),
        realised=Decimal(booked["realised_total"]),
        short=Decimal(booked["realised_short"]),
        long=Decimal(booked["realised_long"]),
        income_total=Decimal(booked["income_total"]),
        fees=Decimal(booked["fees_total"]),
        input_hash=booked["input_hash"],
        booked_at=datetime.fromisoformat(booked["booked_at"]),
        stale=bool(booked["stale"]),
        frozen=_frozen(booked["frozen"]),
    )


def _frozen(row: Mapping[str, Any] | None) -> FrozenState | None:
    if row is None:
        return None
    found = row["difference"] or {"came": 0, "went": 0, "changed": 0, "moved": "0", "totals": {}, "rows": ()}
    return FrozenState(
        at=datetime.fromisoformat(row["frozen_at"]),
        by=row["by"] or "",
        note=row["note"],
        accepted=tuple((one["code"], one["count"]) for one in row["accepted_issues"]),
        differs=row["differs"],
        came=found["came"],
        went=found["went"],
        changed=found["changed"],
        moved=Decimal(found["moved"]),
        totals=tuple(
            (name, Decimal(sums["frozen"]), Decimal(sums["today"]))
            for name, sums in found["totals"].items()
            if Decimal(sums["frozen"]) != Decimal(sums["today"])
        ),
        rows=tuple(_frozen_row(one) for one in found["rows"][:MOST_NAMED]),
    )


def _frozen_row(row: Mapping[str, Any]) -> FrozenRow:
    return FrozenRow(
        part=row["part"],
        change=row["change"],
        tx=row["tx"],
        kind=row["kind"],
        asset=row["asset"],
        at=datetime.fromisoformat(row["ts"]),
        then=None if row["frozen"] is None else Decimal(row["frozen"]),
        now=None if row["today"] is None else Decimal(row["today"]),
        fields=tuple(row["fields"]),
    )


# --- Sums -------------------------------------------------------------------------------------------------------------
def _income(rows: Iterable[Mapping[str, str]]) -> Iterator[IncomeRow]:
    for row in rows:
        yield IncomeRow(
            tx=row["tx"],
            kind=row["kind"] or "other",
            asset=row["asset"],
            account=row["account"],
            at=datetime.fromisoformat(row["ts"]),
            amount=Decimal(row["amount"]),
            value=Decimal(row["value"]),
        )


def _by_kind(rows: Iterable[IncomeRow]) -> list[tuple[str, int, Decimal]]:
    sums: dict[str, tuple[int, Decimal]] = {}
    for row in rows:
        count, value = sums.get(row.kind, (0, NOTHING))
        sums[row.kind] = (count + 1, value + row.value)
    return sorted(((kind, count, value) for kind, (count, value) in sums.items()), key=lambda part: -part[2])


def _by_asset(rows: Iterable[DisposalRow]) -> list[AssetSum]:
    sums: dict[str, AssetSum] = {}
    for row in rows:
        one = sums.get(row.asset, AssetSum(row.asset, 0, NOTHING, NOTHING, NOTHING))
        sums[row.asset] = AssetSum(
            row.asset, one.count + 1, one.proceeds + row.proceeds, one.cost + row.cost, one.gain + row.gain
        )
    return sorted(sums.values(), key=lambda one: -abs(one.gain))
