"""Settings of a portfolio: its name, its rules with what they would change, and portfolios besides it."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.actions.callers import signed_in_person
from apps.core import clock
from apps.core.errors import NotFoundError, ProductError
from apps.portfolios import actions, queries
from apps.portfolios.actions.policies import choose_timeline
from apps.portfolios.forms import NewPortfolioForm, PortfolioForm
from apps.portfolios.queries.method_lab import consequences
from apps.portfolios.views.chosen import CHOSEN, Chosen, chosen
from apps.portfolios.views.rules import Asked


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def settings(request: HttpRequest) -> HttpResponse:
    """Show the rules of a portfolio; POST shows what others would change, or books by them, as `step` says."""
    held = chosen(request)
    asked = Asked.of(request, held)
    if request.method != "POST":
        return _page(request, held, asked)
    wanted = asked.timeline(now=clock.now())
    if wanted is None:
        return _page(request, held, asked, status=422)
    if not asked.saves:
        found = consequences(portfolio=held.portfolio, now_by=asked.own, then_by=wanted)
        return _page(request, held, asked, found=found)
    choose_timeline(user=held.person, portfolio_id=held.portfolio.pk, timeline=wanted, now=clock.now())
    messages.success(request, _("The rules are saved, and the ledger is booked by them."))
    return redirect("portfolios:settings")


@require_POST
@login_required
def rename(request: HttpRequest) -> HttpResponse:
    """Give the shown portfolio another name."""
    held, form = chosen(request), PortfolioForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give the portfolio a name of at most 80 letters."))
        return redirect("portfolios:settings")
    name = str(form.cleaned_data["name"])
    return _then(
        request,
        lambda: actions.change_portfolio(user=held.person, portfolio_id=held.portfolio.pk, name=name),
        _("The portfolio has its new name."),
    )


@require_POST
@login_required
def create(request: HttpRequest) -> HttpResponse:
    """Make a portfolio besides the others and show it."""
    person, form = signed_in_person(request=request), NewPortfolioForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give the portfolio a name, and its money as a code such as USD or EUR."))
        return redirect("portfolios:settings")
    name, currency = form.cleaned_data["name"], form.cleaned_data["currency"]

    def make() -> None:
        made = actions.create_portfolio(user=person, name=name, currency=currency, now=clock.now())
        request.session[CHOSEN] = str(made.pk)

    return _then(request, make, _("The portfolio is there and shown from now on."))


@require_POST
@login_required
def delete(request: HttpRequest) -> HttpResponse:
    """Delete the shown portfolio with all that is in it; its name has to be typed."""
    held = chosen(request)
    if request.POST.get("name", "").strip() != held.portfolio.name:
        messages.error(request, _("That is not the name of this portfolio. Nothing was deleted."))
        return redirect("portfolios:settings")
    return _then(
        request,
        lambda: actions.delete_portfolio(user=held.person, portfolio_id=held.portfolio.pk),
        _("The portfolio is deleted."),
    )


def _then(request: HttpRequest, act: Callable[[], object], said: str) -> HttpResponse:
    try:
        act()
    except NotFoundError as error:
        raise Http404 from error
    except ProductError as error:
        messages.error(request, error.problems[0].message if error.problems else error.detail)
    else:
        messages.success(request, said)
    return redirect("portfolios:settings")


def _page(request: HttpRequest, held: Chosen, asked: Asked, *, found: object = None, status: int = 200) -> HttpResponse:
    inside = held.inside(
        form=asked.form,
        asked=asked,
        found=found,
        accounts=queries.accounts_of(portfolio=held.portfolio),
        new_form=NewPortfolioForm(),
    )
    alone = request.headers.get("HX-Request") and request.method == "POST"
    part = "portfolios/_consequences.html" if alone else "portfolios/settings.html"
    return render(request, part, inside, status=200 if alone else status)
