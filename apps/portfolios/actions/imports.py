"""Imports: a file is read and shown with its effect, committed by its owner, and undone as if it had never been."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from uuid import UUID

import orjson
import zstandard
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import jobs
from apps.core.errors import ConflictError, FieldProblem, InvalidError, NotFoundError
from apps.core.money import plain
from apps.portfolios.actions.corrections import undo_batch
from apps.portfolios.actions.import_rules import check_offered, rules_as_kept, take_rules
from apps.portfolios.actions.portfolios import locked_portfolio
from apps.portfolios.actions.posting import Refusal, foresee_posting, post_entries
from apps.portfolios.domain.drafts import EntryDraft, as_entry
from apps.portfolios.domain.importing import AUTO, ColumnMapping, ImportedFile, ImportRefusedError, read_file
from apps.portfolios.domain.movements import effect
from apps.portfolios.domain.packing import packed
from apps.portfolios.models import BatchKind, BatchState, FileImport, ImportVerb, ImportWork, Portfolio
from apps.portfolios.queries.imports import drafts_of

if TYPE_CHECKING:
    from apps.accounts.models import User

#: Bad lines that are named; beyond them they are counted.
MOST_ERRORS: Final = 1_000
#: Previews that wait in one portfolio; the oldest make room.
MOST_PREVIEWS: Final = 20
#: So many transactions are booked or undone while somebody waits; more are left to a worker.
MOST_AT_ONCE: Final = 5_000
_LEVEL: Final = 3
_BEGUN: Final = Decimal("0.05")
_UNDER_WAY: Final = Decimal("0.2")


class UnreadableFileError(InvalidError):
    """The file as a whole cannot be read."""

    code = "file_refused"
    title = "The file cannot be read"
    default_detail = "Choose the format by hand, or name its columns."


class BadLinesError(ConflictError):
    """Some lines cannot be posted, and nobody has said to leave them out."""

    code = "import_has_errors"
    title = "Some lines cannot be read"
    default_detail = "Correct the lines named in errors, or commit with skip_errors to leave them out."


class ImportNotOpenError(ConflictError):
    """The import is not in the state that this needs."""

    code = "import_not_open"
    title = "This import has moved on"
    default_detail = "It is committed or undone already. Upload the file again to start anew."


def preview_import(
    *,
    portfolio: Portfolio,
    data: bytes,
    file_name: str = "",
    wanted: str = AUTO,
    account: str = "",
    mapping: ColumnMapping | None = None,
    by: User | None,
    now: datetime,
) -> FileImport:
    """Read a file and keep what it would change; nothing is posted yet."""
    try:
        file = read_file(
            data=data,
            wanted=wanted,
            account=account,
            currency=portfolio.currency,
            mapping=mapping,
            name=file_name,
        )
    except ImportRefusedError as error:
        raise UnreadableFileError(error.message, problems=[FieldProblem("file", error.code, error.message)]) from error
    drafts = file.drafts
    forecast = foresee_posting(portfolio=portfolio, drafts=drafts, now=now, kind=BatchKind.IMPORT)
    errors = _errors(file, forecast.errors)
    change = effect(map(as_entry, forecast.fresh), money=portfolio.currency)
    with transaction.atomic():
        _make_room(portfolio)
        return FileImport.objects.create(
            portfolio=portfolio,
            format=file.format,
            title=file.title[:120],
            file_name=file_name[:200],
            file_hash=hashlib.sha256(data).hexdigest(),
            account_name=account,
            mapping=mapping.as_json() if mapping else {},
            rows=len({row.line for row in file.rows}),
            new=len(forecast.fresh),
            duplicates=forecast.duplicates,
            error_count=len(errors),
            errors=errors[:MOST_ERRORS],
            notes=file.notes,
            effect={asset: plain(amount) for asset, amount in change.items()},
            head=list(file.columns),
            rules=rules_as_kept(rules=file.rules),
            drafts=_packed(drafts),
            by=by,
            created_at=now,
        )


def commit_import(
    *, user: User, import_id: UUID, skip_errors: bool = False, with_policy: bool = False, now: datetime
) -> FileImport:
    """Post what a preview showed, a large one by a worker; bad lines are left out only if that is said.

    `with_policy` takes over the rules of booking that the file carries, which only an empty ledger can.
    """
    with transaction.atomic():
        row = _locked(user, import_id)
        if row.state != BatchState.PREVIEW or row.standing == "undoing":
            raise ImportNotOpenError
        if row.standing == "committing":
            return row
        if row.error_count and not skip_errors:
            problems = [FieldProblem(f"line {one['line']}", one["code"], one["message"]) for one in row.errors[:50]]
            raise BadLinesError(problems=problems)
        if with_policy:
            check_offered(row=row)
        if row.new > MOST_AT_ONCE:
            said = ImportWork(verb=ImportVerb.COMMIT, skip_errors=skip_errors, with_policy=with_policy)
            _hand_over(row, user, said, now=now)
        else:
            _book(row, user, drafts_of(row=row), now, with_policy=with_policy)
        return row


def undo_import(*, user: User, import_id: UUID, reason: str = "", now: datetime) -> FileImport:
    """Take everything that an import posted out of what counts, much of it by a worker; a preview is thrown away."""
    with transaction.atomic():
        row = _locked(user, import_id)
        if row.standing == "undoing":
            return row
        if row.state == BatchState.UNDONE or row.standing == "committing":
            raise ImportNotOpenError
        if row.batch is not None and row.batch.state == BatchState.COMMITTED and row.posted > MOST_AT_ONCE:
            _hand_over(row, user, ImportWork(verb=ImportVerb.UNDO, reason=reason[:200]), now=now)
        else:
            _take_back(row, user, reason, now)
        return row


def run_import(*, work_id: UUID, worker: str, read_clock: Callable[[], datetime]) -> bool:
    """Take up the booking or undoing of a large import if it waits, and carry it through."""
    lease = jobs.claim(model=ImportWork, work_id=work_id, worker=worker, now=read_clock())
    return jobs.run(lease=lease, handler=lambda held: _carry_through(held, read_clock))


# --- Steps ------------------------------------------------------------------------------------------------------------
def _carry_through(lease: jobs.Lease[ImportWork], read_clock: Callable[[], datetime]) -> None:
    """Do all of it in one transaction under the fence: whoever takes it over finds everything done, or nothing."""
    work = lease.work
    user = work.owner
    if user is None:
        raise NotFoundError
    if work.verb == ImportVerb.UNDO:
        lease.save(progress=_UNDER_WAY, note=_("Taking the transactions out"))
        with lease.fenced():
            _take_back(_locked(user, work.file_import_id), user, work.reason, read_clock())
            lease.succeed(progress_note=_("Undone"))
        return
    lease.save(progress=_BEGUN, note=_("Reading what the preview showed"))
    drafts = drafts_of(row=FileImport.objects.get(pk=work.file_import_id))
    lease.save(progress=_UNDER_WAY, note=_("Booking %(count)d transactions") % {"count": len(drafts)})
    with lease.fenced():
        row = _locked(user, work.file_import_id)
        if row.state != BatchState.PREVIEW:
            raise ImportNotOpenError
        _book(row, user, drafts, read_clock(), with_policy=work.with_policy)
        said = ngettext("%(count)d transaction is booked", "%(count)d transactions are booked", row.posted)
        lease.succeed(progress_note=said % {"count": row.posted})


def _hand_over(row: FileImport, user: User, work: ImportWork, *, now: datetime) -> None:
    work.owner, work.file_import = user, row
    work.name = (row.file_name or row.title or row.format)[:200]
    jobs.enqueue(work=work, now=now)


def _book(row: FileImport, user: User, drafts: list[EntryDraft], now: datetime, *, with_policy: bool) -> None:
    if with_policy:
        locked_portfolio(user=user, portfolio_id=row.portfolio_id)
        check_offered(row=row)
    done = post_entries(
        portfolio=row.portfolio, drafts=drafts, source=row.format, by=user, now=now, kind=BatchKind.IMPORT
    )
    row.state, row.batch, row.drafts = BatchState.COMMITTED, done.batch, b""
    row.posted, row.duplicates, row.new = done.posted, done.duplicates, done.posted
    if with_policy:
        take_rules(row=row, user=user, now=now)
    row.save()


def _take_back(row: FileImport, user: User, reason: str, now: datetime) -> None:
    if row.batch is not None and row.batch.state == BatchState.COMMITTED:
        row.batch = undo_batch(user=user, batch_id=row.batch.pk, reason=reason, now=now)
    row.state, row.drafts = BatchState.UNDONE, b""
    row.save(update_fields=["state", "drafts"])


def _locked(user: User, import_id: UUID) -> FileImport:
    rows = FileImport.objects.for_user(user).select_for_update(of=("self",))
    row = rows.select_related("portfolio", "batch").filter(pk=import_id).first()
    if row is None:
        raise NotFoundError
    return row


def _make_room(portfolio: Portfolio) -> None:
    waiting = FileImport.objects.filter(portfolio=portfolio, state=BatchState.PREVIEW).order_by("-id")
    idle = waiting.exclude(works__in=ImportWork.rows().open())
    old = list(idle.values_list("pk", flat=True)[MOST_PREVIEWS - 1 :])
    FileImport.objects.filter(pk__in=old).delete()


def _errors(file: ImportedFile, refusals: tuple[Refusal, ...]) -> list[dict[str, object]]:
    """Return every bad line with its number: those that could not be read, and those that cannot be posted."""
    lines = [row.line for row in file.rows if row.draft is not None]
    found: list[dict[str, object]] = [
        {"line": line, "code": problem.code, "message": problem.message} for line, problem in file.errors
    ]
    found += [{"line": lines[one.index], "code": one.code, "message": one.message} for one in refusals]
    return sorted(found, key=lambda one: int(str(one["line"])))


def _packed(drafts: list[EntryDraft]) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL).compress(orjson.dumps(packed(drafts), default=str))
