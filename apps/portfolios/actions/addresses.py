"""Answers about addresses: said once, they tell every transfer from and to it anew, also those that come later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction

from apps.core.errors import ConflictError, FieldProblem, InvalidError
from apps.portfolios.actions.portfolios import ledger_changed
from apps.portfolios.actions.posting import Accounts, checked, row_of
from apps.portfolios.domain.addresses import Whose, address_key, answered
from apps.portfolios.domain.drafts import LONGEST_ADDRESS, OUTSIDE, EntryDraft, as_entry
from apps.portfolios.domain.movements import effect
from apps.portfolios.models import Account, AddressAnswer, Batch, BatchKind, BatchState, Portfolio, Transaction
from apps.portfolios.queries.addresses import answer_of, legs_at, likely_legs, priced_entries
from apps.portfolios.queries.effects import Effect, effect_of_telling
from apps.portfolios.queries.ledger import draft_of_row

if TYPE_CHECKING:
    from apps.accounts.models import User

SOURCE: Final = "address"
MOST_ANSWERS: Final = 2_000


class AddressAnsweredError(ConflictError):
    """The address has an answer."""

    code = "address_answered"
    title = "This address has an answer"
    default_detail = "Take the answer back first; then its transfers wait again and can be answered anew."


class TooManyAnswersError(ConflictError):
    """The portfolio keeps as many answers as it can."""

    code = "too_many_answers"
    title = "Too many answers"
    default_detail = f"A portfolio keeps {MOST_ANSWERS} answers about addresses. Take one back that you no longer need."


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an answer would do now: to how many transfers, to balances and gains, and how many look like a pair.

    `unpriced` of them have a value that is not known yet; they count as nothing in the gains until it is.
    """

    applies_to: int
    effect: dict[str, Decimal]
    left_to_you: int
    change: Effect
    unpriced: int = 0


def foresee_answer(*, portfolio: Portfolio, address: str, whose: Whose, account: str = "", now: datetime) -> Foreseen:
    """Tell what an answer about an address would do to what is there, without doing it."""
    key, named = _asked(portfolio, address, whose, account)
    legs = legs_at(portfolio=portfolio).get(key, [])
    likely = likely_legs(portfolio=portfolio) if legs else frozenset()
    pairs = _told_anew(legs, likely, whose, named.name if named else None)
    before = effect((as_entry(draft_of_row(row=row)) for row, _draft in pairs), money=portfolio.currency)
    after = effect((as_entry(draft) for _row, draft in pairs), money=portfolio.currency)
    change = {asset: after.get(asset, Decimal(0)) - before.get(asset, Decimal(0)) for asset in {*before, *after}}
    told, unpriced = priced_entries(portfolio=portfolio, pairs=pairs, now=now)
    return Foreseen(
        applies_to=len(pairs),
        effect={asset: one for asset, one in sorted(change.items()) if one},
        left_to_you=len(legs) - len(pairs),
        change=effect_of_telling(portfolio=portfolio, told=told, since=min((row.at for row, _ in pairs), default=now)),
        unpriced=unpriced,
    )


def answer_address(
    *, portfolio: Portfolio, address: str, whose: Whose, account: str = "", by: User | None, now: datetime
) -> AddressAnswer:
    """Say once what an address is; the transfers that wait at it are told anew, in one batch."""
    with transaction.atomic():
        held = Portfolio.objects.select_for_update().get(pk=portfolio.pk)
        key, named = _asked(held, address, whose, account)
        if AddressAnswer.objects.filter(portfolio=held, address=key).exists():
            raise AddressAnsweredError
        if AddressAnswer.objects.filter(portfolio=held).count() >= MOST_ANSWERS:
            raise TooManyAnswersError
        made = AddressAnswer.objects.create(
            portfolio=held, address=key, answer=whose.value, account=named, by=by, created_at=now
        )
        _apply(held, [made], by, now)
        return made


def apply_answers(*, portfolio: Portfolio, now: datetime) -> int:
    """Tell anew what came since at addresses with an answer; return how many transfers that are."""
    if not AddressAnswer.objects.filter(portfolio=portfolio).exists():
        return 0
    with transaction.atomic():
        held = Portfolio.objects.select_for_update().get(pk=portfolio.pk)
        answers = AddressAnswer.objects.filter(portfolio=held).select_related("account")
        return _apply(held, list(answers), None, now)


def withdraw_answer(*, portfolio: Portfolio, answer_id: UUID, by: User | None, reason: str = "", now: datetime) -> int:
    """Take an answer back: what it told anew waits again, unless somebody has corrected it since."""
    with transaction.atomic():
        held = Portfolio.objects.select_for_update().get(pk=portfolio.pk)
        answer = answer_of(portfolio=held, answer_id=answer_id)
        batches = Batch.objects.filter(
            portfolio=held, kind=BatchKind.ANSWER, reason=answer.address, state=BatchState.COMMITTED
        )
        rows = Transaction.objects.filter(batch__in=list(batches)).standing()
        rows = rows.select_related("replaces__account", "replaces__from_account", "replaces__to_account")
        pairs = [(row, draft_of_row(row=row.replaces)) for row in rows if row.replaces is not None]
        if pairs:
            _replace(held, pairs, BatchKind.CORRECTION, "undo", reason or answer.address, by, now)
        batches.update(state=BatchState.UNDONE, undone_at=now)
        answer.delete()
        return len(pairs)


# --- Steps ------------------------------------------------------------------------------------------------------------
_Pair = tuple[Transaction, EntryDraft]


def _asked(portfolio: Portfolio, address: str, whose: Whose, account: str) -> tuple[str, Account | None]:
    key = address_key(address)
    if not key or len(key) > LONGEST_ADDRESS:
        raise InvalidError(problems=[FieldProblem("address", "address_invalid", "Give the address of a transfer.")])
    if whose is not Whose.MINE:
        return key, None
    named = Account.objects.filter(portfolio=portfolio, name=account.strip()).first()
    if named is None or named.name == OUTSIDE:
        message = "Name the account of yours that this address belongs to."
        raise InvalidError(problems=[FieldProblem("account", "account_unknown", message)])
    return key, named


def _apply(held: Portfolio, answers: Sequence[AddressAnswer], by: User | None, now: datetime) -> int:
    legs = legs_at(portfolio=held)
    waiting = [one for one in answers if one.address in legs]
    if not waiting:
        return 0
    likely, done = likely_legs(portfolio=held), 0
    for one in waiting:
        pairs = _told_anew(legs[one.address], likely, Whose(one.answer), one.account.name if one.account else None)
        if pairs:
            _replace(held, pairs, BatchKind.ANSWER, SOURCE, one.address, by, now)
            done += len(pairs)
    return done


def _told_anew(legs: Sequence[Transaction], likely: frozenset[str], whose: Whose, account: str | None) -> list[_Pair]:
    """Return what becomes of transfers by an answer; one that looks like a pair is left to its owner."""
    told = [
        (row, answered(draft_of_row(row=row), whose=whose, account=account))
        for row in legs
        if str(row.pk) not in likely
    ]
    return [(row, draft) for row, draft in told if draft is not None]


def _replace(
    held: Portfolio,
    pairs: Sequence[_Pair],
    kind: BatchKind,
    source: str,
    address: str,
    by: User | None,
    now: datetime,
) -> None:
    """Reverse rows and put others in their places, in one batch; what cannot be told so stays as it is."""
    sound, _refused = checked(drafts=[draft for _row, draft in pairs], now=now)
    accounts = Accounts(held, now)
    batch = Batch.objects.create(
        portfolio=held, kind=kind, source=source, reason=address, posted=len(sound), by=by, at=now
    )
    rows = [pairs[index][0] for index, _draft in sound]
    Transaction.objects.filter(pk__in=[row.pk for row in rows]).update(reversed_in=batch)
    made = [
        row_of(draft=draft, batch=batch, accounts=accounts, now=now, replaces=pairs[index][0]) for index, draft in sound
    ]
    Transaction.objects.bulk_create(made)
    ledger_changed(portfolio=held, since=min(row.at for row in rows))
