"""The shell around a page: attributes of <html>, the navigation, what the palette offers, the server's messages."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django import template
from django.conf import settings
from django.contrib.messages import get_messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest
from django.template import Context
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext_lazy as _

from apps.dashboard.templatetags.look import preference

register = template.Library()

THEMES: Final = frozenset({"dark", "light", "auto"})
THEME_COOKIE: Final = "coinsphere_theme"


@dataclass(frozen=True, slots=True)
class Place:
    """A page one can go to: its route, words, icon, the letter after `g`, and who may see it."""

    route: str
    label: Promise
    icon: str
    key: str = ""
    words: str = ""
    for_staff: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A place with its address, as this reader sees it."""

    place: Place
    url: str
    current: bool


OVERVIEW: Final = Place("dashboard:overview", _("Overview"), "grid", "d", "home dashboard start")
MARKETS: Final = Place("markets:markets", _("Markets"), "candles", "m", "prices coins assets charts")
WATCHLISTS: Final = Place("markets:watchlists", _("Watchlists"), "star", "w", "watch follow stars")
PORTFOLIO: Final = Place("portfolios:overview", _("Portfolio"), "pie", "p", "value holdings performance worth gain")
TRANSACTIONS: Final = Place("portfolios:transactions", _("Transactions"), "tx", "t", "ledger buys sells trades")
MONEY: Final = (
    PORTFOLIO,
    TRANSACTIONS,
    Place("exchanges:exchanges", _("Exchanges"), "plug", "e", "connect binance coinbase kraken kucoin keys sync api"),
    Place("portfolios:imports", _("Imports"), "tray", "i", "csv file upload undo batch"),
    Place("portfolios:reconciliation", _("Reconciliation"), "scale", "c", "balances difference transfers match"),
    Place("portfolios:tax", _("Tax year"), "doc", "x", "gains report disposals 8949 income"),
)
#: Pages and deeds that the palette and the keys reach, and the rail leaves out.
LEDGER: Final = (
    Place("portfolios:new_transaction", _("Add a transaction"), "plus", "n", "type enter buy sell income gift"),
    Place("portfolios:transfers", _("Transfers"), "link", "f", "match unmatched deposits withdrawals"),
    Place("portfolios:settings", _("Portfolio settings"), "sliders", "b", "method fifo policy rules cost basis name"),
    Place("portfolios:sharing", _("Sharing"), "people", "", "share link read-only accountant"),
)
ACCOUNT: Final = (
    Place("accounts:profile", _("Profile"), "user", "u", "account name email"),
    Place("accounts:security", _("Security"), "shield", "s", "password second factor passkey sessions tokens mfa totp"),
    Place("accounts:preferences", _("Preferences"), "sliders", "r", "theme palette currency zone language"),
    Place("accounts:audit", _("Activity"), "clock", "a", "audit log sign-ins"),
)
INSTANCE: Final = (
    Place("operations:console", _("Operations"), "gauge", "o", "processes jobs health queues", for_staff=True),
    Place("admin:index", _("Admin"), "wrench", "", "tables rows", for_staff=True),
    Place("core:docs", _("API"), "code", "", "openapi rest documentation tokens"),
)
GROUPS: Final = (
    (None, (OVERVIEW, MARKETS)),
    (_("Money"), MONEY),
    (_("Watch"), (WATCHLISTS,)),
    (_("Account"), ACCOUNT),
    (_("Instance"), INSTANCE),
)
PHONE: Final = (OVERVIEW, MARKETS, PORTFOLIO, TRANSACTIONS)


@register.simple_tag(takes_context=True)
def look_attributes(context: Context) -> SafeString:
    """Write direction, theme, palette, density and privacy as attributes of <html>, before anything is painted."""
    wanted = str(preference(context, "theme", "dark"))
    request = context.get("request")
    if isinstance(request, HttpRequest) and not _signed_in(context):
        wanted = request.COOKIES.get(THEME_COOKIE, wanted)
    return format_html(
        'dir="{}" data-theme="{}" data-palette="{}" data-density="{}"{}',
        "rtl" if get_language_bidi() else "ltr",
        wanted if wanted in THEMES else "dark",
        preference(context, "palette", "green-red"),
        preference(context, "density", "normal"),
        mark_safe(" data-private") if preference(context, "private", default=False) else "",
    )


@register.simple_tag(takes_context=True)
def navigation(context: Context) -> list[tuple[Promise | None, list[Link]]]:
    """Return the groups of the rail with the pages this reader may open; a page this instance lacks is left out."""
    groups = ((head, _links(context, places)) for head, places in GROUPS)
    return [(head, links) for head, links in groups if links]


@register.simple_tag(takes_context=True)
def ledger_navigation(context: Context) -> list[Link]:
    """Return the pages of the ledger that have no place in the rail."""
    return _links(context, LEDGER)


@register.simple_tag(takes_context=True)
def account_navigation(context: Context) -> list[list[Link]]:
    """Return what the account's menu offers: one's own pages and those of the instance."""
    return [links for places in (ACCOUNT, INSTANCE) if (links := _links(context, places))]


@register.simple_tag(takes_context=True)
def phone_navigation(context: Context) -> list[Link]:
    """Return the pages of the phone's tab bar; the rest is one tap behind `More`."""
    return _links(context, PHONE)


@register.simple_tag
def address(route: str) -> str:
    """Return the address of a route, or nothing where this instance does not serve it."""
    return _address(route, get_urlconf() or settings.ROOT_URLCONF, get_script_prefix())


@lru_cache(maxsize=256)
def _address(route: str, _urlconf: str, _prefix: str) -> str:
    """Return the address once for all: a page names each of its places several times."""
    try:
        return reverse(route)
    except NoReverseMatch:
        return ""


@register.simple_tag(takes_context=True)
def notices(context: Context) -> Iterable[Message]:
    """Return the server's messages, which are then read."""
    request = context.get("request")
    return get_messages(request) if isinstance(request, HttpRequest) else ()


@register.filter
def initials(name: object) -> str:
    """Return the one or two letters that stand for a person."""
    words = str(name).split("@", 1)[0].replace(".", " ").replace("_", " ").split()
    return "".join(word[0] for word in words[:2]).upper() or "?"


def _links(context: Context, places: Iterable[Place]) -> list[Link]:
    staff = bool(getattr(context.get("user"), "runs_instance", False))
    path = str(getattr(context.get("request"), "path", ""))
    found = ((place, address(place.route)) for place in places if staff or not place.for_staff)
    return [Link(place, url, current=_is_current(path, url)) for place, url in found if url]


def _is_current(path: str, url: str) -> bool:
    exact = {address("dashboard:overview"), address("accounts:profile")}
    return path == url if url in exact else path.startswith(url)


def _signed_in(context: Context) -> bool:
    return bool(getattr(context.get("user"), "is_authenticated", False))
