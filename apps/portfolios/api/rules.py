"""REST: the rules a ledger is booked by, and the ledger held against its venues."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import person_of
from apps.core import clock
from apps.core.api.views import operation
from apps.portfolios import actions, queries
from apps.portfolios import serializers as shapes
from apps.portfolios.actions.policies import choose_timeline
from apps.portfolios.api.portfolios import PortfolioDoor
from apps.portfolios.domain.policy import policy_as_portable
from apps.portfolios.domain.timeline import Timeline, changes_as_portable
from apps.portfolios.queries.method_lab import consequences
from apps.portfolios.queries.policies import consequences_row, possible_timeline
from apps.portfolios.queries.portfolios import timeline_of


class PolicyView(PortfolioDoor):
    """By which rules."""

    @operation(
        summary="The rules of a portfolio",
        description="Those of the beginning, and their changes in order of time.",
        response=shapes.PolicySerializer,
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID) -> Response:
        return Response(_told(timeline_of(portfolio=self.portfolio(portfolio_id))))

    @operation(
        summary="Choose the rules of a portfolio",
        description=(
            "The whole ledger is booked by them anew: by `policy` from the beginning, and by each of `changes` from "
            "its moment on. What was disposed of before a change keeps its result."
        ),
        request=shapes.PolicySerializer,
        response=shapes.PolicySerializer,
        tags=["portfolios"],
    )
    def put(self, request: Request, portfolio_id: UUID) -> Response:
        portfolio, timeline = self.portfolio(portfolio_id), _asked_for(self)
        choose_timeline(user=person_of(request), portfolio_id=portfolio.pk, timeline=timeline, now=clock.now())
        return Response(_told(timeline))


class PolicyPreviewView(PortfolioDoor):
    """What other rules would change."""

    @operation(
        summary="What other rules would change",
        description="Each year's gain now and by these rules, before they are saved. Nothing is kept.",
        request=shapes.PolicySerializer,
        response=shapes.ConsequencesSerializer,
        tags=["portfolios"],
    )
    def post(self, _request: Request, portfolio_id: UUID) -> Response:
        portfolio, timeline = self.portfolio(portfolio_id), _asked_for(self)
        possible_timeline(portfolio=portfolio, timeline=timeline, now=clock.now())
        found = consequences(portfolio=portfolio, now_by=timeline_of(portfolio=portfolio), then_by=timeline)
        return self.answer(shapes.ConsequencesSerializer, consequences_row(found=found))


def _asked_for(door: PortfolioDoor) -> Timeline:
    given = door.parse(shapes.PolicySerializer)
    return queries.checked_timeline_of(policy=given["policy"], changes=given.get("changes"))


def _told(timeline: Timeline) -> dict[str, object]:
    return {"policy": policy_as_portable(timeline.first), "changes": changes_as_portable(timeline)}


class ReconciliationView(PortfolioDoor):
    """The ledger against its venues."""

    @operation(
        summary="Reconciliation",
        description="Every balance of accounts whose venue was asked, also those that agree; those that differ first.",
        response=shapes.BalanceSerializer(many=True),
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID) -> Response:
        portfolio, now = self.portfolio(portfolio_id), clock.now()
        actions.refresh(portfolio=portfolio, now=now)
        return self.results(queries.reconciliation(portfolio=portfolio, now=now), shapes.BalanceSerializer)
