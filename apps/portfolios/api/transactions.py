"""REST: transactions and the batches they came in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final
from uuid import UUID

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import person_of
from apps.core import clock
from apps.core.api.idempotency import idempotent
from apps.core.api.views import operation
from apps.core.errors import FieldProblem, InvalidError
from apps.portfolios import actions, queries
from apps.portfolios import serializers as shapes
from apps.portfolios.actions import Refusal
from apps.portfolios.actions.frozen_effects import frozen_years_of_batch
from apps.portfolios.api.portfolios import PortfolioDoor
from apps.portfolios.domain.drafts import EntryDraft, draft_of
from apps.portfolios.domain.fields import OURS, check_fields, foreign_fields
from apps.portfolios.domain.transactions import EntryError, moment
from apps.portfolios.models import Portfolio
from apps.portfolios.queries import LedgerFilter
from apps.portfolios.queries.freezing import frozen_years_from

SOURCE: Final = "api"
MOST_POSTED: Final = 10_000
_ONE_OR_MANY = PolymorphicProxySerializer(
    component_name="TransactionOrList",
    serializers=[shapes.TransactionSerializer, shapes.TransactionSerializer(many=True)],
    resource_type_field_name=None,
    many=False,
)


class TransactionsView(PortfolioDoor):
    """The ledger of a portfolio."""

    ordering = ("-at", "-sequence", "-place")

    @operation(
        summary="Transactions",
        description="Those that stand, newest first; `[from, to)` is their time.",
        query=shapes.TransactionsQuerySerializer,
        response=shapes.TransactionSerializer(many=True),
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        wish = self.parse_query(shapes.TransactionsQuerySerializer)
        wanted = LedgerFilter(
            account=wish["account"],
            asset=wish["asset"],
            type=wish["type"],
            start=wish.get("from"),
            end=wish.get("to"),
            batch=wish["batch"],
        )
        return self.page(queries.transactions(portfolio=portfolio, wanted=wanted), shapes.TransactionSerializer)

    @operation(
        summary="Post transactions",
        description=(
            f"One, or a list of up to {MOST_POSTED}. An `id` that you send becomes the external id: its account takes "
            "it once, so that a repeat posts nothing. An account is named, or given by its id. In a list the sound "
            "ones are posted and the others named in `errors`; a single one that is not sound is refused. A field "
            "that no entry has, or that this type does not have, is an error; what an answer holds besides may be "
            "sent back. `warnings` name what is posted and yet deserves a look."
        ),
        request=_ONE_OR_MANY,
        response=shapes.PostedSerializer,
        status=201,
        tags=["portfolios"],
    )
    @idempotent
    def post(self, request: Request, portfolio_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        rows, is_list = _rows(request.data)
        read = _Read(rows, portfolio)
        done = actions.post_entries(
            portfolio=portfolio, drafts=read.drafts, source=SOURCE, by=person_of(request), now=clock.now()
        )
        errors = [*read.refused, *(read.placed(one) for one in done.errors)]
        if errors and not is_list:
            raise InvalidError(problems=[FieldProblem(errors[0].field, errors[0].code, errors[0].message)])
        errors.sort(key=lambda one: one.index)
        first = min((moment(draft.at_us) for draft in read.drafts), default=None) if done.ids else None
        frozen = frozen_years_from(portfolio=portfolio, first=first)
        whole = replace(done, errors=tuple(errors), warnings=tuple(read.warnings), frozen_years=frozen)
        return self.answer(shapes.PostedSerializer, whole, status=201)


class TransactionView(PortfolioDoor):
    """One transaction."""

    @operation(
        summary="A transaction",
        description="Also one that counts no more: `reversed_in` is the batch that took it out.",
        response=shapes.TransactionSerializer,
        tags=["portfolios"],
    )
    def get(self, request: Request, portfolio_id: UUID, transaction_id: UUID) -> Response:
        found = queries.transaction_of(
            user=person_of(request), portfolio_id=portfolio_id, transaction_id=transaction_id
        )
        return self.answer(shapes.TransactionSerializer, found)

    @operation(
        summary="Correct a transaction",
        description=(
            "It is reversed, and another takes its place; fields that you leave out stay, null empties one. Where "
            "nothing is changed the entry itself comes back, with `changed` false, and nothing is booked."
        ),
        request=shapes.TransactionSerializer,
        response=shapes.CorrectedSerializer,
        tags=["portfolios"],
    )
    def patch(self, request: Request, portfolio_id: UUID, transaction_id: UUID) -> Response:
        user = person_of(request)
        row = queries.transaction_of(user=user, portfolio_id=portfolio_id, transaction_id=transaction_id)
        draft = _draft(_corrected(queries.portable_row(row=row), request.data), row.portfolio)
        made = actions.replace_transaction(user=user, transaction_id=row.pk, draft=draft, now=clock.now())
        made.changed = made.pk != row.pk  # type: ignore[attr-defined]  # for the answer
        return self.answer(shapes.CorrectedSerializer, made)

    @operation(
        summary="Take a transaction out",
        description="It is reversed: it counts no more, and stays to be read.",
        status=204,
        tags=["portfolios"],
    )
    def delete(self, request: Request, portfolio_id: UUID, transaction_id: UUID) -> Response:
        user = person_of(request)
        row = queries.transaction_of(user=user, portfolio_id=portfolio_id, transaction_id=transaction_id)
        actions.reverse_transaction(user=user, transaction_id=row.pk, now=clock.now())
        return self.nothing()


class BatchesView(PortfolioDoor):
    """What filled a portfolio."""

    ordering: ClassVar[Sequence[str]] = ("-id",)

    @operation(summary="Batches", response=shapes.BatchSerializer(many=True), tags=["portfolios"])
    def get(self, _request: Request, portfolio_id: UUID) -> Response:
        return self.page(queries.batches_of(portfolio=self.portfolio(portfolio_id)), shapes.BatchSerializer)


class BatchView(PortfolioDoor):
    """One batch."""

    @operation(
        summary="A batch and its effect",
        description="`effect` is what its standing entries add to or take from each asset.",
        response=shapes.BatchDetailSerializer,
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID, batch_id: UUID) -> Response:
        batch = queries.batch_of(portfolio=self.portfolio(portfolio_id), batch_id=batch_id)
        batch.effect = queries.effect_of_batch(batch=batch)  # type: ignore[attr-defined]  # for the answer
        batch.frozen_years = frozen_years_of_batch(batch=batch)  # type: ignore[attr-defined]
        return self.answer(shapes.BatchDetailSerializer, batch)


class UndoBatchView(PortfolioDoor):
    """Undoing a batch."""

    @operation(
        summary="Undo a batch",
        description="All its entries count no more, nor what took their places since; they stay to be read.",
        request=shapes.ReasonSerializer,
        response=shapes.BatchSerializer,
        tags=["portfolios"],
    )
    def post(self, request: Request, portfolio_id: UUID, batch_id: UUID) -> Response:
        batch = queries.batch_of(portfolio=self.portfolio(portfolio_id), batch_id=batch_id)
        reason = self.parse(shapes.ReasonSerializer)["reason"]
        done = actions.undo_batch(user=person_of(request), batch_id=batch.pk, reason=reason, now=clock.now())
        return self.answer(shapes.BatchSerializer, done)


# --- Bodies -----------------------------------------------------------------------------------------------------------
def _rows(body: object) -> tuple[Sequence[Any], bool]:
    """Return what was sent as a list, and whether it was one."""
    if isinstance(body, list):
        if len(body) > MOST_POSTED:
            message = f"Send at most {MOST_POSTED} at once."
            raise InvalidError(problems=[FieldProblem("", "too_many_entries", message)])
        return body, True
    return [body], False


class _Read:
    """What was sent as drafts: the place of each in the body, what is no draft, and what deserves a look."""

    def __init__(self, rows: Sequence[Any], portfolio: Portfolio) -> None:
        self.drafts: list[EntryDraft] = []
        self.refused: list[Refusal] = []
        self.warnings: list[Refusal] = []
        self._places: list[int] = []
        read: list[tuple[int, EntryDraft]] = []
        for index, raw in enumerate(rows):
            try:
                read.append((index, _told(raw, index=index)))
            except EntryError as error:
                self._refuse(index, error)
        placed = queries.placed_drafts(portfolio=portfolio, drafts=[draft for _index, draft in read])
        poolless = queries.openings_without_pool(portfolio=portfolio, drafts=[draft for _index, draft in read])
        for place, ((index, _draft), found) in enumerate(zip(read, placed, strict=True)):
            if isinstance(found, EntryError):
                self._refuse(index, found)
            elif place in poolless:
                self._refuse(index, poolless[place])
            else:
                self._take(index, found, portfolio)

    def placed(self, refusal: Refusal) -> Refusal:
        """Return a refusal of one of the drafts with its place in the body."""
        return Refusal(self._places[refusal.index], refusal.code, refusal.message, refusal.field)

    def _take(self, index: int, draft: EntryDraft, portfolio: Portfolio) -> None:
        self.drafts.append(draft)
        self._places.append(index)
        said = queries.other_money(portfolio=portfolio, draft=draft)
        if said:
            self.warnings.append(Refusal(index, queries.OTHER_MONEY, said, "quote"))

    def _refuse(self, index: int, error: EntryError) -> None:
        self.refused.append(Refusal(index, error.code, error.message, error.field))


def _told(raw: object, *, index: int = 0) -> EntryDraft:
    """Return the draft that somebody spells for a program; a field that is none is refused."""
    if isinstance(raw, Mapping):
        check_fields(raw, index=index)
    return draft_of(raw, source=SOURCE, index=index)


def _corrected(shown: Mapping[str, object], sent: object) -> Mapping[str, object]:
    """Return an entry as it is shown with what was sent in its place; another type drops what it does not have."""
    if not isinstance(sent, Mapping):
        raise InvalidError(problems=[FieldProblem("", "not_an_object", "Send an object of named fields.")])
    changes = {name: value for name, value in sent.items() if name not in OURS}
    if changes.get("price") is not None:
        changes.setdefault("value", None)
    if changes.get("value") is not None:
        changes.setdefault("price", None)
    whole = {**shown, **changes, "id": None}
    dropped = [name for name in foreign_fields(whole) if name not in changes]
    return {name: value for name, value in whole.items() if name not in dropped}


def _draft(raw: Mapping[str, object], portfolio: Portfolio) -> EntryDraft:
    read = _Read([raw], portfolio)
    for one in read.refused:
        raise InvalidError(problems=[FieldProblem(one.field, one.code, one.message)])
    return read.drafts[0]
