"""The keys of each page, as the list behind `?` names them. A page that takes a key of its own has its line here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

register = template.Library()


@dataclass(frozen=True, slots=True)
class PageKey:
    """What keys do, and what is written on them."""

    does: Promise
    keys: tuple[str, ...]


SEARCH: Final = PageKey(_("Search this page"), ("/",))
ROWS: Final = (
    PageKey(_("Next row, previous row"), ("j", "k")),
    PageKey(_("Open the row"), ("\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}",)),
)
ADD: Final = PageKey(_("Add a transaction"), ("n",))
_ARROWS: Final = ("\N{LEFTWARDS ARROW}", "\N{RIGHTWARDS ARROW}")
_ENDS: Final = ("Home", "End")

PAGE_KEYS: Final[Mapping[str, tuple[PageKey, ...]]] = {
    "dashboard:overview": ROWS,
    "portfolios:overview": (
        *ROWS,
        ADD,
        PageKey(_("On the chart: a day back, a day on"), _ARROWS),
        PageKey(_("On the chart: a month back, a month on"), ("Shift", *_ARROWS)),
    ),
    "portfolios:holding": (
        *ROWS,
        ADD,
        PageKey(_("On the chart: from mark to mark"), _ARROWS),
        PageKey(_("On the chart: first mark, last mark"), _ENDS),
    ),
    "portfolios:transactions": (SEARCH, *ROWS, ADD, PageKey(_("Close the story beside the list"), ("esc",))),
    "portfolios:transaction": (SEARCH, *ROWS, ADD, PageKey(_("Close the story beside the list"), ("esc",))),
    "portfolios:imports": ROWS,
    "portfolios:reconciliation": ROWS,
    "portfolios:transfers": ROWS,
    "portfolios:tax": ROWS,
    "portfolios:tax_year": ROWS,
    "markets:markets": (
        SEARCH,
        *ROWS,
        PageKey(_("Watch the row"), ("w",)),
        PageKey(_("Empty the search, then leave it"), ("esc",)),
    ),
    "markets:asset": (
        PageKey(_("Length of a candle, from a minute to a day"), ("1", "\N{EN DASH}", "6")),
        PageKey(_("Logarithmic scale"), ("l",)),
        PageKey(_("Watch this market"), ("w",)),
        PageKey(_("On the chart: back, on"), _ARROWS),
        PageKey(_("On the chart: nearer, further"), ("+", "\N{MINUS SIGN}")),
        PageKey(_("On the chart: everything, the newest"), _ENDS),
    ),
    "markets:watchlists": ROWS,
    "markets:watchlist": ROWS,
}


@register.simple_tag(takes_context=True)
def page_keys(context: Context) -> tuple[PageKey, ...]:
    """Return the keys of the page that is shown."""
    request = context.get("request")
    match = request.resolver_match if isinstance(request, HttpRequest) else None
    return PAGE_KEYS.get(match.view_name, ()) if match else ()
