"""A portfolio's imports."""

from uuid import UUID

import orjson
import zstandard

from apps.core.errors import NotFoundError
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.packing import unpacked
from apps.portfolios.models import FileImport, Portfolio
from apps.portfolios.models.imports import FileImportQuerySet


def imports_of(*, portfolio: Portfolio) -> FileImportQuerySet:
    """Return the imports into a portfolio, newest first, without what they would post."""
    rows = FileImport.objects.filter(portfolio=portfolio).select_related("batch", "by")
    return rows.defer("drafts").prefetch_related("works").order_by("-id")


def import_of(*, portfolio: Portfolio, import_id: UUID) -> FileImport:
    """Return an import into the portfolio, or raise `NotFoundError`."""
    found = imports_of(portfolio=portfolio).filter(pk=import_id).first()
    if found is None:
        raise NotFoundError
    return found


def drafts_of(*, row: FileImport) -> list[EntryDraft]:
    """Return what an import posts when it is committed."""
    return unpacked(orjson.loads(zstandard.ZstdDecompressor().decompress(bytes(row.drafts))))
