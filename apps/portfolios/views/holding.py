"""One asset of a portfolio: its lots, what was sold of it, what it made, and its chart."""

from typing import Final

import orjson
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core import clock, money
from apps.portfolios import queries
from apps.portfolios.actions.holding_charts import read_asset_booking, read_holding_chart
from apps.portfolios.actions.reading import look_at
from apps.portfolios.domain.holding_story import TradedDay
from apps.portfolios.queries.holding_pages import MOST_LOTS, holding_page, holdings_named
from apps.portfolios.queries.overview_pages import overview_page
from apps.portfolios.views.chosen import chosen

#: As many lots as one page shows when all are asked for.
ALL_LOTS: Final = 2_000
_DAY_MS: Final = 86_400_000


@require_safe
@login_required
@never_cache
def holding(request: HttpRequest, asset: str) -> HttpResponse:
    """Show one asset: lots, what was sold, gains."""
    if "\0" in asset:
        raise Http404
    held, now = chosen(request), clock.now()
    look_at(portfolio=held.portfolio, now=now)
    held.portfolio.refresh_from_db()
    policy = queries.policy_of(portfolio=held.portfolio)
    lots = ALL_LOTS if "lots" in request.GET else MOST_LOTS
    booked = read_asset_booking(portfolio=held.portfolio, asset=asset, lots=lots, now=now)
    page = overview_page(portfolio=held.portfolio, now=now)
    found = holding_page(portfolio=held.portfolio, page=page, booked=booked, asset=asset, policy=policy, now=now)
    if found is None:
        raise Http404
    return render(request, "portfolios/holding.html", held.inside(page=found, total=page.total, policy=policy))


@require_safe
@login_required
@never_cache
def holding_chart(request: HttpRequest, asset: str) -> HttpResponse:
    """Send the prices, the average cost and the trades of one asset; nothing while amounts are hidden."""
    held, now = chosen(request), clock.now()
    if "\0" in asset or held.private:
        raise Http404
    chart = read_holding_chart(portfolio=held.portfolio, asset=asset, now=now)
    if not chart.entries:
        raise Http404
    body = {
        "prices": [(day * _DAY_MS, float(value)) for day, value in chart.prices],
        "average": [(one.day * _DAY_MS, None if one.unit is None else float(one.unit)) for one in chart.story.averages],
        "trades": [_trade_row(one) for one in chart.story.traded],
        "pending": chart.pending,
    }
    return HttpResponse(orjson.dumps(body), content_type="application/json")


@require_safe
@login_required
@never_cache
def find(request: HttpRequest) -> HttpResponse:
    """Send the assets of the portfolio that words mean, for the palette."""
    held = chosen(request)
    rows = holdings_named(portfolio=held.portfolio, words=request.GET.get("words", ""))
    results = [
        {"asset": asset, "title": title, "href": reverse("portfolios:holding", args=[asset])} for asset, title in rows
    ]
    return HttpResponse(orjson.dumps({"results": results}), content_type="application/json")


def _trade_row(one: TradedDay) -> tuple[int, str, str, int, str, str, int, str]:
    """Return a day as the chart reads it: amounts as text, so that its table shows every digit."""
    amounts = (money.plain(figure) for figure in (one.bought, one.paid, one.sold, one.received, one.gain))
    bought, paid, sold, received, gain = amounts
    return one.day * _DAY_MS, bought, paid, one.buys, sold, received, one.sells, gain
