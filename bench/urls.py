"""The product's addresses, one that answers a constant, and the plain peer of the holdings."""

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request

from apps.core.api.views import ApiView
from bench.plain_holdings import PlainHoldingsView
from config.urls import urlpatterns as product_urls


class ConstantView(ApiView):
    """A signed-in program asks, a constant is answered; authentication, scope and throttle are the product's."""

    schema = None

    def get(self, _request: Request) -> HttpResponse:
        """Answer the constant, as hot reads are answered."""
        return self.ready({"answer": 42})


urlpatterns = [
    path("api/v1/bench/constant", ConstantView.as_view()),
    path("api/v1/bench/holdings/<uuid:portfolio_id>", PlainHoldingsView.as_view()),
    *product_urls,
]
