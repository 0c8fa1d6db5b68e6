"""REST: the rules a ledger is booked by, and the ledger held against its venues."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import person_of
from apps.core import clock
from apps.core.api.views import operation
from apps.portfolios import actions, queries
from apps.portfolios import serializers as shapes
from apps.portfolios.actions.policies import choose_policy
from apps.portfolios.api.portfolios import PortfolioDoor
from apps.portfolios.domain.policy import policy_as_portable


class PolicyView(PortfolioDoor):
    """By which rules."""

    @operation(summary="The rules of a portfolio", response=shapes.PolicySerializer, tags=["portfolios"])
    def get(self, _request: Request, portfolio_id: UUID) -> Response:
        policy = queries.policy_of(portfolio=self.portfolio(portfolio_id))
        return Response({"policy": policy_as_portable(policy)})

    @operation(
        summary="Choose the rules of a portfolio",
        description="The whole ledger is booked by them anew.",
        request=shapes.PolicySerializer,
        response=shapes.PolicySerializer,
        tags=["portfolios"],
    )
    def put(self, request: Request, portfolio_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        policy = queries.checked_policy_of(raw=self.parse(shapes.PolicySerializer)["policy"])
        choose_policy(user=person_of(request), portfolio_id=portfolio.pk, policy=policy, now=clock.now())
        return Response({"policy": policy_as_portable(policy)})


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
