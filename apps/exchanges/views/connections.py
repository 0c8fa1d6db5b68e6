"""The page of all connections, what can be done with each, and the story of its syncs."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.actions.callers import request_meta, signed_in_person
from apps.core import clock
from apps.core.errors import NotFoundError, ProductError
from apps.exchanges.actions import connecting, parting, scheduling
from apps.exchanges.forms import LabelForm
from apps.exchanges.models import Connection
from apps.exchanges.queries.connections import connection_of
from apps.exchanges.queries.pages import card_of, exchanges_page, story_of, uses_of
from apps.exchanges.queries.standings import runs_of
from apps.exchanges.views.proof import proven
from apps.portfolios.actions import ensure_default_portfolio
from apps.portfolios.queries import portfolios_of

_RUNS_A_PAGE = 25
_CHOSEN = "portfolio"


@require_safe
@login_required
@never_cache
def exchanges(request: HttpRequest) -> HttpResponse:
    """Show the connections that feed the chosen portfolio."""
    person, now = signed_in_person(request=request), clock.now()
    ensure_default_portfolio(user=person, now=now)
    mine = list(portfolios_of(user=person))
    wanted = request.session.get(_CHOSEN)
    portfolio = next((one for one in mine if str(one.pk) == wanted), mine[0])
    page = exchanges_page(user=person, portfolio=portfolio, now=now)
    inside = {
        "page": page,
        "portfolio": portfolio,
        "portfolios": mine,
        "simulated": any(card.connection.is_simulated for card in page.cards),
    }
    return render(request, "exchanges/exchanges.html", inside)


@require_safe
@login_required
@never_cache
def card(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Show one card anew; the page asks for it while something is going on."""
    connection, now = _own(request, connection_id), clock.now()
    page = exchanges_page(user=connection.owner, portfolio=connection.portfolio, now=now)
    drawn = next((one for one in page.cards if one.connection.pk == connection.pk), None)
    if drawn is None:  # it was removed a moment ago
        raise Http404
    return render(request, "exchanges/card.html", {"card": drawn, "page": page})


@require_safe
@login_required
@never_cache
def history(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Tell what each sync did, and what to do where one did not go well; and what the key was used for."""
    connection = _own(request, connection_id)
    pages = Paginator(runs_of(connection=connection), _RUNS_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    inside = {
        "card": card_of(connection=connection, now=clock.now()),
        "connection": connection,
        "stories": [story_of(run=run) for run in page],
        "pages": page,
        "uses": uses_of(connection_id=connection.pk),
    }
    return render(request, "exchanges/history.html", inside)


# --- Deeds ------------------------------------------------------------------------------------------------------------
@require_POST
@login_required
def sync(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Ask for a sync; the card shows how far it is."""
    connection = _own(request, connection_id)
    person = signed_in_person(request=request)
    return _then(
        request,
        lambda: scheduling.request_sync(connection=connection, by=person, now=clock.now()),
        _("The sync is queued."),
        connection_id,
    )


@require_POST
@login_required
def sync_all(request: HttpRequest) -> HttpResponse:
    """Ask for a sync of everything that can be read."""
    person = signed_in_person(request=request)
    runs = scheduling.request_all(user=person, now=clock.now())
    words = ngettext("%d sync is queued.", "%d syncs are queued.", len(runs)) % len(runs)
    messages.success(request, words if runs else _("Nothing can be synced at the moment."))
    return redirect("exchanges:exchanges")


@require_POST
@login_required
def pause(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Leave an exchange alone."""
    return _changed(request, connection_id, _("Paused. Nothing is asked until you resume it."), paused=True)


@require_POST
@login_required
def resume(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Go on reading an exchange."""
    return _changed(request, connection_id, _("Resumed, and a sync is queued."), paused=False)


@require_POST
@login_required
def rename(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Call a connection something else."""
    _own(request, connection_id)
    form = LabelForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give it a name of at most 80 characters."))
        return redirect("exchanges:exchanges")
    return _changed(request, connection_id, _("Renamed."), label=form.cleaned_data["label"])


def _changed(
    request: HttpRequest, connection_id: UUID, said: str, *, label: str | None = None, paused: bool | None = None
) -> HttpResponse:
    person, meta = signed_in_person(request=request), request_meta(request=request)

    def change() -> None:
        connecting.change(
            user=person, connection_id=connection_id, label=label, paused=paused, now=clock.now(), request_meta=meta
        )

    return _then(request, change, said, connection_id)


@require_POST
@login_required
def disconnect(request: HttpRequest, connection_id: UUID) -> HttpResponse:
    """Part with an exchange; the history stays unless that was said otherwise."""
    remove = request.POST.get("history") == parting.History.REMOVE.value
    kind = parting.History.REMOVE if remove else parting.History.KEEP
    said = _("Disconnected. Its key is deleted here, and its history is out of the ledger.")
    if not remove:
        said = _("Disconnected. Its key is deleted here; what was read stays in the ledger.")
    person, meta = signed_in_person(request=request), request_meta(request=request)

    def part() -> None:
        parting.disconnect(user=person, connection_id=connection_id, history=kind, now=clock.now(), request_meta=meta)

    return _then(request, part, said, None)


@require_POST
@login_required
@proven
def forget_keys(request: HttpRequest) -> HttpResponse:
    """Forget every key of one's own at once."""
    person = signed_in_person(request=request)
    done = parting.forget_keys(user=person, now=clock.now(), request_meta=request_meta(request=request))
    words = ngettext(
        "The key of %d connection is forgotten. Delete it at the exchange too.",
        "The keys of %d connections are forgotten. Delete them at the exchanges too.",
        done.connections,
    )
    messages.success(request, words % done.connections)
    return redirect("exchanges:exchanges")


def _own(request: HttpRequest, connection_id: UUID) -> Connection:
    try:
        return connection_of(user=signed_in_person(request=request), connection_id=connection_id)
    except NotFoundError as error:
        raise Http404 from error


def _then(request: HttpRequest, act: Callable[[], object], said: str, connection_id: UUID | None) -> HttpResponse:
    """Do one thing; a card that asked is drawn anew, a page is shown again with a word about how it went."""
    try:
        act()
    except NotFoundError as error:
        raise Http404 from error
    except ProductError as error:
        messages.error(request, error.detail)
        return redirect("exchanges:exchanges")
    if request.headers.get("HX-Request") and connection_id is not None:
        return redirect("exchanges:card", connection_id=connection_id)
    messages.success(request, said)
    return redirect("exchanges:exchanges")
