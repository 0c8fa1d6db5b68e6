"""REST: instruments of this world."""

from collections.abc import Sequence
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.api.views import ApiView, operation
from apps.core.errors import NotFoundError
from apps.markets import queries
from apps.markets import serializers as shapes
from apps.markets.domain.instruments import InstrumentName, InstrumentNameError


class InstrumentsView(ApiView):
    """Everything that is or was traded."""

    ordering = ("symbol", "venue", "id")

    @operation(
        summary="Instruments",
        description="Pairs on venues. `base` and `quote` may be any name that the asset has or had.",
        query=shapes.InstrumentQuerySerializer,
        response=shapes.InstrumentSerializer(many=True),
        tags=["markets"],
    )
    def get(self, _request: Request) -> Response:
        wish = self.parse_query(shapes.InstrumentQuerySerializer)
        return self.page(queries.instruments(**wish, now=clock.now()), shapes.InstrumentSerializer)


class InstrumentView(ApiView):
    """One instrument."""

    refuses_with: ClassVar[Sequence[int]] = (404,)

    @operation(
        summary="One instrument",
        description="In the address it is written `binance:BTC-USDT`.",
        response=shapes.InstrumentSerializer,
        tags=["markets"],
    )
    def get(self, _request: Request, name: str) -> Response:
        return self.answer(shapes.InstrumentSerializer, queries.instrument(name=name_in_path(name)))


def name_in_path(text: str) -> InstrumentName:
    """Read an instrument in an address; what is none cannot be found."""
    try:
        return InstrumentName.parse(text)
    except InstrumentNameError as error:
        raise NotFoundError from error
