"""REST: addresses that transfers wait at, and what their owner says of them, once."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import person_of
from apps.core import clock
from apps.core.api.idempotency import idempotent
from apps.core.api.pagination import CursorPages
from apps.core.api.views import operation
from apps.portfolios import actions, queries
from apps.portfolios import serializers as shapes
from apps.portfolios.api.portfolios import PortfolioDoor
from apps.portfolios.domain.addresses import Whose


class AddressesView(PortfolioDoor):
    """The addresses without an answer."""

    @operation(
        summary="Addresses that wait for an answer",
        description="Those that transfers without another side name, the most used first.",
        response=shapes.AskedAddressSerializer(many=True),
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID) -> Response:
        found = queries.asked_addresses(portfolio=self.portfolio(portfolio_id))
        return Response({"results": [queries.asked_row(one=one) for one in found], "next": None})


class AnswersView(PortfolioDoor):
    """The answers."""

    ordering: ClassVar[Sequence[str]] = ("-id",)

    @operation(summary="Answers about addresses", response=shapes.AnswerSerializer(many=True), tags=["portfolios"])
    def get(self, request: Request, portfolio_id: UUID) -> Response:
        pages = CursorPages()
        rows = pages.paginate_queryset(queries.answers_of(portfolio=self.portfolio(portfolio_id)), request, self)
        return pages.get_paginated_response([queries.answer_row(row=row) for row in rows])

    @operation(
        summary="Answer about an address",
        description=(
            "Said once: `mine` makes the transfers at this address moves to or from your `account`, `payment` and "
            "`gift` make those that left spends, and those that came income or a lot at the value of that day. It "
            "holds for later ones too. What looks like one side of a pair is left to you."
        ),
        request=shapes.AnswerSerializer,
        response=shapes.AnswerSerializer,
        status=201,
        tags=["portfolios"],
    )
    @idempotent
    def post(self, request: Request, portfolio_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        asked = _asked(self.parse(shapes.AnswerSerializer))
        made = actions.answer_address(portfolio=portfolio, by=person_of(request), now=clock.now(), **asked)
        return Response(queries.answer_row(row=made), status=201)


class ForeseeAnswerView(PortfolioDoor):
    """What an answer would do."""

    @operation(
        summary="Preview an answer",
        description="To how many transfers it applies and what it does to balances and gains; nothing is done.",
        request=shapes.AnswerSerializer,
        response=shapes.ForeseenAnswerSerializer,
        tags=["portfolios"],
    )
    def post(self, _request: Request, portfolio_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        asked = _asked(self.parse(shapes.AnswerSerializer))
        found = actions.foresee_answer(portfolio=portfolio, now=clock.now(), **asked)
        return self.answer(shapes.ForeseenAnswerSerializer, found)


class AnswerView(PortfolioDoor):
    """One answer."""

    @operation(
        summary="Take an answer back",
        description="What it told anew waits again, and later transfers are asked about.",
        status=204,
        tags=["portfolios"],
    )
    def delete(self, request: Request, portfolio_id: UUID, answer_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        actions.withdraw_answer(portfolio=portfolio, answer_id=answer_id, by=person_of(request), now=clock.now())
        return self.nothing()


def _asked(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": values["address"],
        "whose": Whose(values["answer"]),
        "account": values["account"] or "",
    }
