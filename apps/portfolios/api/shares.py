"""REST: links that show a portfolio or a tax year to whoever holds them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.actions.callers import request_meta
from apps.accounts.permissions import Interactive, person_of
from apps.core import clock
from apps.core.api.idempotency import idempotent
from apps.core.api.views import operation
from apps.portfolios import serializers as shapes
from apps.portfolios.actions.sharing import make_share, revoke_share
from apps.portfolios.api.portfolios import PortfolioDoor
from apps.portfolios.domain.sharing import ShareContent, SharePurpose
from apps.portfolios.queries.shares import shares_of


class SharesView(PortfolioDoor):
    """The links to a portfolio. A personal token makes none: a link would go on after the token has ended."""

    seals_answer = True
    ordering = ("-id",)

    def get_permissions(self) -> Sequence[Any]:
        """Let a personal token look at the list."""
        return super().get_permissions() if self.request.method == "GET" else [Interactive()]

    @operation(
        summary="Share links",
        description="Also those that have ended. Their addresses are not in here: they were shown once.",
        response=shapes.ShareSerializer(many=True),
        tags=["portfolios"],
    )
    def get(self, _request: Request, portfolio_id: UUID) -> Response:
        links = shares_of(portfolio=self.portfolio(portfolio_id), now=clock.now())
        return self.page(links, shapes.ShareSerializer)

    @operation(
        summary="Make a share link",
        description=(
            "Whoever holds its address sees what it is for, without signing in, until it expires or is revoked. The "
            "address is in this answer and nowhere else. Hiding amounts in your preferences does not change what a "
            "link with `full` shows."
        ),
        request=shapes.ShareRequestSerializer,
        response=shapes.NewShareSerializer,
        status=201,
        tags=["portfolios"],
    )
    @idempotent
    def post(self, request: Request, portfolio_id: UUID) -> Response:
        portfolio, now = self.portfolio(portfolio_id), clock.now()
        values = self.parse(shapes.ShareRequestSerializer)
        link, token = make_share(
            portfolio=portfolio,
            purpose=SharePurpose(values["purpose"]),
            year=values["year"],
            shows=ShareContent(values["shows"]),
            name=values["name"],
            days=values["expires_in_days"],
            now=now,
            request_meta=request_meta(request=request),
        )
        made = shares_of(portfolio=portfolio, now=now).get(pk=link.pk)
        url = request.build_absolute_uri(reverse("portfolios:shared", args=[link.purpose, token]))
        return Response({**shapes.ShareSerializer(made).data, "url": url}, status=201)


class ShareView(PortfolioDoor):
    """One link."""

    @operation(
        summary="Revoke a share link",
        description="From this moment its address opens nothing. It cannot be brought back.",
        status=204,
        tags=["portfolios"],
    )
    def delete(self, request: Request, portfolio_id: UUID, share_id: UUID) -> Response:
        revoke_share(
            user=person_of(request),
            portfolio=self.portfolio(portfolio_id),
            share_id=share_id,
            now=clock.now(),
            request_meta=request_meta(request=request),
        )
        return self.nothing()
