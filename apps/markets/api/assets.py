"""REST: assets, and what one is worth in another."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.actions.callers import request_meta
from apps.accounts.permissions import RunsInstance, person_of
from apps.core import clock
from apps.core.api.idempotency import idempotent
from apps.core.api.views import ApiView, operation
from apps.markets import actions, queries
from apps.markets import serializers as shapes
from apps.markets.domain.assets import Meaning


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


class AssetMergeView(ApiView):
    """Two assets that are one, for those who run the instance."""

    permission_classes = (RunsInstance,)
    refuses_with: ClassVar[Sequence[int]] = (404, 409)

    @operation(
        summary="Merge an asset into another",
        description="Its codes and instruments mean the other from then on. This cannot be undone.",
        request=shapes.MergeSerializer,
        response=shapes.AssetSerializer,
        tags=["markets"],
    )
    def post(self, request: Request, symbol: str) -> Response:
        into = self.parse(shapes.MergeSerializer)["into"]
        meta, now = request_meta(request=request), clock.now()
        row = actions.merge_assets(actor=person_of(request), source=symbol, target=into, now=now, request_meta=meta)
        return self.answer(shapes.AssetSerializer, row)


class AssetCodesView(ApiView):
    """What venues and chains call an asset."""

    refuses_with: ClassVar[Sequence[int]] = (404,)

    def get_permissions(self) -> Sequence[Any]:
        """Let everybody look, and those who run the instance decide."""
        return [RunsInstance()] if self.request.method == "POST" else super().get_permissions()

    @operation(summary="Codes of an asset", response=shapes.AssetCodeSerializer(many=True), tags=["markets"])
    def get(self, _request: Request, symbol: str) -> Response:
        found = queries.codes_of(asset=queries.asset(symbol=symbol, now=clock.now()))
        return self.results(found, shapes.AssetCodeSerializer)

    @operation(
        summary="Say what a code means",
        description="A venue's ticker or a chain's contract, from a time until another; the last word counts.",
        request=shapes.AssetCodeSerializer,
        response=shapes.AssetCodeSerializer,
        status=201,
        tags=["markets"],
    )
    @idempotent
    def post(self, request: Request, symbol: str) -> Response:
        values = self.parse(shapes.AssetCodeSerializer)
        meta, now = request_meta(request=request), clock.now()
        meaning = Meaning(symbol=symbol, **values)
        row = actions.name_code(actor=person_of(request), symbol=symbol, meaning=meaning, now=now, request_meta=meta)
        return self.answer(shapes.AssetCodeSerializer, row, status=201)


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
