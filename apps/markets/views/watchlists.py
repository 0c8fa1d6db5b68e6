"""Watchlists: the page of one's lists, what is done on it, and the star of every other page."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.actions.callers import signed_in_person
from apps.core import clock
from apps.core.errors import NotFoundError, ProductError
from apps.markets import actions, queries
from apps.markets.forms import NoteForm, OrderForm, WatchForm, WatchlistForm

UNDO: Final = "watchlist_undo"


@require_safe
@login_required
@never_cache
def watchlists(request: HttpRequest, watchlist_id: UUID | None = None) -> HttpResponse:
    """Show a person's lists and what is on the open one."""
    person = signed_in_person(request=request)
    page = queries.watchlist_page(user=person, watchlist_id=watchlist_id)
    if page is None:
        raise Http404
    undo = request.session.get(UNDO)
    return render(request, "markets/watchlists.html", {"page": page, "undo": undo, "form": WatchlistForm()})


@require_POST
@login_required
def create(request: HttpRequest) -> HttpResponse:
    """Make a list."""
    person, name = signed_in_person(request=request), _name_of(request)
    if not name:
        return redirect("markets:watchlists")
    return _then(request, lambda: actions.create_watchlist(user=person, name=name, now=clock.now()).pk)


@require_POST
@login_required
def rename(request: HttpRequest, watchlist_id: UUID) -> HttpResponse:
    """Give a list another name."""
    person, name = signed_in_person(request=request), _name_of(request)
    if not name:
        return redirect("markets:watchlist", watchlist_id=watchlist_id)
    return _then(request, lambda: actions.rename_watchlist(user=person, watchlist_id=watchlist_id, name=name).pk,
                 watchlist_id)  # fmt: skip


@require_POST
@login_required
def delete(request: HttpRequest, watchlist_id: UUID) -> HttpResponse:
    """Delete a list; what is needed to take that back is kept for this session."""
    person = signed_in_person(request=request)
    try:
        kept = actions.drop_watchlist(user=person, watchlist_id=watchlist_id)
    except ProductError as error:
        raise Http404 from error
    request.session[UNDO] = asdict(kept)
    return redirect("markets:watchlists")


@require_POST
@login_required
def undo(request: HttpRequest) -> HttpResponse:
    """Put back what was deleted last."""
    person, kept = signed_in_person(request=request), request.session.pop(UNDO, None)
    if kept is None:
        return redirect("markets:watchlists")
    return _then(request, lambda: actions.put_back(user=person, kept=actions.KeptList.of(kept), now=clock.now()))


@require_POST
@login_required
def add(request: HttpRequest, watchlist_id: UUID) -> HttpResponse:
    """Put a market on a list, named in full or by its asset alone."""
    person, text = signed_in_person(request=request), request.POST.get("instrument", "")[:82]
    name = queries.market_meant(text=text)

    def put() -> UUID:
        found = str(name) if name else text
        item, is_new = actions.add_to_watchlist(
            user=person, watchlist_id=watchlist_id, instrument=found, now=clock.now()
        )
        if not is_new:
            messages.info(request, _("%(name)s is on this list already.") % {"name": item.instrument})
        return watchlist_id

    return _then(request, put, watchlist_id)


@require_POST
@login_required
def note(request: HttpRequest, watchlist_id: UUID, item_id: UUID) -> HttpResponse:
    """Keep the note beside a market."""
    person, form = signed_in_person(request=request), NoteForm(request.POST)
    text = form.cleaned_data["note"] if form.is_valid() else ""
    if form.is_valid():
        try:
            actions.note_on_item(user=person, watchlist_id=watchlist_id, item_id=item_id, note=text)
        except ProductError as error:
            raise Http404 from error
    return _answer(request, watchlist_id, is_good=form.is_valid())


@require_POST
@login_required
def remove(request: HttpRequest, watchlist_id: UUID, item_id: UUID) -> HttpResponse:
    """Take a market off a list; that can be taken back."""
    person = signed_in_person(request=request)
    try:
        kept = actions.drop_item(user=person, watchlist_id=watchlist_id, item_id=item_id)
    except ProductError as error:
        raise Http404 from error
    request.session[UNDO] = asdict(kept)
    return redirect("markets:watchlist", watchlist_id=watchlist_id)


@require_POST
@login_required
def order(request: HttpRequest, watchlist_id: UUID) -> HttpResponse:
    """Keep the order into which somebody put the items."""
    person, form = signed_in_person(request=request), OrderForm(request.POST)
    if form.is_valid():
        try:
            actions.order_items(user=person, watchlist_id=watchlist_id, ids=form.cleaned_data["ids"])
        except ProductError as error:
            raise Http404 from error
    return _answer(request, watchlist_id, is_good=form.is_valid())


@require_safe
@login_required
@never_cache
def watch_menu(request: HttpRequest) -> HttpResponse:
    """Show on which lists a market is."""
    name = queries.named_instrument(text=request.GET.get("instrument", ""))
    if name is None:
        raise Http404
    return _menu(request, str(name), "")


@require_POST
@login_required
def watch(request: HttpRequest) -> HttpResponse:
    """Put a market on a list or take it off; without a list it is the first one, with a name it is a new one."""
    person, form = signed_in_person(request=request), WatchForm(request.POST)
    if not form.is_valid():
        raise Http404
    asked, now = form.cleaned_data, clock.now()
    try:
        done = actions.watch(user=person, instrument=str(asked["instrument"]), watchlist_id=asked["list"],
                             new_list=asked["new"], now=now)  # fmt: skip
    except ProductError as error:
        return _menu(request, str(asked["instrument"]), "", problem=error.detail)
    said = _("On %(list)s") if done.is_on else _("Off %(list)s")
    return _menu(request, str(asked["instrument"]), said % {"list": done.watchlist})


def _menu(request: HttpRequest, instrument: str, said: str, *, problem: str = "") -> HttpResponse:
    person = signed_in_person(request=request)
    lists = queries.lists_with(user=person, instrument=instrument)
    inside = {
        "name": queries.named_instrument(text=instrument),
        "lists": lists,
        "watched": any(one.holds for one in lists),
        "said": said,
        "problem": problem,
    }
    return render(request, "markets/_watch_menu.html", inside)


def _name_of(request: HttpRequest) -> str:
    form = WatchlistForm(request.POST)
    if form.is_valid():
        return str(form.cleaned_data["name"])
    messages.error(request, _("Give the list a name of at most 80 letters."))
    return ""


def _then(request: HttpRequest, act: Callable[[], UUID], otherwise: UUID | None = None) -> HttpResponse:
    """Act, and show the list that it was about; what cannot be done is said in words."""
    try:
        return redirect("markets:watchlist", watchlist_id=act())
    except NotFoundError as error:
        raise Http404 from error
    except ProductError as error:
        messages.error(request, error.problems[0].message if error.problems else error.detail)
    return redirect("markets:watchlist", otherwise) if otherwise else redirect("markets:watchlists")


def _answer(request: HttpRequest, watchlist_id: UUID, *, is_good: bool) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204 if is_good else 422)
    return redirect("markets:watchlist", watchlist_id=watchlist_id)
