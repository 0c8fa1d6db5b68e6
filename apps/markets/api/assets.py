"""REST: assets, and what one is worth in another."""

from collections.abc import Sequence
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.permissions import person_of
from apps.core import clock
from apps.core.api.views import ApiView, operation
from apps.markets import queries
from apps.markets import serializers as shapes


class AssetsView(ApiView):
    """Coins and currencies."""

    ordering = ("symbol",)

    @operation(
        summary="Assets",
        description="Coins, stablecoins and currencies that are or were traded here.",
        query=shapes.AssetQuerySerializer,
        response=shapes.AssetSerializer(many=True),
        tags=["markets"],
    )
    def get(self, _request: Request) -> Response:
        wish = self.parse_query(shapes.AssetQuerySerializer)
        return self.page(queries.assets(**wish), shapes.AssetSerializer)


class AssetView(ApiView):
    """One coin or currency."""

    refuses_with: ClassVar[Sequence[int]] = (404,)

    @operation(
        summary="One asset",
        description="By its symbol or any name it has or had, priced in `currency` or else in the one you prefer.",
        query=shapes.CurrencyQuerySerializer,
        response=shapes.AssetDetailSerializer,
        tags=["markets"],
    )
    def get(self, request: Request, symbol: str) -> Response:
        wish = self.parse_query(shapes.CurrencyQuerySerializer)
        found = queries.asset_detail(user=person_of(request), symbol=symbol, **wish, now=clock.now())
        return self.answer(shapes.AssetDetailSerializer, found)


class RatesView(ApiView):
    """What one asset is worth in another."""

    @operation(
        summary="A conversion rate",
        description=(
            "Through what is traded, with the way it takes and the age of its prices. A stablecoin is worth what it "
            "trades for. With `at`, the last close before that moment; never today's price in its place."
        ),
        query=shapes.RateQuerySerializer,
        response=shapes.RateSerializer,
        tags=["markets"],
    )
    def get(self, _request: Request) -> Response:
        wish = self.parse_query(shapes.RateQuerySerializer)
        return self.answer(shapes.RateSerializer, queries.rate(**wish, now=clock.now()))
