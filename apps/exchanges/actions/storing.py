"""Rows of venues: kept as they came, turned into entries, and marked with what became of them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.exchanges.actions.seams import TOLD_BY_FILE, told_by_files
from apps.exchanges.domain.moments import milliseconds, moment_of
from apps.exchanges.domain.normalize import Normalized, normalize
from apps.exchanges.domain.reading import Stream, StreamKey, VenueRow
from apps.exchanges.models import Connection, RowState, StoredRow
from apps.exchanges.queries.ledger import SYNC
from apps.portfolios.actions import Posted, post_entries
from apps.portfolios.domain.drafts import EntryDraft

#: Rows that tell all by themselves; of the others several belong together, so they wait until their stream is read.
ALONE: Final = frozenset({Stream.TRADES})
#: So many waiting rows are turned into entries in one transaction.
MOST_AT_ONCE: Final = 5_000
_LONGEST_DETAIL: Final = 500
_DIFFERS: Final = "content_differs"
_TAKEN_BACK: Final = "row_taken_back"
#: Marks a row that waits again because the venue tells it otherwise, and that has an entry.
_WAS_POSTED: Final = "was_posted"

Problem = dict[str, str]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of some rows."""

    batch_id: UUID | None = None
    posted: int = 0
    duplicates: int = 0
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Kept:
    """The rows of a page that are new, or that the venue tells otherwise than before."""

    fresh: list[StoredRow] = field(default_factory=list)
    changed: list[StoredRow] = field(default_factory=list)

    @property
    def rows(self) -> list[StoredRow]:
        """Return all of them."""
        return [*self.fresh, *self.changed]


def keep_rows(*, connection: Connection, key: StreamKey, rows: Sequence[VenueRow]) -> Kept:
    """Keep the rows of a page once each; return those that tell something new. Call it under the fence of the run."""
    told = {row.external_id: row for row in rows}
    known = {
        row.external_id: row
        for row in StoredRow.objects.filter(
            connection=connection, stream=key.stream.value, symbol=key.symbol, external_id__in=list(told)
        ).defer("payload")
    }
    kept = Kept()
    for external_id, row in told.items():
        payload = orjson.dumps(row.payload, option=orjson.OPT_SORT_KEYS)
        digest = hashlib.sha256(payload).digest()
        before = known.get(external_id)
        if before is None:
            kept.fresh.append(_stored(connection, key, row, payload, digest))
        elif bytes(before.payload_hash) != digest:
            before.at, before.payload, before.payload_hash = moment_of(row.at_ms), zlib.compress(payload), digest
            before.problem_code = _WAS_POSTED if before.state == RowState.POSTED else ""
            before.state = RowState.WAITING
            kept.changed.append(before)
    StoredRow.objects.bulk_create(kept.fresh)
    StoredRow.objects.bulk_update(kept.changed, ["at", "payload", "payload_hash", "state", "problem_code"])
    return kept


def settle_rows(*, connection: Connection, rows: Sequence[StoredRow], into: UUID | None, now: datetime) -> Settled:
    """Turn rows into entries and post them; mark each with what became of it. Call it under the fence of the run.

    Each stream is settled by itself: ids are the venue's own within a stream and a pair, and nowhere else.
    """
    groups: dict[tuple[str, str], list[StoredRow]] = {}
    for row in rows:
        groups.setdefault((row.stream, row.symbol), []).append(row)
    done = Settled(batch_id=into)
    for group in groups.values():
        more = _settle(connection, group, done.batch_id, now)
        done = Settled(
            batch_id=more.batch_id,
            posted=done.posted + more.posted,
            duplicates=done.duplicates + more.duplicates,
            problems=(*done.problems, *more.problems),
        )
    return done


def waiting_rows(*, connection: Connection, with_problems: bool = False) -> list[StoredRow]:
    """Return the oldest rows that wait to become entries; rows of one moment are not torn apart."""
    states = (RowState.WAITING, RowState.PROBLEM) if with_problems else (RowState.WAITING,)
    rows = _in_order(StoredRow.objects.filter(connection=connection, state__in=states))
    some = list(rows[: MOST_AT_ONCE + 1])
    if len(some) <= MOST_AT_ONCE:
        return some
    last = some[-1].at
    whole = [row for row in some if row.at < last]
    return whole or list(rows.filter(at=last))


def venue_row(*, row: StoredRow) -> VenueRow:
    """Return a kept row as its venue told it."""
    return VenueRow(
        stream=Stream(row.stream),
        external_id=row.external_id,
        at_ms=milliseconds(row.at),
        payload=orjson.loads(zlib.decompress(bytes(row.payload))),
        symbol=row.symbol,
    )


# --- Steps ------------------------------------------------------------------------------------------------------------
def _settle(connection: Connection, rows: Sequence[StoredRow], into: UUID | None, now: datetime) -> Settled:
    asked, skipped = _since_the_seam(connection, rows)
    _mark(skipped, dict.fromkeys((row.pk for row in skipped), (RowState.NOTHING, "", "")))
    if not asked:
        return Settled(batch_id=into)
    made = normalize(
        exchange=connection.exchange,
        rows=[venue_row(row=row) for row in asked],
        account=connection.account.name,
        currency=connection.portfolio.currency,
    )
    told = told_by_files(connection=connection, rows=asked, drafts=made.drafts)
    in_files = {_row_of(made, made.drafts[place]): entry for place, entry in told.items()}
    made = replace(made, drafts=tuple(draft for place, draft in enumerate(made.drafts) if place not in told))
    posted = _post(connection, made.drafts, into, now)
    again = _meant_otherwise(connection, made, posted)
    if again:
        posted = _joined(posted, again, _post(connection, list(again.values()), _batch_of(posted, into), now))
    found = _verdicts(asked, made, posted, in_files)
    _mark(asked, found)
    return Settled(
        batch_id=_batch_of(posted, into),
        posted=posted.posted,
        duplicates=posted.duplicates + len(told),
        problems=tuple(_problems(asked, found)),
    )


def _in_order(rows: QuerySet[StoredRow]) -> QuerySet[StoredRow]:
    return rows.order_by("at", "stream", "external_id")


def _stored(connection: Connection, key: StreamKey, row: VenueRow, payload: bytes, digest: bytes) -> StoredRow:
    return StoredRow(
        connection=connection,
        stream=key.stream.value,
        symbol=key.symbol,
        external_id=row.external_id,
        at=moment_of(row.at_ms),
        payload=zlib.compress(payload),
        payload_hash=digest,
    )


def _since_the_seam(
    connection: Connection, rows: Sequence[StoredRow]
) -> tuple[Sequence[StoredRow], Sequence[StoredRow]]:
    """Part what the connection tells from what files have told before it."""
    seam = connection.history_from
    if seam is None:
        return rows, ()
    return [row for row in rows if row.at >= seam], [row for row in rows if row.at < seam]


_Verdict = tuple[RowState, str, str]


def _post(connection: Connection, drafts: Sequence[EntryDraft], into: UUID | None, now: datetime) -> Posted:
    return post_entries(
        portfolio=connection.portfolio,
        drafts=drafts,
        source=connection.exchange,
        by=connection.owner,
        now=now,
        kind=SYNC,
        into=into,
    )


def _batch_of(posted: Posted, into: UUID | None) -> UUID | None:
    return into if posted.batch is None else posted.batch.pk


def _meant_otherwise(connection: Connection, made: Normalized, posted: Posted) -> dict[int, EntryDraft]:
    """Return the drafts, by their place, whose id is taken by another row of this venue, under their second id.

    An id that a file or a person has used for something else stays a problem: nothing says which of the two is right.
    """
    conflicts = {one.index: made.drafts[one.index] for one in posted.errors if one.code == _DIFFERS}
    rows = {draft.external_id: made.of.get(draft.external_id or "", draft.external_id) for draft in conflicts.values()}
    told = StoredRow.objects.filter(connection=connection, external_id__in=list(rows.values()))
    kinds: dict[str, set[tuple[str, str]]] = {}
    for external_id, stream, symbol in told.values_list("external_id", "stream", "symbol") if conflicts else ():
        kinds.setdefault(external_id, set()).add((stream, symbol))
    return {
        index: replace(draft, external_id=made.spare[own_id])
        for index, draft in conflicts.items()
        if (own_id := draft.external_id or "") in made.spare and len(kinds.get(rows[own_id] or "", ())) > 1
    }


def _joined(first: Posted, places: Mapping[int, EntryDraft], second: Posted) -> Posted:
    """Return what became of all drafts when some of them were posted under their second id."""
    of = list(places)
    errors = [one for one in first.errors if one.index not in places]
    errors += [replace(one, index=of[one.index]) for one in second.errors]
    return Posted(
        batch=second.batch or first.batch,
        ids=(*first.ids, *second.ids),
        duplicates=first.duplicates + second.duplicates,
        errors=tuple(errors),
    )


def _row_of(made: Normalized, draft: EntryDraft) -> str | None:
    return made.of.get(draft.external_id or "", draft.external_id)


def _verdicts(
    rows: Sequence[StoredRow], made: Normalized, posted: Posted, in_files: Mapping[str | None, UUID]
) -> Mapping[UUID, _Verdict]:
    """Return for each row whether it stands in the ledger, needs no entry, or has a problem, and which."""
    of = [_row_of(made, draft) for draft in made.drafts]
    entries = set(of)
    refused = {of[one.index]: (one.code, one.message) for one in posted.errors}
    wrong = {(one.stream, one.symbol, one.external_id): (one.code, one.detail) for one in made.problems}
    found: dict[UUID, _Verdict] = {}
    for row in rows:
        problem = wrong.get((Stream(row.stream), row.symbol, row.external_id)) or refused.get(row.external_id)
        if problem is not None:
            found[row.pk] = (RowState.PROBLEM, problem[0][:64], problem[1][:_LONGEST_DETAIL])
        elif row.external_id in entries:
            found[row.pk] = (RowState.POSTED, "", "")
        elif row.external_id in in_files:
            found[row.pk] = (RowState.NOTHING, TOLD_BY_FILE, str(in_files[row.external_id]))
        else:
            found[row.pk] = _without_entry(row)
    return found


def _without_entry(row: StoredRow) -> _Verdict:
    """Say what it means that a row makes no entry: nothing, unless one stands in the ledger for what it was before."""
    if row.problem_code not in {_WAS_POSTED, _TAKEN_BACK}:
        return (RowState.NOTHING, "", "")
    detail = _("The exchange tells this row otherwise than before: it would make no entry now, and has one.")
    return (RowState.PROBLEM, _TAKEN_BACK, detail)


def _mark(rows: Sequence[StoredRow], found: Mapping[UUID, _Verdict]) -> None:
    """Write what became of rows, in as few statements as there are different outcomes."""
    groups: dict[_Verdict, list[UUID]] = {}
    for row in rows:
        verdict = found[row.pk]
        if (row.state, row.problem_code, row.problem_detail) != verdict:
            groups.setdefault(verdict, []).append(row.pk)
        row.state, row.problem_code, row.problem_detail = verdict
    for (state, code, detail), ids in groups.items():
        StoredRow.objects.filter(pk__in=ids).update(state=state, problem_code=code, problem_detail=detail)


def _problems(rows: Iterable[StoredRow], found: Mapping[UUID, _Verdict]) -> Iterator[Problem]:
    for row in rows:
        state, code, detail = found[row.pk]
        if state == RowState.PROBLEM:
            yield {
                "code": code,
                "detail": detail,
                "stream": row.stream,
                "symbol": row.symbol,
                "external_id": row.external_id,
            }
