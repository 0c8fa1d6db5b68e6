"""REST: the newest prices."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.views import ApiView, operation
from apps.markets import queries
from apps.markets import serializers as shapes


class TickersView(ApiView):
    """Prices of up to 500 instruments, from the cache alone."""

    @operation(
        summary="Newest prices",
        description="Of up to 500 instruments, with age and source. A name that is no instrument is refused.",
        query=shapes.TickersQuerySerializer,
        response=shapes.TickerSerializer(many=True),
        tags=["markets"],
    )
    def get(self, _request: Request) -> Response:
        wish = self.parse_query(shapes.TickersQuerySerializer)
        rows = queries.tickers(names=wish["instruments"], now=clock.now())
        return Response({"results": rows, "next": None})
