"""How market figures are written: a price with its instrument's digits, a size in short, the sign of any coin."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlencode

from django import template
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.core import money
from apps.markets.domain.market_table import MarketRow, MarketWish
from apps.markets.queries.quality import SeriesQuality

register = template.Library()

UNKNOWN: Final = "\N{EN DASH}"
VENUE_NAMES: Final = {"binance": "Binance", "coinbase": "Coinbase", "kraken": "Kraken", "kucoin": "KuCoin"}
FAULTS: Final = {
    "not_a_number": gettext_lazy("A figure is missing or is no number."),
    "zero_price": gettext_lazy("A price is zero."),
    "negative_price": gettext_lazy("A price is below zero."),
    "negative_volume": gettext_lazy("The volume is below zero."),
    "high_below_low": gettext_lazy("The high is below the low."),
    "high_low_not_enclosing": gettext_lazy("Open or close lies outside high and low."),
    "impossible_time": gettext_lazy("The time cannot be right."),
    "time_in_future": gettext_lazy("The time lies in the future."),
    "unfinished": gettext_lazy("It was sent before it was over."),
    "misaligned": gettext_lazy("It does not begin where a candle of this length begins."),
    "conflicting_duplicate": gettext_lazy("Another candle claims the same time."),
    "spike": gettext_lazy("The price leaps tenfold and back at once."),
    "unconfirmed_spike": gettext_lazy("The price leaps tenfold; nothing after it confirms that yet."),
}
_SIZES: Final = ((12, "T"), (9, "B"), (6, "M"), (3, "k"))
_HUES: Final = 8


@register.filter
def venue(code: str) -> str:
    """Return the name of a venue as it writes itself."""
    return VENUE_NAMES.get(code, code)


@register.filter
def span_label(code: str) -> str:
    """Say a stretch of time."""
    return {"day": _("24 hours"), "month": _("30 days"), "year": _("1 year")}[code]


@register.filter
def price(number: Decimal | None, digits: int = 2) -> str:
    """Write a price with its instrument's fraction digits and thousands; market prices are never masked."""
    return UNKNOWN if number is None else f"{money.rounded(number, digits=digits):,f}"


@register.filter
def short(number: Decimal | int | None) -> str:
    """Write a size with three digits and a letter: 21.5k, 1.24B."""
    if number is None:
        return UNKNOWN
    number = Decimal(number)
    power, letter = next(((power, letter) for power, letter in _SIZES if abs(number) >= 10**power), (0, ""))
    scaled = number.scaleb(-power)
    digits = max(0, 2 - max(0, scaled.adjusted())) if scaled else 0
    return f"{money.rounded(scaled, digits=digits):,f}{letter}"


@register.filter
def counted(number: int) -> str:
    """Write a whole number with thousands."""
    return f"{number:,d}"


@register.filter
def moment(ts: int) -> datetime:
    """Return the moment of a number of milliseconds."""
    return datetime.fromtimestamp(ts / 1000, UTC)


@register.filter
def done_words(series: SeriesQuality) -> str:
    """Say what was done to a series of candles."""
    counted = (
        (series.revised, ngettext("%(count)d corrected", "%(count)d corrected", series.revised)),
        (series.built, ngettext("%(count)d built from live prices", "%(count)d built from live prices", series.built)),
        (series.quarantined, ngettext("%(count)d kept out", "%(count)d kept out", series.quarantined)),
    )
    words = [text % {"count": count} for count, text in counted if count]
    if series.pending:
        words.append(_("older ones are being fetched"))
    return ", ".join(words) or _("as the exchange gave them")


@register.filter
def fault_words(code: str) -> str:
    """Say why a candle was kept out."""
    return str(FAULTS.get(code, code))


@register.simple_tag
def coin_sign(code: str, extra: str = "") -> SafeString:
    """Draw the sign of a coin; one that we have not drawn shows its first letters on a hue of its own."""
    if code in drawn_coins():
        return format_html(
            '<svg class="coin {}" aria-hidden="true"><use href="{}#{}"/></svg>', extra, coins_address(), code
        )
    return format_html(
        '<svg class="coin coin--letters coin--{} {}" viewBox="0 0 28 28" aria-hidden="true">'
        '<circle cx="14" cy="14" r="13.25"/><text x="14" y="14">{}</text></svg>',
        sum(map(ord, code)) % _HUES + 1,
        extra,
        code[:3] if len(code) <= 3 else code[:2],
    )


@register.simple_tag
def coins_address() -> str:
    """Return the address of the sheet of coins, the plain one while no manifest is there."""
    try:
        return staticfiles_storage.url("img/coins.svg")
    except ValueError:
        return f"{settings.STATIC_URL}img/coins.svg"


@register.filter
def points(fraction: Decimal | None, signed: bool = False) -> str:  # noqa: FBT001, FBT002 - filters take one plain argument
    """Write a fraction in hundredths of a percent, with its sign where asked for."""
    if fraction is None:
        return UNKNOWN
    number = money.rounded(fraction.scaleb(4), digits=1)
    sign = ("\N{MINUS SIGN}" if number < 0 else "+" if number > 0 else "") if signed else ""
    return f"{sign}{abs(number):f}"


@register.simple_tag
def age(row: MarketRow, now: datetime) -> SafeString:
    """Say how old a row's price is; a script keeps it true."""
    if row.ts is None:
        return format_html('<span data-age="{}">{}</span>', row.name, _("no price yet"))
    seconds = max(0, int(now.timestamp() - row.ts / 1000))
    return format_html('<span data-age="{}" data-ts="{}">{}</span>', row.name, row.ts, age_words(seconds))


def age_words(seconds: int) -> str:
    """Say a number of seconds in the largest unit that fits."""
    if seconds < 2:
        return _("now")
    if seconds < 60:
        return ngettext("%(count)d sec ago", "%(count)d sec ago", seconds) % {"count": seconds}
    if seconds < 3600:
        return ngettext("%(count)d min ago", "%(count)d min ago", seconds // 60) % {"count": seconds // 60}
    if seconds < 86_400:
        return ngettext("%(count)d hr ago", "%(count)d hr ago", seconds // 3600) % {"count": seconds // 3600}
    days = seconds // 86_400
    return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}


@register.simple_tag(takes_context=True)
def sort_link(context: Context, column: str) -> str:
    """Return the address of the table sorted by a column; the second time the other way round."""
    wish = cast("MarketWish", context["wish"])
    first = column != "name"
    descending = not wish.descending if wish.sort == column else first
    return table_address(replace(wish, sort=column, descending=descending, page=1))


@register.simple_tag(takes_context=True)
def page_link(context: Context, step: int) -> str:
    """Return the address of the page of the table so many further."""
    wish = cast("MarketWish", context["wish"])
    return table_address(replace(wish, page=wish.page + step))


def table_address(wish: MarketWish) -> str:
    """Return the address of the table as a reader wants it; what is usual is left out."""
    usual = MarketWish()
    asked = {
        "words": wish.words,
        "venue": wish.venue,
        "quote": wish.quote,
        "sort": f"{'-' if wish.descending else ''}{wish.sort}",
        "page": str(wish.page),
    }
    plain = {"sort": f"-{usual.sort}", "page": "1"}
    query = {name: value for name, value in asked.items() if value and value != plain.get(name)}
    return f"{reverse('markets:markets')}?{urlencode(query)}" if query else reverse("markets:markets")


@lru_cache(maxsize=1)
def drawn_coins() -> frozenset[str]:
    """Return the codes of which the sheet of coins has a drawing."""
    sheet = Path(settings.BASE_DIR) / "static" / "img" / "coins.svg"
    return frozenset(re.findall(r'<symbol id="([^"]+)"', sheet.read_text(encoding="utf-8")))
