"""The page of one market, and the way to it from an asset's symbol."""

from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.accounts.actions.callers import signed_in_person
from apps.core import clock
from apps.markets import queries
from apps.markets.domain.instruments import InstrumentName, InstrumentNameError

CHART_ATTRIBUTION: Final = "https://www.tradingview.com/"
CANDLES_ADDRESS: Final = "/api/v1/candles"


@require_safe
@login_required
@never_cache
def asset(request: HttpRequest, name: str) -> HttpResponse:
    """Show one market."""
    try:
        wanted = InstrumentName.parse(name)
    except InstrumentNameError as error:
        raise Http404 from error
    page = queries.asset_page(user=signed_in_person(request=request), name=wanted, now=clock.now())
    if page is None:
        raise Http404
    inside = {
        "page": page,
        "feed": settings.FEED,
        "attribution": CHART_ATTRIBUTION,
        "candles_address": CANDLES_ADDRESS,
    }
    return render(request, "markets/asset.html", inside)


@require_safe
@login_required
@never_cache
def asset_by_symbol(request: HttpRequest, symbol: str) -> HttpResponse:  # noqa: ARG001 - every view takes a request
    """Lead to the market that stands for an asset."""
    found = queries.preferred_instrument(symbol=symbol)
    if found is None:
        raise Http404
    return redirect("markets:asset", name=found.path)
