"""Connecting: choose an exchange, make a key there, paste it, see what it may do, keep it. Nothing comes back."""

from collections.abc import Mapping
from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from apps.accounts.actions.callers import request_meta, signed_in_person
from apps.core import clock
from apps.core.errors import InvalidError, NotFoundError, ProductError
from apps.exchanges.actions import connecting
from apps.exchanges.actions.offering import Offer, demo_choices, demo_fields, offer_of, supported
from apps.exchanges.actions.probing import adapter_of
from apps.exchanges.forms import KeyForm, guide_of
from apps.exchanges.models import Connection
from apps.exchanges.queries.connections import connection_of
from apps.exchanges.views.proof import proven
from apps.portfolios.queries import portfolios_of

_CHOSEN = "portfolio"
_PAIRWISE = frozenset({"binance", "kucoin"})


@require_safe
@login_required
@never_cache
def choose(request: HttpRequest) -> HttpResponse:
    """Show which exchanges can be connected."""
    return render(request, "exchanges/choose.html", {"offers": supported()})


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
@proven
def connect(request: HttpRequest, exchange: str) -> HttpResponse:
    """Show how a key is made and where it is pasted; POST tries it, or keeps it."""
    offer = _offer(exchange)
    form = _form(request, offer)
    if request.method != "POST":
        return _page(request, offer, form)
    return _answered(request, offer, form, connection=None)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
@proven
def new_key(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Give a connection another key of the same account."""
    try:
        connection = connection_of(user=signed_in_person(request=request), connection_id=connection_id)
    except NotFoundError as error:
        raise Http404 from error
    offer = _offer(connection.exchange)
    form = _form(request, offer, with_label=False)
    if request.method != "POST":
        return _page(request, offer, form, connection=connection)
    return _answered(request, offer, form, connection=connection)


def _offer(exchange: str) -> Offer:
    try:
        return offer_of(adapter=adapter_of(exchange=exchange))
    except InvalidError as error:
        raise Http404 from error


def _form(request: HttpRequest, offer: Offer, *, with_label: bool = True) -> KeyForm:
    demo = request.method == "POST" and bool(request.POST.get("demo"))
    return KeyForm(
        request.POST if request.method == "POST" else None,
        exchange=offer.exchange,
        parts=() if demo else offer.fields,
        with_label=with_label,
        tells_pairs=offer.exchange in _PAIRWISE,
        initial={"label": offer.name},
    )


def _answered(request: HttpRequest, offer: Offer, form: KeyForm, *, connection: Connection | None) -> HttpResponse:
    """Try the key, or keep it; whatever is wrong is said beside the fields, which stay as they are in the browser."""
    if not form.is_valid():
        return _said(request, offer, form, connection, problem=_("Paste every part of the key."))
    try:
        wish = _wish(request, offer, form)
        if request.POST.get("do") == "keep":
            return _kept(request, wish, connection)
        tested = connecting.test_key(user=signed_in_person(request=request), wish=wish, now=clock.now())
    except NotFoundError as error:
        raise Http404 from error
    except ProductError as error:
        return _said(request, offer, form, connection, error=error)
    return _said(request, offer, form, connection, tested=tested)


@sensitive_variables()
def _wish(request: HttpRequest, offer: Offer, form: KeyForm) -> connecting.Wish:
    person, demo = signed_in_person(request=request), request.POST.get("demo", "")
    fields: Mapping[str, str | None] = demo_fields(exchange=offer.exchange, label=demo) if demo else form.key()
    chosen = request.session.get(_CHOSEN)
    mine = portfolios_of(user=person).filter(pk=chosen).first() if chosen else None
    return connecting.Wish(
        exchange=offer.exchange,
        fields=fields,
        label=form.cleaned_data.get("label", ""),
        portfolio_id=mine.pk if mine else None,
        hints=form.hints(),
    )


def _kept(request: HttpRequest, wish: connecting.Wish, connection: Connection | None) -> HttpResponse:
    person, now, meta = signed_in_person(request=request), clock.now(), request_meta(request=request)
    if connection is None:
        made = connecting.connect(user=person, wish=wish, now=now, request_meta=meta)
        messages.success(request, _("%(name)s is connected. Its history is being read.") % {"name": made.label})
    else:
        connecting.replace_key(user=person, connection_id=connection.pk, fields=wish.fields, now=now, request_meta=meta)
        messages.success(request, _("The new key is in use; the old one is forgotten. Delete it at the exchange."))
    address = reverse("exchanges:exchanges")
    return HttpResponseClientRedirect(address) if request.headers.get("HX-Request") else redirect(address)


def _said(
    request: HttpRequest, offer: Offer, form: KeyForm, connection: Connection | None, **result: object
) -> HttpResponse:
    """Answer htmx with the result alone; without it the page comes again with empty fields."""
    demo = request.POST.get("demo", "")
    if request.headers.get("HX-Request"):
        inside = {"offer": offer, "connection": connection, "demo": demo, **result}
        return render(request, "exchanges/_tested.html", inside)
    status = HTTPStatus.OK if "tested" in result else HTTPStatus.UNPROCESSABLE_ENTITY
    return _page(request, offer, form, connection=connection, status=status, again=True, demo=demo, **result)


def _page(
    request: HttpRequest,
    offer: Offer,
    form: KeyForm,
    *,
    connection: Connection | None = None,
    status: int = HTTPStatus.OK,
    **more: object,
) -> HttpResponse:
    inside = {
        "offer": offer,
        "form": form,
        "guide": guide_of(offer.exchange),
        "connection": connection,
        "demo_keys": demo_choices(exchange=offer.exchange),
        **more,
    }
    return render(request, "exchanges/connect.html", inside, status=status)
