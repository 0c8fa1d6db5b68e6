"""What if I sell: gain by method with the lots that each would use; nothing is posted."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.core.errors import ProductError
from apps.portfolios import queries
from apps.portfolios.actions.reading import refresh
from apps.portfolios.actions.selling import read_sale
from apps.portfolios.forms.selling import SaleForm
from apps.portfolios.queries.sale_pages import SaleAnswer, assets_to_sell, sale_page
from apps.portfolios.views.chosen import Chosen, chosen


@require_safe
@login_required
@never_cache
def sell(request: HttpRequest) -> HttpResponse:
    """Show what selling would come to; without an amount, ask for one."""
    held = chosen(request)
    refresh(portfolio=held.portfolio, now=clock.now())
    asked = request.GET.get("amount") is not None
    form = SaleForm(request.GET) if asked else SaleForm(initial={"asset": request.GET.get("asset", "")})
    answer = _answer(held, form) if asked and form.is_valid() else None
    inside = held.inside(
        form=form,
        sale=None if answer is None else sale_page(answer=answer),
        assets=assets_to_sell(portfolio=held.portfolio),
        policy=queries.policy_of(portfolio=held.portfolio),
    )
    part = "portfolios/_sale.html" if request.headers.get("HX-Request") else "portfolios/sell.html"
    return render(request, part, inside)


def _answer(held: Chosen, form: SaleForm) -> SaleAnswer | None:
    """Return what the sale comes to; what is against it stands in the form."""
    wish = form.cleaned_data
    try:
        return read_sale(
            portfolio=held.portfolio,
            asset=wish["asset"].strip(),
            amount=wish["amount"],
            price=wish["price"],
            fee=wish["fee"],
            account=wish["account"].strip(),
            now=clock.now(),
        )
    except ProductError as error:
        form.accept([(one.field, one.message) for one in error.problems] or [("", error.detail)])
        return None
