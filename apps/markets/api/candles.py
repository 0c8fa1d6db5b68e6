"""REST: candles on a fast road, how good they are, and the quarantine."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import orjson
from django.http import HttpResponse, HttpResponseNotModified
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from apps.accounts.actions.callers import request_meta
from apps.accounts.permissions import RunsInstance, person_of
from apps.core import clock
from apps.core.api.times import milliseconds
from apps.core.api.views import ApiView, operation
from apps.core.errors import NotFoundError
from apps.markets import actions, queries
from apps.markets import serializers as shapes
from apps.markets.api.instruments import name_in_path
from apps.markets.domain.instruments import InstrumentName, InstrumentNameError
from apps.markets.domain.timeframes import Timeframe
from apps.markets.queries.candles import CandlePage, Span

_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}


class CandlesView(ApiView):
    """Closed candles, oldest first, and the open one."""

    refuses_with: ClassVar[Sequence[int]] = (404,)

    @operation(
        summary="Candles",
        description=(
            "Rows are `[ts, open, high, low, close, volume]`. Without `from` the latest `limit` before `to`. "
            "`pending` says that more history is being fetched: ask again in a moment. "
            "Send the ETag back in If-None-Match: 304 when nothing has changed."
        ),
        query=shapes.CandlesQuerySerializer,
        response=shapes.CandlesSerializer,
        others={304: None},
        tags=["markets"],
    )
    def get(self, request: Request) -> HttpResponse:
        wish = self.parse_query(shapes.CandlesQuerySerializer)
        span = Span(_ms(wish.get("from")), _ms(wish.get("to")), wish["limit"])
        served = actions.read_candles(
            name=_meant(wish["instrument"]),
            timeframe=Timeframe(wish["timeframe"]),
            span=span,
            now=clock.now(),
            known_stamp=request.headers.get("If-None-Match", "").removeprefix("W/").strip('"'),
        )
        headers = {**_HEADERS, "ETag": f'W/"{served.stamp}"'}
        if served.page is None:
            return HttpResponseNotModified(headers=headers)
        body = _written(served.page, request.build_absolute_uri())
        return HttpResponse(body, content_type="application/json", headers=headers)


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else milliseconds(moment)


def _meant(text: str) -> InstrumentName:
    try:
        return InstrumentName.parse(text)
    except InstrumentNameError as error:
        raise NotFoundError("There is no such instrument. GET /api/v1/instruments lists them.") from error


def _written(page: CandlePage, url: str) -> bytes:
    """Write the page; plain rows go through orjson three times as fast as a numpy table with whole times would."""
    forwards = backwards = None
    if page.next_from is not None:
        forwards = replace_query_param(url, "from", str(page.next_from))
    if page.previous_to is not None:
        backwards = replace_query_param(remove_query_param(url, "from"), "to", str(page.previous_to))
    answer: dict[str, Any] = {
        "instrument": page.instrument,
        "timeframe": page.timeframe.value,
        "results": page.candles.rows(),
        "open_candle": page.open_candle,
        "next": forwards,
        "previous": backwards,
        "pending": page.pending,
        "made_from": page.sources,
        "gaps": [[gap.from_ms, gap.to_ms] for gap in page.gaps],
    }
    return orjson.dumps(answer)


class CandleQualityView(ApiView):
    """How good the candles of an instrument are."""

    refuses_with: ClassVar[Sequence[int]] = (404,)

    @operation(
        summary="How good an instrument's candles are",
        description="For each timeframe: how far back, how many are missing, corrected, or in quarantine.",
        response=shapes.SeriesQualitySerializer(many=True),
        tags=["markets"],
    )
    def get(self, _request: Request, name: str) -> Response:
        found = queries.instrument(name=name_in_path(name))
        return self.results(queries.data_quality(instrument=found), shapes.SeriesQualitySerializer)


# --- Quarantine -------------------------------------------------------------------------------------------------------
class QuarantineView(ApiView):
    """Candles that were kept out, and why. Everybody may look; who runs the instance decides."""

    refuses_with: ClassVar[Sequence[int]] = (404,)

    @operation(
        summary="Candles in quarantine",
        description="The newest first. `raw` is the candle as it came.",
        query=shapes.QuarantineQuerySerializer,
        response=shapes.QuarantinedSerializer(many=True),
        tags=["markets"],
    )
    def get(self, _request: Request) -> Response:
        wish = self.parse_query(shapes.QuarantineQuerySerializer)
        pair = None if not wish["instrument"] else queries.instrument(name=_meant(wish["instrument"]))
        return self.page(queries.quarantined(state=wish["state"], instrument=pair), shapes.QuarantinedSerializer)


class SettlingView(ApiView):
    """For those who run the instance: prices are everybody's."""

    permission_classes = [RunsInstance]
    refuses_with: ClassVar[Sequence[int]] = (404, 409, 422)


class ReleaseCandleView(SettlingView):
    """Letting a candle through."""

    @operation(
        summary="Let a quarantined candle through",
        description="It is stored as it came; others that claim the same time are discarded.",
        request=None,
        response=shapes.QuarantinedSerializer,
        tags=["markets"],
    )
    def post(self, request: Request, candle_id: UUID) -> Response:
        row = actions.release_candle(
            candle_id=candle_id,
            actor=person_of(request),
            now=clock.now(),
            request_meta=request_meta(request=request),
        )
        return self.answer(shapes.QuarantinedSerializer, row)


class DiscardCandleView(SettlingView):
    """Throwing a candle away."""

    @operation(
        summary="Discard a quarantined candle",
        request=None,
        response=shapes.QuarantinedSerializer,
        tags=["markets"],
    )
    def post(self, request: Request, candle_id: UUID) -> Response:
        row = actions.discard_candle(
            candle_id=candle_id,
            actor=person_of(request),
            now=clock.now(),
            request_meta=request_meta(request=request),
        )
        return self.answer(shapes.QuarantinedSerializer, row)
