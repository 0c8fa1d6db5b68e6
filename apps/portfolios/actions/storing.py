"""Storing: many new rows go into the database as one stream of text, which costs a tenth of statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final
from uuid import UUID

from django.db import connection
from psycopg import sql

from apps.core.ids import uuid7
from apps.portfolios.domain.drafts import AMOUNTS, NAMES, OUTSIDE, REMARKS, EntryDraft
from apps.portfolios.domain.transactions import EntryType, moment_text
from apps.portfolios.models import Account, Batch, Transaction

_LINES_AT_ONCE: Final = 1_000
_NOTHING: Final = "\\N"
_TEXTS: Final = (*NAMES, *REMARKS)
_COLUMNS: Final = (
    *("id", "place", "at", "sequence", "type", "account", "from_account", "to_account", "external_id", "source"),
    *AMOUNTS,
    *_TEXTS,
    *("portfolio", "batch", "created_at"),
)
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_amounts: Final = attrgetter(*AMOUNTS)
_texts: Final = attrgetter(*_TEXTS)


def stream_in(
    *, drafts: Sequence[EntryDraft], batch: Batch, accounts: Mapping[str, Account], now: datetime
) -> list[UUID]:
    """Store the rows that drafts become, and return their ids."""
    ids = [uuid7() for _draft in drafts]
    meta = Transaction._meta  # noqa: SLF001 - Django documents it
    names = [sql.Identifier(str(meta.get_field(name).column)) for name in _COLUMNS]  # type: ignore[union-attr]
    command = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(meta.db_table), sql.SQL(", ").join(names))
    lines = _lines(drafts, ids, {name: str(row.pk) for name, row in accounts.items()}, batch, now)
    with connection.cursor() as cursor, cursor.copy(command) as stream:
        some: list[str] = []
        for line in lines:
            some.append(line)
            if len(some) == _LINES_AT_ONCE:
                stream.write("".join(some))
                some.clear()
        stream.write("".join(some))
    return ids


def _lines(
    drafts: Sequence[EntryDraft], ids: Sequence[UUID], accounts: Mapping[str, str], batch: Batch, now: datetime
) -> Iterator[str]:
    """Yield each row as PostgreSQL reads it: cells between tabs, an absent one as a sign of its own."""
    end = f"\t{batch.portfolio_id}\t{batch.pk}\t{now.isoformat()}\n"
    for draft, row_id in zip(drafts, ids, strict=True):
        sender, receiver = draft.sides if draft.type is EntryType.TRANSFER else (OUTSIDE, OUTSIDE)
        cells = [
            str(row_id),
            str(row_id),
            moment_text(draft.at_us),
            str(draft.sequence),
            draft.type.value,
            accounts[draft.record_of],
            accounts.get(sender, _NOTHING),
            accounts.get(receiver, _NOTHING),
            _NOTHING if draft.external_id is None else draft.external_id.translate(_ESCAPES),
            draft.source.translate(_ESCAPES),
        ]
        cells += [_NOTHING if amount is None else str(amount) for amount in _amounts(draft)]
        cells += [text.translate(_ESCAPES) if text else "" for text in _texts(draft)]
        yield "\t".join(cells) + end
