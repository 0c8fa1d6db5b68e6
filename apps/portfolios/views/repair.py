"""What is missing of a portfolio's figures, and how each thing is mended."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.portfolios import queries
from apps.portfolios.actions.reading import look_at, read_records
from apps.portfolios.queries.parts import page_asked, part_of
from apps.portfolios.queries.repair_pages import MOST_SHOWN, REPAIR_PARTS, repair_page, state_of
from apps.portfolios.views.chosen import chosen


@require_safe
@login_required
@never_cache
def reconciliation(request: HttpRequest) -> HttpResponse:
    """Show what would make the figures exact."""
    held = chosen(request)
    now = clock.now()
    look_at(portfolio=held.portfolio, now=now)
    records = read_records(portfolio=held.portfolio, now=now)
    asked = {name: page_asked(text=request.GET.get(name, "")) for name in REPAIR_PARTS}
    page = repair_page(portfolio=held.portfolio, missing=records["missing"], asked=asked)
    told = queries.reconciliation(portfolio=held.portfolio, now=now)
    balances = part_of(rows=told, number=asked["balances"], length=MOST_SHOWN)
    inside = held.inside(page=page, completeness=state_of(portfolio=held.portfolio), balances=balances)
    return render(request, "portfolios/reconciliation.html", inside)
