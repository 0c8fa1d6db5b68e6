"""Posting: entries come into the ledger together, in one transaction; what cannot be posted is named, not hidden."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from psycopg import sql

from apps.core.errors import ConflictError
from apps.core.ids import uuid7
from apps.portfolios.actions.portfolios import MOST_ACCOUNTS, ledger_changed
from apps.portfolios.domain.drafts import AMOUNTS, NAMES, OUTSIDE, REMARKS, EntryDraft, checked_draft
from apps.portfolios.domain.transactions import EntryError, EntryType, microseconds, moment
from apps.portfolios.models import Account, Batch, BatchKind, BatchState, Portfolio, Transaction

if TYPE_CHECKING:
    from apps.accounts.models import User

MOST_DRAFTS: Final = 200_000
_ROWS_AT_ONCE: Final = 1_000
_FEW_ROWS: Final = 200
LONGEST_LEAD: Final = timedelta(days=1)

#: The draft with its place in what was handed in.
_Placed: TypeAlias = tuple[int, EntryDraft]


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
) -> Posted:
    """Post what is new and sound; an external id that its account has already posts nothing."""
    if len(drafts) > MOST_DRAFTS:
        raise TooManyDraftsError
    sound, refused = checked(drafts=drafts, now=now)
    with transaction.atomic():
        held = Portfolio.objects.select_for_update().get(pk=portfolio.pk)
        accounts = Accounts(held, now)
        housed = list(accounts.house(sound, refused))
        fresh = _unknown(housed, accounts, kind)
        batch = None
        if fresh:
            batch = Batch.objects.create(
                portfolio=held,
                kind=kind,
                source=source,
                posted=len(fresh),
                duplicates=len(housed) - len(fresh),
                refused=len(refused),
                by=by,
                at=now,
            )
        rows = (
            []
            if batch is None
            else [row_of(draft=draft, batch=batch, accounts=accounts, now=now) for _index, draft in fresh]
        )
        _store(rows)
        if rows:
            ledger_changed(portfolio=held)
    errors = tuple(sorted(refused, key=lambda one: one.index))
    return Posted(batch, tuple(row.pk for row in rows), len(housed) - len(fresh), errors)


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
        housed = list(accounts.house(sound, refused))
        fresh = _unknown(housed, accounts, kind)
        transaction.set_rollback(True)
    errors = tuple(sorted(refused, key=lambda one: one.index))
    return Forecast(tuple(draft for _index, draft in fresh), len(housed) - len(fresh), errors)


# --- Steps ------------------------------------------------------------------------------------------------------------
def checked(*, drafts: Sequence[EntryDraft], now: datetime) -> tuple[list[_Placed], list[Refusal]]:
    """Return what can be posted and what cannot, each with its place in what was handed in."""
    sound: list[_Placed] = []
    refused: list[Refusal] = []
    latest = microseconds(now + LONGEST_LEAD)
    for index, draft in enumerate(drafts):
        if draft.at_us > latest:
            refused.append(Refusal(index, "ts_in_the_future", "This lies in the future.", "ts"))
            continue
        try:
            sound.append((index, checked_draft(draft, index=index)))
        except EntryError as error:
            refused.append(Refusal(index, error.code, error.message, error.field))
    return sound, refused


class Accounts:
    """The accounts of a portfolio by name; a name that is new becomes an account when an entry is posted to it."""

    def __init__(self, portfolio: Portfolio, now: datetime) -> None:
        self._portfolio, self._now = portfolio, now
        self._by_name = {row.name: row for row in Account.objects.filter(portfolio=portfolio)}

    def house(self, drafts: Sequence[_Placed], refused: list[Refusal]) -> Iterator[_Placed]:
        """Yield the drafts whose accounts are there or could be made; the others are refused."""
        for index, draft in drafts:
            if all(self._made(name) for name in _account_names(draft)):
                yield index, draft
            else:
                message = f"A portfolio has at most {MOST_ACCOUNTS} accounts."
                refused.append(Refusal(index, "too_many_accounts", message, "account"))

    def named(self, name: str) -> Account | None:
        """Return the account, nothing for what is outside."""
        return None if name == OUTSIDE else self._by_name[name]

    def _made(self, name: str) -> bool:
        if name in self._by_name:
            return True
        if len(self._by_name) >= MOST_ACCOUNTS:
            return False
        self._by_name[name] = Account.objects.create(portfolio=self._portfolio, name=name, created_at=self._now)
        return True


def _account_names(draft: EntryDraft) -> list[str]:
    names = draft.sides if draft.type is EntryType.TRANSFER else (draft.account,)
    return [name for name in names if name != OUTSIDE]


def _unknown(drafts: Sequence[_Placed], accounts: Accounts, kind: BatchKind) -> list[_Placed]:
    """Return the drafts whose external id their account does not have yet, each once."""
    told = {
        (accounts.named(draft.record_of), draft.external_id)
        for _index, draft in drafts
        if draft.external_id is not None
    }
    by_account: dict[Account, list[str]] = {}
    for account, external_id in told:
        if account is not None and external_id is not None:
            by_account.setdefault(account, []).append(external_id)
    known = {
        (account, external_id)
        for account, external_ids in by_account.items()
        for external_id in (*_known(account, external_ids, kind), *_own(account, external_ids))
    }
    fresh = []
    for index, draft in drafts:
        key = (accounts.named(draft.record_of), draft.external_id)
        if draft.external_id is None or key not in known:
            fresh.append((index, draft))
            known.add(key)  # type: ignore[arg-type]  # without an external id it is never asked for
    return fresh


def _store(rows: Sequence[Transaction]) -> None:
    """Store new rows; many of them as a stream, which costs a tenth of statements."""
    if len(rows) < _FEW_ROWS:
        Transaction.objects.bulk_create(rows)
        return
    fields = Transaction._meta.concrete_fields  # noqa: SLF001 - Django documents it
    names = sql.Composed([sql.Identifier(str(field.column)) for field in fields]).join(", ")
    table = sql.Identifier(Transaction._meta.db_table)  # noqa: SLF001
    attributes = [field.attname for field in fields]
    with connection.cursor() as cursor:
        command = sql.SQL("COPY {} ({}) FROM STDIN").format(table, names)
        with cursor.copy(command) as stream:
            for row in rows:
                stream.write_row([getattr(row, name) for name in attributes])


def _known(account: Account, external_ids: Sequence[str], kind: BatchKind) -> Iterator[str]:
    """Yield the ids that stand; for a machine also those that a person has taken out, so that they stay out."""
    counts = Q(reversed_in=None)
    if kind in {BatchKind.IMPORT, BatchKind.SYNC}:
        counts |= Q(reversed_in__kind=BatchKind.CORRECTION) & ~Q(batch__state=BatchState.UNDONE)
    rows = Transaction.objects.filter(counts, account=account)
    for start in range(0, len(external_ids), _ROWS_AT_ONCE):
        some = external_ids[start : start + _ROWS_AT_ONCE]
        yield from rows.filter(external_id__in=some).values_list("external_id", flat=True)  # type: ignore[misc]


def _own(account: Account, external_ids: Sequence[str]) -> Iterator[str]:
    """Yield the ids that are our own: an export that comes back to where it is from."""
    ours = {found: text for text in external_ids if (found := uuid_of(text=text)) is not None}
    rows = Transaction.objects.filter(portfolio=account.portfolio_id, pk__in=ours).standing()
    for found in rows.values_list("pk", flat=True):
        yield ours[found]


def uuid_of(*, text: str) -> UUID | None:
    """Return the UUID that a text is, if it is one as we write it."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None


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
