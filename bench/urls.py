"""The product's addresses and one that answers a constant."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import urlpatterns as product_urls


class ConstantView(APIView):
    """A signed-in program asks, a constant is answered; authentication, scope and throttle are the product's."""

    schema = None

    def get(self, _request: Request) -> Response:
        """Answer the constant."""
        return Response({"answer": 42})


urlpatterns = [path("api/v1/bench/constant", ConstantView.as_view()), *product_urls]
