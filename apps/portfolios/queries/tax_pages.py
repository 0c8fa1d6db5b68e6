"""A tax year: disposals with their lots, income by kind, sums by term, and how it was frozen."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar, overload

from apps.portfolios.domain.measures.arithmetic import total
from apps.portfolios.models import BookedPart, Portfolio
from apps.portfolios.queries.holding_pages import DisposalRow, disposal_of, is_id
from apps.portfolios.queries.parts import Part, part_of

NOTHING: Final = Decimal(0)
OTHER: Final = "other"
_SUMMED: Final = ("proceeds", "cost_basis", "gain")
#: Rows of a table that stand on the page at once; its files have all.
SHOWN: Final = 50
#: So many rows a sheet to be printed has at most.
MOST_PRINTED: Final = 5_000
#: The tables that may be longer than a page.
TAX_PARTS: Final = ("disposals", "assets", "income")
_T = TypeVar("_T")
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


class Told(Sequence[_T]):
    """The rows of a result: each is read when it is looked at, so that a page reads those that it shows."""

    def __init__(self, told: Sequence[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], _T]) -> None:
        self.told, self._read = told, read

    def __len__(self) -> int:
        return len(self.told)

    @overload
    def __getitem__(self, place: int) -> _T: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[_T, ...]: ...

    def __getitem__(self, place: int | slice) -> _T | tuple[_T, ...]:
        if isinstance(place, slice):
            return tuple(map(self._read, self.told[place]))
        return self._read(self.told[place])


@dataclass(frozen=True, slots=True)
class TaxYear:
    """One year as booked; a disposal whose purchase is missing counts with a cost of nothing."""

    year: int
    years: tuple[int, ...]
    disposals: "Told[DisposalRow]"
    income: "Told[IncomeRow]"
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
    def proceeds(self) -> Decimal:
        """Return what all disposals brought."""
        return _sum(self.disposals.told, "proceeds")

    @property
    def cost(self) -> Decimal:
        """Return what the disposed coins had cost."""
        return _sum(self.disposals.told, "cost_basis")

    @property
    def short_of_history(self) -> tuple[DisposalRow, ...]:
        """Return the disposals for which a purchase is missing."""
        told = (row for row in self.disposals.told if row.get("missing"))
        return tuple(found for row in told if (found := disposal_of(row=row)).missing)


@dataclass(frozen=True, slots=True)
class TaxParts:
    """What of a year's tables stands on the page."""

    disposals: Part[DisposalRow]
    assets: Part[AssetSum]
    income: Part[IncomeRow]

    @property
    def is_partial(self) -> bool:
        """Tell whether any table has more than what stands there."""
        return any(len(part.rows) < part.total for part in (self.disposals, self.assets, self.income))


def tax_parts(*, page: TaxYear, asked: Mapping[str, int], whole: bool) -> TaxParts:
    """Return the parts of a year that are asked for, or all that a printed sheet can bear."""
    length = MOST_PRINTED if whole else SHOWN
    return TaxParts(
        disposals=part_of(rows=page.disposals, number=asked["disposals"], length=length),
        assets=part_of(rows=page.by_asset, number=asked["assets"], length=length),
        income=part_of(rows=page.income, number=asked["income"], length=length),
    )


def booked_years(*, portfolio: Portfolio) -> tuple[int, ...]:
    """Return the years in which anything was disposed of or earned, newest first."""
    parts = BookedPart.objects.filter(result__portfolio=portfolio, result__is_own=True)
    names = parts.values_list("name", flat=True)
    return tuple(sorted({int(name) for name in names if name.isdigit()}, reverse=True))


def tax_year(*, portfolio: Portfolio, booked: Mapping[str, Any], year: int) -> TaxYear:
    """Return one year of a booked ledger as its page shows it."""
    return TaxYear(
        year=year,
        years=booked_years(portfolio=portfolio),
        disposals=Told(booked["disposals"], lambda row: disposal_of(row=row)),
        income=Told(booked["income"], _income),
        income_by_kind=tuple(_by_kind(booked["income"])),
        by_asset=tuple(_by_asset(booked["disposals"])),
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
def _income(row: Mapping[str, Any]) -> IncomeRow:
    return IncomeRow(
        tx=row["tx"],
        kind=row["kind"] or OTHER,
        asset=row["asset"],
        account=row["account"],
        at=datetime.fromisoformat(row["ts"]),
        amount=Decimal(row["amount"]),
        value=Decimal(row["value"]),
    )


def _by_kind(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, int, Decimal]]:
    values: defaultdict[str, list[Decimal]] = defaultdict(list)
    for row in rows:
        values[row["kind"] or OTHER].append(Decimal(row["value"]))
    return sorted(((kind, len(found), total(found)) for kind, found in values.items()), key=lambda one: -one[2])


def _by_asset(rows: Iterable[Mapping[str, Any]]) -> list[AssetSum]:
    told: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        told[row["asset"]].append(row)
    sums = (AssetSum(asset, len(found), *(_sum(found, name) for name in _SUMMED)) for asset, found in told.items())
    return sorted(sums, key=lambda one: -abs(one.gain))


def _sum(rows: Iterable[Mapping[str, Any]], name: str) -> Decimal:
    return total(Decimal(row[name]) for row in rows)
