"""REST: holdings on a fast road, lots, gains, completeness."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse, HttpResponseNotModified
from rest_framework.request import Request

from apps.accounts.permissions import person_of
from apps.core import clock
from apps.core.api.views import operation
from apps.core.errors import FieldProblem, InvalidError
from apps.portfolios import actions, queries
from apps.portfolios import serializers as shapes
from apps.portfolios.api.portfolios import PortfolioDoor

_HEADERS: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}


class HoldingsView(PortfolioDoor):
    """What is held, and what it is worth."""

    @operation(
        summary="Holdings",
        description=(
            "Now at prices that are seconds old, or at a moment of the past at its prices. Send the ETag back in "
            "If-None-Match: 304 when nothing has changed. A price is priced, pending or unpriced, never a guess."
        ),
        query=shapes.HoldingsQuerySerializer,
        response=shapes.HoldingsSerializer,
        others={304: None},
        tags=["portfolios"],
    )
    def get(self, request: Request, portfolio_id: UUID) -> HttpResponse:
        if request.query_params:
            as_of: datetime | None = self.parse_query(shapes.HoldingsQuerySerializer).get("as_of")
            if as_of is not None:
                return self.ready(_holdings_at(self, portfolio_id, as_of))
        known = request.headers.get("If-None-Match", "").removeprefix("W/").strip('"')
        found = actions.read_holdings(user=person_of(request), portfolio_id=portfolio_id, known=known, now=clock.now())
        headers = {**_HEADERS, "ETag": f'W/"{found.version}"'}
        if found.body is None:
            return HttpResponseNotModified(headers=headers)
        return HttpResponse(found.body, content_type="application/json", headers=headers)


def _holdings_at(door: PortfolioDoor, portfolio_id: UUID, at: datetime) -> dict[str, Any]:
    portfolio, now = door.portfolio(portfolio_id), clock.now()
    if at > now:
        problem = FieldProblem("as_of", "in_the_future", "Choose a moment that has passed.")
        raise InvalidError(problems=[problem])
    return queries.holdings_at(portfolio=portfolio, at=at, now=now)


class LotsView(PortfolioDoor):
    """What every coin cost."""

    @operation(
        summary="Lots and disposals",
        description="The whole result of booking, by the portfolio's own rules or by those that you name.",
        query=shapes.PolicyQuerySerializer,
        response=shapes.ResultSerializer,
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID) -> HttpResponse:
        portfolio = self.portfolio(portfolio_id)
        wishes = self.parse_query(shapes.PolicyQuerySerializer)
        policy = queries.policy_asked_for(portfolio=portfolio, wishes=wishes)
        return self.ready(actions.read_lots(portfolio=portfolio, policy=policy, now=clock.now()))


class GainsView(PortfolioDoor):
    """Gains and income of a year."""

    @operation(
        summary="Gains and income of a year",
        description="Only that year's disposals and income, with totals to match; years are in UTC.",
        query=shapes.GainsQuerySerializer,
        response=shapes.ResultSerializer,
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID) -> HttpResponse:
        portfolio = self.portfolio(portfolio_id)
        wishes = self.parse_query(shapes.GainsQuerySerializer)
        year = wishes.pop("year")
        policy = queries.policy_asked_for(portfolio=portfolio, wishes=wishes)
        return self.ready(actions.read_gains(portfolio=portfolio, year=year, policy=policy, now=clock.now()))


class CompletenessView(PortfolioDoor):
    """How complete the figures are."""

    @operation(
        summary="Completeness",
        description="Each issue with how often it occurs, what it is worth, and where it is mended.",
        response=shapes.CompletenessSerializer,
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID) -> HttpResponse:
        return self.ready(actions.read_completeness(portfolio=self.portfolio(portfolio_id), now=clock.now()))
