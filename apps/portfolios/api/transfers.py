"""REST: transfers that wait for their other side, and those that have it."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import person_of
from apps.core import clock
from apps.core.api.pagination import CursorPages
from apps.core.api.views import operation
from apps.portfolios import actions, queries
from apps.portfolios import serializers as shapes
from apps.portfolios.api.portfolios import PortfolioDoor


class TransfersView(PortfolioDoor):
    """The two sides of moves between one's own accounts."""

    ordering: ClassVar[Sequence[str]] = ()

    @operation(
        summary="Transfers",
        description=(
            "`unmatched` ones wait for their other side; `candidates` say what they may be, with score and reasons. "
            "Only what leaves no doubt is matched by itself."
        ),
        query=shapes.TransfersQuerySerializer,
        response=shapes.TransferSerializer(many=True),
        tags=["portfolios"],
    )
    def get(self, request: Request, portfolio_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        state = self.parse_query(shapes.TransfersQuerySerializer)["state"]
        pages = CursorPages()
        if state == "matched":
            matches = pages.paginate_queryset(queries.matches_of(portfolio=portfolio), request, self)
            return pages.get_paginated_response([queries.match_row(match=one) for one in matches])
        rows = pages.paginate_queryset(queries.legs_to_match(portfolio=portfolio), request, self)
        found = queries.proposals_for(portfolio=portfolio)
        return pages.get_paginated_response(queries.unmatched_rows(rows=rows, found=found))


class MatchView(PortfolioDoor):
    """Putting two sides together."""

    @operation(
        summary="Match a transfer",
        description="What left one account is what arrived in others; lots keep their dates and costs.",
        request=shapes.MatchSerializer,
        response=shapes.TransferSerializer,
        status=201,
        tags=["portfolios"],
    )
    def post(self, request: Request, portfolio_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        values = self.parse(shapes.MatchSerializer)
        made = actions.match_transfer(
            portfolio=portfolio,
            out_id=values["out"],
            arrived_ids=values["in"],
            by=person_of(request),
            now=clock.now(),
        )
        found = queries.matches_of(portfolio=portfolio).get(pk=made.pk)
        return Response(queries.match_row(match=found), status=201)


class UnmatchView(PortfolioDoor):
    """Parting two sides."""

    @operation(
        summary="Unmatch a transfer",
        description="Both sides wait again, and are not put together by rules any more.",
        request=shapes.UnmatchSerializer,
        status=204,
        tags=["portfolios"],
    )
    def post(self, _request: Request, portfolio_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        actions.unmatch_transfer(portfolio=portfolio, out_id=self.parse(shapes.UnmatchSerializer)["out"])
        return self.nothing()
