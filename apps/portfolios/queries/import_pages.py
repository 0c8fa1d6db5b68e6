"""Imports as their pages show them: one with what it changes and its bad lines, and the list of them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from apps.accounts.models import User
from apps.portfolios.models import BatchState, FileImport, Holding, Portfolio
from apps.portfolios.queries.effects import EffectLine
from apps.portfolios.queries.imports import imports_of

SHOWN: Final = 50
NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of a file that could not be read or posted, and why."""

    line: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ImportPage:
    """One import; `lines` are what it changes of each asset, before and after while it is a preview."""

    row: FileImport
    lines: tuple[EffectLine, ...]
    errors: tuple[BadLine, ...]
    notes: tuple[tuple[str, int], ...]

    @property
    def is_preview(self) -> bool:
        """Tell whether nothing of it is booked yet."""
        return self.row.state == BatchState.PREVIEW

    @property
    def is_committed(self) -> bool:
        """Tell whether it counts."""
        return self.row.state == BatchState.COMMITTED

    @property
    def can_be_kept(self) -> bool:
        """Tell whether how it was read can be kept as a template: a table was, and no worker is at it."""
        return bool(self.row.head) and self.row.open_work is None and self.row.state != BatchState.UNDONE

    @property
    def problem(self) -> str:
        """Return why a worker gave up what was to be done with it last."""
        work = self.row.newest_work
        return "" if work is None else work.problem_detail

    @property
    def more_errors(self) -> int:
        """Count the bad lines that are not named."""
        return self.row.error_count - len(self.errors)


def import_rows(*, portfolio: Portfolio) -> list[FileImport]:
    """Return the newest imports of a portfolio."""
    return list(imports_of(portfolio=portfolio)[:SHOWN])


def import_page(*, user: User, import_id: UUID) -> ImportPage | None:
    """Return one import of a person, or nothing."""
    rows = (
        FileImport.objects.for_user(user)
        .select_related("portfolio", "batch", "by")
        .defer("drafts")
        .prefetch_related("works")
    )
    row = rows.filter(pk=import_id).first()
    if row is None:
        return None
    held = Holding.objects.filter(portfolio=row.portfolio_id, asset__in=list(row.effect))
    before = {asset: Decimal(amount) for asset, amount in held.values_list("asset", "amount")}
    lines = []
    for asset, text in sorted(row.effect.items()):
        was = before.get(asset, NOTHING)
        lines.append(EffectLine(asset, was, was + Decimal(text), NOTHING, NOTHING))
    return ImportPage(
        row=row,
        lines=tuple(lines),
        errors=tuple(BadLine(one["line"], one["code"], one["message"]) for one in row.errors),
        notes=tuple(sorted(row.notes.items())),
    )
