"""Corrections: an entry is reversed, or reversed and told anew; a batch is undone. Nothing is edited."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import Min, Q

from apps.core.errors import ConflictError, FieldProblem, InvalidError, NotFoundError
from apps.portfolios.actions.addresses import withdraw_answer
from apps.portfolios.actions.import_rules import give_rules_back
from apps.portfolios.actions.portfolios import ledger_changed
from apps.portfolios.actions.posting import Accounts, checked, row_of
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.models import (
    AddressAnswer,
    Batch,
    BatchKind,
    BatchState,
    Portfolio,
    Transaction,
    TransactionQuerySet,
    TransferMatch,
)
from apps.portfolios.queries.ledger import draft_of_row
from apps.portfolios.queries.matching import matched_since

if TYPE_CHECKING:
    from apps.accounts.models import User

_CORRECTABLE = (BatchKind.MANUAL, BatchKind.IMPORT, BatchKind.CORRECTION, BatchKind.ANSWER)
_UNDOABLE = (BatchKind.MANUAL, BatchKind.IMPORT, BatchKind.SYNC)


class AlreadyReversedError(ConflictError):
    """The entry counts no more."""

    code = "already_reversed"
    title = "Reversed already"
    default_detail = "This entry was reversed or replaced meanwhile. Reload to see what stands in its place."


class NotManualError(ConflictError):
    """What an exchange reported is not corrected by hand."""

    code = "not_manual"
    title = "Not entered by hand"
    default_detail = "This came from a connected account. Add an entry that sets it right, or undo its batch."


class NotUndoableError(ConflictError):
    """The batch is undone already, or was itself a correction."""

    code = "batch_not_undoable"
    title = "Nothing to undo"
    default_detail = "This batch is undone already, or is itself a correction."


def reverse_transaction(*, user: User, transaction_id: UUID, reason: str = "", now: datetime) -> Batch:
    """Take an entry out of what counts; it stays to be read, with who did it and why."""
    with transaction.atomic():
        portfolio, row = _locked(user, transaction_id)
        batch = _correction(portfolio, user, "reversal", reason, now)
        since = _reverse(Transaction.objects.filter(pk=row.pk), batch)
        ledger_changed(portfolio=portfolio, since=since)
        return batch


def replace_transaction(
    *, user: User, transaction_id: UUID, draft: EntryDraft, reason: str = "", now: datetime
) -> Transaction:
    """Reverse an entry and post another in its place, with the same external id; one that says the same stays."""
    with transaction.atomic():
        portfolio, row = _locked(user, transaction_id)
        sound, refused = checked(drafts=[draft], now=now)
        if sound and replace(sound[0][1], source=row.source) == draft_of_row(row=row):
            return row
        accounts = Accounts(portfolio, now)
        housed = list(accounts.house(sound, refused))
        if refused:
            problem = refused[0]
            raise InvalidError(problems=[FieldProblem(problem.field, problem.code, problem.message)])
        batch = _correction(portfolio, user, "correction", reason, now, posted=1)
        since = _reverse(Transaction.objects.filter(pk=row.pk), batch)
        made = row_of(draft=housed[0][1], batch=batch, accounts=accounts, now=now, replaces=row)
        _refuse_known(made)
        made.save(force_insert=True)
        ledger_changed(portfolio=portfolio, since=None if since is None else min(since, made.at))
        return made


def undo_batch(*, user: User, batch_id: UUID, reason: str = "", now: datetime) -> Batch:
    """Take all entries of a batch out of what counts, also those that a correction put in their places.

    What an answer about an address told anew waits again: the answer is taken back, else it would be told so once more.
    """
    with transaction.atomic():
        found = Batch.objects.filter(pk=batch_id, portfolio__owner=user).values_list("portfolio_id", flat=True).first()
        if found is None:
            raise NotFoundError
        portfolio = Portfolio.objects.select_for_update().get(pk=found)
        batch = Batch.objects.select_for_update().get(pk=batch_id)
        if batch.kind == BatchKind.ANSWER:
            return _answer_undone(portfolio, batch, user, reason, now)
        if batch.state != BatchState.COMMITTED or batch.kind not in _UNDOABLE:
            raise NotUndoableError
        standing = _standing_of(batch)
        correction = _correction(portfolio, user, "undo", reason, now)
        since = _reverse(standing, correction)
        batch.state, batch.undone_at = BatchState.UNDONE, now
        batch.save(update_fields=["state", "undone_at"])
        give_rules_back(batch=batch, user=user, now=now)
        ledger_changed(portfolio=portfolio, since=since)
        return batch


def _answer_undone(portfolio: Portfolio, batch: Batch, user: User, reason: str, now: datetime) -> Batch:
    answer = AddressAnswer.objects.filter(portfolio=portfolio, address=batch.reason).first()
    if answer is None or batch.state != BatchState.COMMITTED:
        raise NotUndoableError
    withdraw_answer(portfolio=portfolio, answer_id=answer.pk, by=user, reason=reason, now=now)
    batch.refresh_from_db()
    return batch


def _standing_of(batch: Batch) -> TransactionQuerySet:
    """Return what counts of a batch: its own entries, and those in the places of the ones that were corrected.

    The places are few, and named: a large table that has just grown is not asked about each of its rows.
    """
    corrected = Transaction.objects.filter(batch=batch, reversed_in__isnull=False).values_list("place", flat=True)
    rows = Transaction.objects.filter(portfolio=batch.portfolio_id).standing()
    return rows.filter(Q(batch=batch) | Q(place__in=list(corrected)))


def _locked(user: User, transaction_id: UUID) -> tuple[Portfolio, Transaction]:
    """Lock the portfolio of an entry of the person's; another's does not exist for them."""
    rows = Transaction.objects.for_user(user).select_related("batch")
    row = rows.filter(pk=transaction_id).first()
    if row is None:
        raise NotFoundError
    portfolio = Portfolio.objects.select_for_update().get(pk=row.portfolio_id)
    row = rows.get(pk=transaction_id)
    if row.reversed_in_id is not None:
        raise AlreadyReversedError
    if row.batch.kind not in _CORRECTABLE:
        raise NotManualError
    return portfolio, row


def _correction(portfolio: Portfolio, user: User, source: str, reason: str, now: datetime, *, posted: int = 0) -> Batch:
    return Batch.objects.create(
        portfolio=portfolio,
        kind=BatchKind.CORRECTION,
        source=source,
        reason=reason,
        posted=posted,
        by=user,
        at=now,
    )


def _reverse(rows: TransactionQuerySet, batch: Batch) -> datetime | None:
    """Mark rows as reversed and return since when that changes the ledger.

    Matched transfers lose a side thereby, and the other one waits again.
    """
    torn = Q(out__in=rows.values("pk")) | Q(arrivals__transaction__in=rows.values("pk"))
    matches = TransferMatch.objects.filter(torn, portfolio=batch.portfolio_id).values_list("pk", flat=True)
    parted = TransferMatch.objects.filter(pk__in=list(matches))
    moments = (rows.aggregate(at=Min("at"))["at"], matched_since(matches=parted))
    parted.delete()
    rows.update(reversed_in=batch)
    return min((at for at in moments if at is not None), default=None)


def _refuse_known(made: Transaction) -> None:
    """Refuse an external id that the account has from another entry."""
    same = Transaction.objects.filter(account=made.account, external_id=made.external_id).standing()
    if made.external_id is not None and same.exists():
        problem = FieldProblem("external_id", "taken", "Another entry of this account has this external id.")
        raise InvalidError(problems=[problem])
