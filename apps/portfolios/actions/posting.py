"""Posting: entries come into the ledger together, in one transaction; what cannot be posted is named, not hidden."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction

from apps.core.errors import ConflictError
from apps.core.ids import uuid7
from apps.portfolios.actions.portfolios import MOST_ACCOUNTS, ledger_changed
from apps.portfolios.actions.repeats import Placed, Sifted, sift
from apps.portfolios.actions.storing import stream_in
from apps.portfolios.domain.drafts import AMOUNTS, NAMES, OUTSIDE, REMARKS, EntryDraft, checked_draft
from apps.portfolios.domain.soundness import is_sound
from apps.portfolios.domain.transactions import EntryError, EntryType, microseconds, moment
from apps.portfolios.models import Account, Batch, BatchKind, BatchState, Portfolio, Transaction

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_DRAFTS: Final = 200_000
_FEW_ROWS: Final = 200
LONGEST_LEAD: Final = timedelta(days=1)


class TooManyDraftsError(ConflictError):
    """More entries than are posted at once."""

    code = "too_many_entries"
    title = "Too many entries at once"
    default_detail = f"Post at most {MOST_DRAFTS} entries at once."


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entry that was not posted, and why."""

    index: int
    code: str
    message: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of the entries; without a batch nothing was posted."""

    batch: Batch | None
    ids: tuple[UUID, ...]
    duplicates: int
    errors: tuple[Refusal, ...]
    #: What was posted and yet deserves a look, said by who read it.
    warnings: tuple[Refusal, ...] = ()
    frozen_years: tuple[int, ...] = ()

    @property
    def posted(self) -> int:
        """Return how many entries were posted."""
        return len(self.ids)


def post_entries(
    *,
    portfolio: Portfolio,
    drafts: Sequence[EntryDraft],
    source: str,
    by: User | None,
    now: datetime,
    kind: BatchKind = BatchKind.MANUAL,
    into: UUID | None = None,
) -> Posted:
    """Post what is new and sound; an external id that its account has already posts nothing.

    `into` names a batch to go on with, for a source that tells its entries little by little.
    """
    if len(drafts) > MOST_DRAFTS:
        raise TooManyDraftsError
    sound, refused = checked(drafts=drafts, now=now)
    with transaction.atomic():
        held = Portfolio.objects.select_for_update().get(pk=portfolio.pk)
        accounts = Accounts(held, now)
        sifted = _sifted(sound, refused, accounts, held, kind)
        batch, ids = None, []
        if sifted.fresh:
            batch = _begun(held, kind, into) or Batch(portfolio=held, kind=kind, source=source, by=by, at=now)
            batch.posted += len(sifted.fresh)
            batch.duplicates += sifted.duplicates
            batch.refused += len(refused)
            batch.save()
            ids = _store([draft for _index, draft in sifted.fresh], batch, accounts, now)
            first = min(draft.at_us for _index, draft in sifted.fresh)
            ledger_changed(portfolio=held, since=moment(first))
    errors = tuple(sorted(refused, key=lambda one: one.index))
    return Posted(batch, tuple(ids), sifted.duplicates, errors)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What posting would do: the drafts that are new, how many are known, and what cannot be posted."""

    fresh: tuple[EntryDraft, ...]
    duplicates: int
    errors: tuple[Refusal, ...]


def foresee_posting(
    *, portfolio: Portfolio, drafts: Sequence[EntryDraft], now: datetime, kind: BatchKind = BatchKind.MANUAL
) -> Forecast:
    """Tell what posting these would do, without doing it."""
    if len(drafts) > MOST_DRAFTS:
        raise TooManyDraftsError
    sound, refused = checked(drafts=drafts, now=now)
    with transaction.atomic():
        accounts = Accounts(portfolio, now)
        sifted = _sifted(sound, refused, accounts, portfolio, kind)
        transaction.set_rollback(True)
    errors = tuple(sorted(refused, key=lambda one: one.index))
    return Forecast(tuple(draft for _index, draft in sifted.fresh), sifted.duplicates, errors)


# --- Steps ------------------------------------------------------------------------------------------------------------
def _begun(portfolio: Portfolio, kind: BatchKind, batch_id: UUID | None) -> Batch | None:
    """Return the batch to go on with, unless it was undone meanwhile."""
    if batch_id is None:
        return None
    rows = Batch.objects.select_for_update().filter(portfolio=portfolio, kind=kind, state=BatchState.COMMITTED)
    return rows.filter(pk=batch_id).first()


def checked(*, drafts: Sequence[EntryDraft], now: datetime) -> tuple[list[Placed], list[Refusal]]:
    """Return what can be posted and what cannot, each with its place in what was handed in."""
    sound: list[Placed] = []
    refused: list[Refusal] = []
    latest = microseconds(now + LONGEST_LEAD)
    for index, draft in enumerate(drafts):
        if draft.at_us > latest:
            refused.append(Refusal(index, "ts_in_the_future", "This lies in the future.", "ts"))
            continue
        if is_sound(draft):
            sound.append((index, draft))
            continue
        try:
            sound.append((index, checked_draft(draft, index=index)))
        except EntryError as error:
            refused.append(Refusal(index, error.code, error.message, error.field))
    return sound, refused


def _sifted(
    sound: Sequence[Placed], refused: list[Refusal], accounts: Accounts, portfolio: Portfolio, kind: BatchKind
) -> Sifted:
    """Return what is new; what has no place, or tells a known id otherwise, is refused."""
    housed = list(accounts.house(sound, refused))
    found = sift(drafts=housed, accounts=accounts.by_name, money=portfolio.currency, kind=kind)
    for index, what in found.conflicts:
        message = f"This id stands for another entry already: {what}. Nothing was changed."
        refused.append(Refusal(index, "content_differs", message, "external_id"))
    return found


class Accounts:
    """The accounts of a portfolio by name; a name that is new becomes an account when an entry is posted to it."""

    def __init__(self, portfolio: Portfolio, now: datetime) -> None:
        self._portfolio, self._now = portfolio, now
        self.by_name = {row.name: row for row in Account.objects.filter(portfolio=portfolio)}

    def house(self, drafts: Sequence[Placed], refused: list[Refusal]) -> Iterator[Placed]:
        """Yield the drafts whose accounts are there or could be made; the others are refused."""
        for index, draft in drafts:
            is_here = draft.type is not EntryType.TRANSFER and draft.account in self.by_name
            if is_here or all(self._made(name) for name in _account_names(draft)):
                yield index, draft
            else:
                message = f"A portfolio has at most {MOST_ACCOUNTS} accounts."
                refused.append(Refusal(index, "too_many_accounts", message, "account"))

    def named(self, name: str) -> Account | None:
        """Return the account, nothing for what is outside."""
        return None if name == OUTSIDE else self.by_name[name]

    def _made(self, name: str) -> bool:
        if name in self.by_name:
            return True
        if len(self.by_name) >= MOST_ACCOUNTS:
            return False
        self.by_name[name] = Account.objects.create(portfolio=self._portfolio, name=name, created_at=self._now)
        return True


def _account_names(draft: EntryDraft) -> list[str]:
    names = draft.sides if draft.type is EntryType.TRANSFER else (draft.account,)
    return [name for name in names if name != OUTSIDE]


def _store(drafts: Sequence[EntryDraft], batch: Batch, accounts: Accounts, now: datetime) -> list[UUID]:
    """Store new rows and return their ids."""
    if len(drafts) >= _FEW_ROWS:
        return stream_in(drafts=drafts, batch=batch, accounts=accounts.by_name, now=now)
    rows = [row_of(draft=draft, batch=batch, accounts=accounts, now=now) for draft in drafts]
    Transaction.objects.bulk_create(rows)
    return [row.pk for row in rows]


def row_of(
    *, draft: EntryDraft, batch: Batch, accounts: Accounts, now: datetime, replaces: Transaction | None = None
) -> Transaction:
    """Return the row that a draft becomes, not stored yet."""
    row_id = uuid7()
    is_transfer = draft.type is EntryType.TRANSFER
    sender, receiver = draft.sides
    return Transaction(
        id=row_id,
        portfolio_id=batch.portfolio_id,
        batch=batch,
        account=accounts.named(draft.record_of),
        at=moment(draft.at_us),
        sequence=draft.sequence,
        place=row_id if replaces is None else replaces.place,
        type=draft.type.value,
        from_account=accounts.named(sender) if is_transfer else None,
        to_account=accounts.named(receiver) if is_transfer else None,
        external_id=draft.external_id,
        source=draft.source,
        replaces=replaces,
        created_at=now,
        **{name: getattr(draft, name) for name in AMOUNTS},
        **{name: getattr(draft, name) or "" for name in (*NAMES, *REMARKS)},
    )
