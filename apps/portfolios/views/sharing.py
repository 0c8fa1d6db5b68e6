"""Sharing: the owner's list of links, and the page that a visitor with a link sees."""

from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.actions.callers import request_meta
from apps.core import clock
from apps.core.api.throttles import client_address, network_of, take
from apps.core.errors import NotFoundError, ProductError
from apps.markets.queries import current_world
from apps.portfolios.actions.shared_reading import read_shared_portfolio, read_shared_tax_year
from apps.portfolios.actions.sharing import find_share, make_share, note_opened
from apps.portfolios.actions.sharing import revoke_share as end_share
from apps.portfolios.domain.sharing import ShareContent, SharePurpose
from apps.portfolios.forms.sharing import ShareForm
from apps.portfolios.models import ShareLink
from apps.portfolios.queries.shares import shares_of
from apps.portfolios.queries.tax_pages import booked_years
from apps.portfolios.views.chosen import DEMO_WORLD, Chosen, chosen

#: How often one network address may open links, whatever becomes of it.
RATE: Final = "60/m"


# --- The owner --------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def sharing(request: HttpRequest) -> HttpResponse:
    """List the links to the shown portfolio; POST makes one, whose address stands in this one answer."""
    held, now = chosen(request), clock.now()
    years = booked_years(portfolio=held.portfolio)
    form = ShareForm(request.POST or None, years=years)
    if request.method != "POST" or not form.is_valid():
        return _list(request, held, form)
    try:
        link, token = make_share(
            portfolio=held.portfolio,
            purpose=form.purpose,
            year=form.year,
            shows=ShareContent(form.cleaned_data["shows"]),
            name=form.cleaned_data["name"],
            days=form.cleaned_data["days"],
            now=now,
            request_meta=request_meta(request=request),
        )
    except ProductError as error:
        form.add_error(None, error.detail)
        return _list(request, held, form)
    address = request.build_absolute_uri(reverse("portfolios:shared", args=[link.purpose, token]))
    return render(request, "portfolios/share_made.html", held.inside(link=link, address=address))


@require_POST
@login_required
def revoke_share(request: HttpRequest, share_id: UUID) -> HttpResponse:
    """End a link."""
    held, meta = chosen(request), request_meta(request=request)
    try:
        end_share(user=held.person, portfolio=held.portfolio, share_id=share_id, now=clock.now(), request_meta=meta)
    except NotFoundError as error:
        raise Http404 from error
    messages.success(request, _("The link is revoked. Whoever opens it from now on finds nothing."))
    return redirect("portfolios:sharing")


def _list(request: HttpRequest, held: Chosen, form: ShareForm) -> HttpResponse:
    links = list(shares_of(portfolio=held.portfolio, now=clock.now())[:100])
    inside = held.inside(
        form=form,
        live=[link for link in links if getattr(link, "state", "") == "live"],
        ended=[link for link in links if getattr(link, "state", "") != "live"],
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "portfolios/sharing.html", inside, status=status)


# --- The visitor ------------------------------------------------------------------------------------------------------
@require_safe
def shared(request: HttpRequest, purpose: str, token: str) -> HttpResponse:
    """Show what a link opens; whatever is wrong with one, the answer is the same."""
    wait = take(scope="share", caller=network_of(client_address(request)), rate=RATE)
    if wait:
        answer = _nothing(request, HTTPStatus.TOO_MANY_REQUESTS)
        answer["Retry-After"] = str(wait)
        return answer
    now = clock.now()
    try:
        link = find_share(purpose=purpose, token=token, now=now)
    except NotFoundError:
        return _nothing(request, HTTPStatus.NOT_FOUND)
    if request.method == "GET":
        note_opened(link=link, now=now, request_meta=request_meta(request=request))
    return _shown(request, link)


def _shown(request: HttpRequest, link: ShareLink) -> HttpResponse:
    now = clock.now()
    simulated = current_world() == DEMO_WORLD
    if link.purpose == SharePurpose.TAX_YEAR:
        year = read_shared_tax_year(link=link, now=now)
        return render(request, "portfolios/shared_tax_year.html", {"page": year, "link": link, "simulated": simulated})
    inside = {"page": read_shared_portfolio(link=link, now=now), "link": link, "simulated": simulated}
    return render(request, "portfolios/shared_portfolio.html", inside)


def _nothing(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    return render(request, "portfolios/shared_nothing.html", {"waits": status != HTTPStatus.NOT_FOUND}, status=status)
