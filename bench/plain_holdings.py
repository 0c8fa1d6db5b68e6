"""The peer of the holdings: the same rows through a ModelSerializer in a list view, as Django REST framework has it."""

from typing import TYPE_CHECKING, Any

from rest_framework import generics, serializers

from apps.portfolios.models import Holding

if TYPE_CHECKING:
    from django.db.models import QuerySet


class PlainHoldingSerializer(serializers.ModelSerializer[Holding]):
    """Every column that the product's answer is made of."""

    class Meta:
        model = Holding
        fields = (
            *("asset", "amount", "price", "price_state", "price_source", "price_at", "value", "cost_basis"),
            *("unrealised", "accounts"),
        )


class PlainHoldingsView(generics.ListAPIView[Holding]):
    """Identity, limits and rights are the settings', as for every view of the product."""

    schema = None
    pagination_class = None
    serializer_class = PlainHoldingSerializer

    def get_queryset(self) -> "QuerySet[Holding]":
        """Keep the caller's own."""
        asked: Any = self.request
        return Holding.objects.filter(portfolio=self.kwargs["portfolio_id"], portfolio__owner=asked.user)
