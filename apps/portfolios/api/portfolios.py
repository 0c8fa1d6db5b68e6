"""REST: portfolios and their accounts."""

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import person_of
from apps.core import clock
from apps.core.api.idempotency import idempotent
from apps.core.api.views import ApiView, operation
from apps.portfolios import actions, queries
from apps.portfolios import serializers as shapes
from apps.portfolios.models import Portfolio


class PortfolioDoor(ApiView):
    """Something under a portfolio of one's own."""

    refuses_with: ClassVar[Sequence[int]] = (404, 409)

    def portfolio(self, portfolio_id: UUID) -> Portfolio:
        """Return the caller's portfolio, or answer 404."""
        return queries.portfolio_of(user=person_of(self.request), portfolio_id=portfolio_id)


class PortfoliosView(ApiView):
    """One's portfolios."""

    refuses_with: ClassVar[Sequence[int]] = (409,)

    @operation(
        summary="Your portfolios",
        description="The default one first; everyone has one.",
        response=shapes.PortfolioSerializer(many=True),
        tags=["portfolios"],
    )
    def get(self, request: Request) -> Response:
        user = person_of(request)
        actions.ensure_default_portfolio(user=user, now=clock.now())
        return self.results(queries.portfolios_of(user=user), shapes.PortfolioSerializer)

    @operation(
        summary="Make a portfolio",
        request=shapes.PortfolioSerializer,
        response=shapes.PortfolioSerializer,
        status=201,
        tags=["portfolios"],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = self.parse(shapes.PortfolioSerializer)
        made = actions.create_portfolio(user=person_of(request), **values, now=clock.now())
        return self.answer(shapes.PortfolioSerializer, made, status=201)


class PortfolioView(PortfolioDoor):
    """One portfolio."""

    @operation(summary="A portfolio", response=shapes.PortfolioSerializer, tags=["portfolios"])
    def get(self, _request: Request, portfolio_id: UUID) -> Response:
        return self.answer(shapes.PortfolioSerializer, self.portfolio(portfolio_id))

    @operation(
        summary="Change a portfolio",
        description="Its name, its money of account while it is empty, or that it is the default one.",
        request=shapes.PortfolioSerializer,
        response=shapes.PortfolioSerializer,
        tags=["portfolios"],
    )
    def patch(self, request: Request, portfolio_id: UUID) -> Response:
        values = self.parse(shapes.PortfolioSerializer, partial=True)
        row = actions.change_portfolio(user=person_of(request), portfolio_id=portfolio_id, **values)
        return self.answer(shapes.PortfolioSerializer, row)

    @operation(
        summary="Delete a portfolio",
        description="With everything in it. The default one stays: make another the default one first.",
        status=204,
        tags=["portfolios"],
    )
    def delete(self, request: Request, portfolio_id: UUID) -> Response:
        actions.delete_portfolio(user=person_of(request), portfolio_id=portfolio_id)
        return self.nothing()


class AccountsView(PortfolioDoor):
    """The accounts of a portfolio."""

    @operation(summary="Accounts", response=shapes.AccountSerializer(many=True), tags=["portfolios"])
    def get(self, _request: Request, portfolio_id: UUID) -> Response:
        rows = queries.accounts_of(portfolio=self.portfolio(portfolio_id))
        return self.results(rows, shapes.AccountSerializer)

    @operation(
        summary="Make an account",
        request=shapes.AccountSerializer,
        response=shapes.AccountSerializer,
        status=201,
        tags=["portfolios"],
    )
    @idempotent
    def post(self, _request: Request, portfolio_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        values = self.parse(shapes.AccountSerializer)
        made = actions.create_account(portfolio=portfolio, **values, now=clock.now())
        return self.answer(shapes.AccountSerializer, made, status=201)


class AccountView(PortfolioDoor):
    """One account."""

    @operation(summary="An account", response=shapes.AccountSerializer, tags=["portfolios"])
    def get(self, _request: Request, portfolio_id: UUID, account_id: UUID) -> Response:
        found = queries.account_of(portfolio=self.portfolio(portfolio_id), account_id=account_id)
        return self.answer(shapes.AccountSerializer, found)

    @operation(
        summary="Change an account",
        description="Its name, its kind or its exchange; its transactions follow.",
        request=shapes.AccountSerializer,
        response=shapes.AccountSerializer,
        tags=["portfolios"],
    )
    def patch(self, _request: Request, portfolio_id: UUID, account_id: UUID) -> Response:
        portfolio = self.portfolio(portfolio_id)
        values = self.parse(shapes.AccountSerializer, partial=True)
        row = actions.change_account(portfolio=portfolio, account_id=account_id, **values)
        return self.answer(shapes.AccountSerializer, row)

    @operation(
        summary="Remove an account",
        description="One that no transaction names.",
        status=204,
        tags=["portfolios"],
    )
    def delete(self, _request: Request, portfolio_id: UUID, account_id: UUID) -> Response:
        actions.delete_account(portfolio=self.portfolio(portfolio_id), account_id=account_id)
        return self.nothing()
