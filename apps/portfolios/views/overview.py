"""The portfolio: what it is worth and why, its history for the chart, and its performance."""

from typing import TypeAlias

import orjson
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.portfolios import queries
from apps.portfolios.actions.past import read_history, read_performances
from apps.portfolios.actions.reading import look_at
from apps.portfolios.forms import StretchForm
from apps.portfolios.queries.overview_pages import overview_page
from apps.portfolios.queries.repair_pages import state_of
from apps.portfolios.views.chosen import chosen

#: Time in milliseconds, value, net deposits; the value is None where no price of that day is known.
_Point: TypeAlias = tuple[int, float | None, float]


@require_safe
@login_required
@never_cache
def overview(request: HttpRequest) -> HttpResponse:
    """Show what a portfolio is worth, at first with its largest holdings; a script gets their table alone."""
    held, now = chosen(request), clock.now()
    look_at(portfolio=held.portfolio, now=now)
    held.portfolio.refresh_from_db()
    page = overview_page(portfolio=held.portfolio, now=now)
    inside = held.inside(
        page=page,
        is_whole="all" in request.GET,
        completeness=state_of(portfolio=held.portfolio),
        policy=queries.policy_of(portfolio=held.portfolio),
    )
    alone = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    return render(request, "portfolios/_holdings.html" if alone else "portfolios/overview.html", inside)


@require_safe
@login_required
@never_cache
def history(request: HttpRequest) -> HttpResponse:
    """Send the points of the chart; while amounts are hidden, as hundredths of the first day's value."""
    held, now = chosen(request), clock.now()
    answer = read_history(portfolio=held.portfolio, now=now)
    points: list[_Point] = [
        (point.ts, None if point.unpriced and not point.value else float(point.value), float(point.net_deposits))
        for point in answer.points
    ]
    if held.private:
        points = _relative(points)
    body = {"results": points, "unpriced_days": answer.unpriced_days, "pending": answer.pending}
    return HttpResponse(orjson.dumps(body), content_type="application/json")


@require_safe
@login_required
@never_cache
def performance(request: HttpRequest) -> HttpResponse:
    """Show how the portfolio did in a stretch of time."""
    held, now = chosen(request), clock.now()
    wish = StretchForm(request.GET).wish(now=now)
    answers = read_performances(portfolio=held.portfolio, from_=wish.start, benchmarks=wish.benchmarks, now=now)
    return render(request, "portfolios/_performance.html", held.inside(answer=answers[0], answers=answers, wish=wish))


def _relative(points: list[_Point]) -> list[_Point]:
    """Return the points as hundredths of the first value above zero; nothing of the amounts is left in them."""
    base = next((value for _ts, value, _net in points if value), 0.0)
    if not base:
        return []
    return [
        (ts, None if value is None else round(value / base * 100, 2), round(net / base * 100, 2))
        for ts, value, net in points
    ]
