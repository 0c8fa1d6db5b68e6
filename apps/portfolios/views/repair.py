"""What is missing of a portfolio's figures, and how each thing is mended."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.portfolios import queries
from apps.portfolios.actions.reading import read_lots
from apps.portfolios.queries.repair_pages import repair_page, state_of
from apps.portfolios.views.chosen import chosen


@require_safe
@login_required
@never_cache
def reconciliation(request: HttpRequest) -> HttpResponse:
    """Show what would make the figures exact."""
    held = chosen(request)
    now = clock.now()
    booked = read_lots(portfolio=held.portfolio, policy=None, now=now)
    page = repair_page(portfolio=held.portfolio, booked=booked)
    balances = queries.reconciliation(portfolio=held.portfolio, now=now)
    state = state_of(portfolio=held.portfolio) or page.state
    return render(
        request, "portfolios/reconciliation.html", held.inside(page=page, completeness=state, balances=balances)
    )
