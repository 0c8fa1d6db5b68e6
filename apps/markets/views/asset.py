"""The page of one market, and the way to it from an asset's symbol."""

from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.actions.callers import signed_in_person
from apps.core import clock
from apps.core.errors import ProductError
from apps.markets import queries
from apps.markets.actions.quarantine import discard_candle, release_candle
from apps.markets.domain.instruments import InstrumentName, InstrumentNameError

CANDLES_ADDRESS: Final = "/api/v1/candles"
DECISIONS: Final = {
    "release": (release_candle, _("The candle was let through.")),
    "discard": (discard_candle, _("The candle was discarded.")),
}


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


@require_POST
@login_required
def settle(request: HttpRequest, name: str, candle_id: UUID) -> HttpResponse:
    """Let a candle through that was kept out, or discard it; for those who run the instance."""
    person = signed_in_person(request=request)
    if not person.runs_instance:
        raise Http404
    if request.POST.get("decision", "") not in DECISIONS:
        return redirect("markets:asset", name=name)
    act, said = DECISIONS[request.POST["decision"]]
    try:
        act(candle_id=candle_id, actor=person, now=clock.now())
    except ProductError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, str(said))
    return redirect("markets:asset", name=name)
