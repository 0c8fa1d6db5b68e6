"""Words for what connections, keys and syncs are, on pages."""

from datetime import timedelta
from typing import Final

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.exchanges.queries.pages import Bar, Card

register = template.Library()

NAMES: Final = {"binance": "Binance", "coinbase": "Coinbase", "kraken": "Kraken", "kucoin": "KuCoin"}
_GROUPS: Final[dict[str, Promise]] = {
    "trades": gettext_lazy("Trades"),
    "transfers": gettext_lazy("Deposits and withdrawals"),
    "others": gettext_lazy("Rewards, conversions and the rest"),
}
_TRIGGERS: Final[dict[str, Promise]] = {
    "connected": gettext_lazy("After connecting"),
    "person": gettext_lazy("By hand"),
    "schedule": gettext_lazy("By itself"),
    "reread": gettext_lazy("Read again from the beginning"),
}
_STEPS: Final[dict[str, Promise]] = {
    "reach": gettext_lazy("Reach the exchange"),
    "time": gettext_lazy("Compare clocks"),
    "credentials": gettext_lazy("Present the key"),
    "rights": gettext_lazy("Look at its rights"),
    "balances": gettext_lazy("Read balances"),
}
_CAUTIONS: Final[dict[str, Promise]] = {
    "can_withdraw": gettext_lazy("can move coins away"),
    "can_trade": gettext_lazy("may trade, which is not needed here"),
    "unverified": gettext_lazy("not everything it may do is known"),
    "any_address": gettext_lazy("works from every address"),
    "ends_soon": gettext_lazy("ends soon"),
    "old": gettext_lazy("is old: make a new one"),
}
#: Where what is wrong can be put right.
_NEW_KEY: Final = frozenset({"credentials_rejected", "key_forgotten", "key_can_withdraw", "permission_missing"})
_BY_ITSELF: Final = frozenset({"venue_unavailable", "venue_busy", "venue_bad_answer", "venue_clock", "unavailable"})


@register.filter
def exchange_name(code: str) -> str:
    """Return the name of an exchange as people write it."""
    return NAMES.get(code, code.capitalize())


@register.filter
def group_word(name: str) -> str:
    """Return what a group of streams is called."""
    return str(_GROUPS.get(name, name))


@register.filter
def trigger_word(code: str) -> str:
    """Return who wanted a sync."""
    return str(_TRIGGERS.get(code, code))


@register.filter
def step_word(code: str) -> str:
    """Return what a step of trying a key does."""
    return str(_STEPS.get(code, code))


@register.filter
def caution_word(code: str) -> str:
    """Return what the owner should know about a key."""
    return str(_CAUTIONS.get(code, code))


@register.filter
def wants_new_key(code: str) -> bool:
    """Tell whether another key puts this right."""
    return code in _NEW_KEY


@register.filter
def mends_itself(code: str) -> bool:
    """Tell whether this is tried again without anybody."""
    return code in _BY_ITSELF


@register.filter
def seconds_word(took: timedelta | None) -> str:
    """Return how long something took or takes."""
    if took is None:
        return ""
    seconds = int(took.total_seconds())
    if seconds < 1:
        return _("under a second")
    if seconds < 90:
        return ngettext("%d second", "%d seconds", seconds) % seconds
    minutes = round(seconds / 60)
    return ngettext("%d minute", "%d minutes", minutes) % minutes


@register.filter
def key_words(card: Card) -> str:
    """Return what the key is and how old it is."""
    rights = card.standing.rights
    if rights.withdraw or rights.transfer:
        kind = _("key that can move coins")
    elif rights.trade:
        kind = _("key may trade, not needed here")
    elif rights.trade is None or rights.withdraw is None:
        kind = _("key whose rights are not all known")
    else:
        kind = _("read-only key")
    days = card.key_days
    age = ngettext("%d day old", "%d days old", days) % days if days else _("made today")
    return f"{kind}, {age}"


@register.filter
def bar_words(bar: Bar) -> str:
    """Return how far a group of streams is known."""
    if bar.problems:
        return bar.problems[0]
    words = {
        "complete": _("complete"),
        "partial": _("a stretch is missing"),
        "running": _("being read"),
    }[bar.state.value]
    rows = ngettext("%(count)s row", "%(count)s rows", bar.rows) % {"count": intcomma(bar.rows)}
    return f"{words}, {rows}"
