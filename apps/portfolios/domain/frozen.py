"""A frozen year against the same year as the ledger gives it today: what came, what went, what changed."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

#: What a year consists of: its rows, and the sums of them.
ROWS: Final = ("disposals", "income")
TOTALS: Final = ("realised_total", "realised_short", "realised_long", "income_total", "fees_total")
_NOTHING: Final = Decimal(0)
_NUMBERS: Final = ("amount", "proceeds", "cost_basis", "gain", "missing", "superficial_loss", "value")
_TEXTS: Final = ("kind", "asset", "ts", "term", "date")
_PIECES: Final = ("lots", "matches")
_PIECE_NUMBERS: Final = ("amount", "cost_basis")
_PIECE_TEXTS: Final = ("acquired_at", "term", "rule", "date")
_FIGURES: Final = {"disposals": "gain", "income": "value"}

_Key = tuple[str, str, str, int]
_Row = Mapping[str, Any]


class Change(StrEnum):
    """What became of a row of a frozen year."""

    CAME = "came"
    WENT = "went"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A disposal or an income that is not as it was frozen: its gain or value then and now, and which fields differ."""

    part: str
    change: Change
    tx: str
    kind: str
    asset: str
    ts: str
    then: Decimal | None
    now: Decimal | None
    fields: tuple[str, ...] = ()

    @property
    def delta(self) -> Decimal:
        """Return what the year's gain or income changes by it."""
        return (self.now or _NOTHING) - (self.then or _NOTHING)


@dataclass(frozen=True, slots=True)
class TotalDifference:
    """A sum of the year, as frozen and as it would be today."""

    name: str
    then: Decimal
    now: Decimal

    @property
    def delta(self) -> Decimal:
        """Return by how much it would change."""
        return self.now - self.then


@dataclass(frozen=True, slots=True)
class YearDifference:
    """All that tells a frozen year from the same year today."""

    rows: tuple[RowDifference, ...]
    totals: tuple[TotalDifference, ...]

    @property
    def differs(self) -> bool:
        """Tell whether anything differs."""
        return bool(self.rows) or any(one.delta for one in self.totals)

    @property
    def moved(self) -> Decimal:
        """Return by how much gain and income together would change."""
        return sum((one.delta for one in self.totals if one.name in {"realised_total", "income_total"}), _NOTHING)

    def count(self, change: Change) -> int:
        """Count the rows that came, went or changed."""
        return sum(row.change is change for row in self.rows)


def compare(frozen: _Row, today: _Row) -> YearDifference:
    """Return what tells a year as it was frozen from the same year of a booking; both as the portable result has them.

    Names of accounts and ids of lots do not count: renaming one, or telling a purchase anew, changes no figure.
    """
    rows = [difference for part in ROWS for difference in _rows(part, frozen[part], today[part])]
    totals = tuple(TotalDifference(name, Decimal(frozen[name]), Decimal(today[name])) for name in TOTALS)
    return YearDifference(tuple(sorted(rows, key=lambda row: (row.ts, row.tx))), totals)


def _rows(part: str, frozen: Iterable[_Row], today: Iterable[_Row]) -> Iterable[RowDifference]:
    then, now = _keyed(frozen), _keyed(today)
    for key, row in now.items():
        if key in then and (fields := _differing(then[key], row)):
            yield _difference(part, Change.CHANGED, then[key], row, fields)
    went = [row for key, row in then.items() if key not in now]
    came = [row for key, row in now.items() if key not in then]
    told_anew = Counter(map(_meaning, went)) & Counter(map(_meaning, came))
    for change, rows in ((Change.WENT, went), (Change.CAME, came)):
        same = told_anew.copy()
        for row in rows:
            meaning = _meaning(row)
            if same[meaning]:
                same[meaning] -= 1
            else:
                yield _difference(part, change, *((row, None) if change is Change.WENT else (None, row)))


def _keyed(rows: Iterable[_Row]) -> dict[_Key, _Row]:
    """Return the rows by what names them; those of one name are numbered."""
    seen: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    found: dict[_Key, _Row] = {}
    for row in rows:
        name = (row["tx"], row["kind"], row["asset"])
        found[*name, seen[name]] = row
        seen[name] += 1
    return found


def _differing(then: _Row, now: _Row) -> tuple[str, ...]:
    names = (*_TEXTS, *_NUMBERS, *_PIECES)
    return tuple(name for name in names if _said(then, name) != _said(now, name))


def _meaning(row: _Row) -> Hashable:
    return tuple(_said(row, name) for name in (*_TEXTS, *_NUMBERS, *_PIECES))


def _said(row: _Row, name: str) -> Hashable:
    """Return what a row says under a name, however it is written."""
    value = row.get(name)
    if name in _NUMBERS:
        return Decimal(value or 0)
    if name in _PIECES:
        return tuple(sorted(_piece(piece) for piece in value or ()))
    return value or ""


def _piece(piece: _Row) -> tuple[tuple[str, ...], tuple[Decimal, ...]]:
    texts = tuple(piece.get(name) or "" for name in _PIECE_TEXTS)
    return texts, tuple(Decimal(piece.get(name) or 0) for name in _PIECE_NUMBERS)


def _difference(
    part: str, change: Change, then: _Row | None, now: _Row | None, fields: tuple[str, ...] = ()
) -> RowDifference:
    shown, figure = now or then or {}, _FIGURES[part]
    return RowDifference(
        part=part,
        change=change,
        tx=shown["tx"],
        kind=shown["kind"] or "",
        asset=shown["asset"],
        ts=shown["ts"],
        then=None if then is None else Decimal(then[figure]),
        now=None if now is None else Decimal(now[figure]),
        fields=fields,
    )
