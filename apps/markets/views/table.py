"""The table of markets, its rows for the script that keeps them in view, and the search from anywhere."""

from typing import Final

import orjson
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.accounts.actions.callers import signed_in_person
from apps.markets import queries
from apps.markets.domain.market_table import MarketRow
from apps.markets.forms import MarketWishForm
from apps.markets.templatetags.market import drawn_coins, price, venue

FOUND_AT_ONCE: Final = 8


@require_safe
@login_required
@never_cache
def markets(request: HttpRequest) -> HttpResponse:
    """Show the markets; a script that asks gets the table alone."""
    wish = MarketWishForm(request.GET).wish()
    page = queries.market_page(user=signed_in_person(request=request), wish=wish)
    inside = {"page": page, "wish": wish, "feed": settings.FEED, "drawn": sorted(drawn_coins())}
    part = "markets/_table.html" if request.headers.get("HX-Request") else "markets/markets.html"
    return render(request, part, inside)


@require_safe
@login_required
@never_cache
def rows(request: HttpRequest) -> HttpResponse:
    """Send all rows of the table in short, for the script that shows those in view."""
    found = queries.market_rows(user=signed_in_person(request=request))
    return _json({"rows": [_short(row) for row in found]})


@require_safe
@login_required
@never_cache
def find(request: HttpRequest) -> HttpResponse:
    """Send the few markets that fit some words, for the palette."""
    words = MarketWishForm(request.GET).wish().words
    person = signed_in_person(request=request)
    found = queries.find_markets(user=person, words=words, limit=FOUND_AT_ONCE) if words else []
    return _json({"results": [_found(row) for row in found]})


def _short(row: MarketRow) -> tuple[object, ...]:
    return (
        str(row.name), row.title, venue(row.name.venue), row.digits,
        row.price, row.ts, row.change_24h, row.hour_ago, row.week_ago, row.volume, row.spark, row.watched,
    )  # fmt: skip


def _found(row: MarketRow) -> dict[str, object]:
    return {
        "instrument": str(row.name),
        "base": row.name.base,
        "title": row.title,
        "pair": row.name.symbol,
        "venue": venue(row.name.venue),
        "price": price(row.price, row.digits),
        "change": row.change_24h,
        "href": reverse("markets:asset", args=[row.name.path]),
    }


def _json(body: object) -> HttpResponse:
    return HttpResponse(orjson.dumps(body, default=str), content_type="application/json")
