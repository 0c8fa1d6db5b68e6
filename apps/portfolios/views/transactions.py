"""The list of transactions, one of them with its trail, and its reversal."""

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
from apps.portfolios import actions
from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.forms import LedgerWishForm
from apps.portfolios.queries.ledger_pages import EntryStory, LedgerWish, entry_story, ledger_page
from apps.portfolios.views.chosen import Chosen, chosen

LONGEST_REASON: Final = 200
#: Types that a person can filter by; the others are rare and found by words.
TYPES: Final = tuple(one.value for one in EntryType)


@require_safe
@login_required
@never_cache
def transactions(request: HttpRequest) -> HttpResponse:
    """Show the ledger; a script that asks gets the list alone."""
    held = chosen(request)
    wish = LedgerWishForm(request.GET, zone=held.zone).wish()
    return render(request, _part(request, "portfolios/_ledger.html"), _inside(request, held, wish))


@require_safe
@login_required
@never_cache
def transaction(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    """Show one transaction and what became of it: beside the list, or alone for a script."""
    held = chosen(request)
    story = entry_story(user=held.person, transaction_id=transaction_id)
    if story is None:
        raise Http404
    if request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request"):
        return render(request, "portfolios/_story.html", held.inside(story=story))
    wish = LedgerWish(asset=story.entry.asset or story.entry.in_asset, reversed=True)
    return render(request, "portfolios/transactions.html", {**_inside(request, held, wish), "story": story})


@require_POST
@login_required
def reverse_transaction(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    """Take a transaction back; it stays in the trail."""
    person = signed_in_person(request=request)
    reason = request.POST.get("reason", "").strip()[:LONGEST_REASON]
    try:
        actions.reverse_transaction(user=person, transaction_id=transaction_id, reason=reason, now=clock.now())
    except NotFoundError as error:
        raise Http404 from error
    except ProductError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, _("The transaction was reversed and no longer counts."))
    return redirect("portfolios:transaction", transaction_id=transaction_id)


def _inside(request: HttpRequest, held: Chosen, wish: LedgerWish) -> dict[str, object]:
    story: EntryStory | None = None
    page = ledger_page(portfolio=held.portfolio, wish=wish)
    more = {
        "page": page,
        "wish": wish,
        "asked": request.GET,
        "types": TYPES,
        "assets": page.assets,
        "story": story,
    }
    return dict(held.inside(**more))


def _part(request: HttpRequest, part: str) -> str:
    alone = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    return part if alone else "portfolios/transactions.html"
