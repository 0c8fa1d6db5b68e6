"""Transfers: what waits for its other side, what it may be, and putting the two together or apart."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.core import clock
from apps.core.errors import NotFoundError, ProductError
from apps.portfolios.actions.addresses import answer_address, foresee_answer, withdraw_answer
from apps.portfolios.actions.matching import match_transfer, unmatch_transfer
from apps.portfolios.domain.addresses import Whose
from apps.portfolios.forms import AnswerForm, MatchForm
from apps.portfolios.queries.transfer_pages import transfer_page
from apps.portfolios.views.chosen import Chosen, chosen


@require_safe
@login_required
@never_cache
def transfers(request: HttpRequest) -> HttpResponse:
    """Show the transfers between one's own accounts."""
    held = chosen(request)
    return render(request, "portfolios/transfers.html", held.inside(page=transfer_page(portfolio=held.portfolio)))


@require_POST
@login_required
def match(request: HttpRequest) -> HttpResponse:
    """Say that what left is what arrived."""
    held, asked = chosen(request), _asked(request)
    return _then(
        request,
        lambda: match_transfer(
            portfolio=held.portfolio,
            out_id=asked.cleaned_data["out"],
            arrived_ids=asked.cleaned_data["arrived"],
            by=held.person,
            now=clock.now(),
        ),
        _("The two sides are one transfer now; the coins keep their date and cost."),
    )


@require_POST
@login_required
def unmatch(request: HttpRequest) -> HttpResponse:
    """Say that two sides do not belong together."""
    held = chosen(request)
    out = _asked(request).cleaned_data["out"]
    return _then(
        request,
        lambda: unmatch_transfer(portfolio=held.portfolio, out_id=out),
        _("The two sides are apart again, and are not proposed to you a second time."),
    )


@require_POST
@login_required
def answer(request: HttpRequest) -> HttpResponse:
    """Say once what an address is; `step=preview` shows first what that changes."""
    held, form = chosen(request), AnswerForm(request.POST)
    if not form.is_valid():
        raise Http404
    if request.POST.get("step") == "preview":
        return _foreseen(request, held, form)
    return _then(
        request,
        lambda: answer_address(
            portfolio=held.portfolio,
            address=form.cleaned_data["address"],
            whose=Whose(form.cleaned_data["answer"]),
            account=form.cleaned_data["account"],
            by=held.person,
            now=clock.now(),
        ),
        _("Its transfers are told anew, and so will those that come later."),
    )


@require_POST
@login_required
def withdraw(request: HttpRequest, answer_id: UUID) -> HttpResponse:
    """Take back what was said of an address."""
    held = chosen(request)
    return _then(
        request,
        lambda: withdraw_answer(portfolio=held.portfolio, answer_id=answer_id, by=held.person, now=clock.now()),
        _("The answer is taken back; its transfers wait again."),
    )


def _foreseen(request: HttpRequest, held: Chosen, form: AnswerForm) -> HttpResponse:
    said = form.cleaned_data
    try:
        found = foresee_answer(
            portfolio=held.portfolio,
            address=said["address"],
            whose=Whose(said["answer"]),
            account=said["account"],
            now=clock.now(),
        )
    except ProductError as error:
        messages.error(request, error.problems[0].message if error.problems else error.detail)
        return redirect("portfolios:transfers")
    return render(request, "portfolios/answer.html", held.inside(said=said, found=found, effect=found.change))


def _asked(request: HttpRequest) -> MatchForm:
    form = MatchForm(request.POST)
    if not form.is_valid():
        raise Http404
    return form


def _then(request: HttpRequest, act: Callable[[], object], said: str) -> HttpResponse:
    try:
        act()
    except NotFoundError as error:
        raise Http404 from error
    except ProductError as error:
        messages.error(request, error.problems[0].message if error.problems else error.detail)
    else:
        messages.success(request, said)
    return redirect("portfolios:transfers")
