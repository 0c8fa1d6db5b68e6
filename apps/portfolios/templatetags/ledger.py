"""How the ledger is written for people: what an entry is called, its two sides, exact amounts, shares."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from django import template
from django.http import HttpRequest, QueryDict
from django.template import Context
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import money
from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.models import Transaction
from apps.portfolios.templatetags.ledger_words import WORDS

register = template.Library()

UNKNOWN: Final = "\N{EN DASH}"
MASK: Final = "••••••"
SHORT_FIGURES: Final = 8
NEXT_TO_NOTHING: Final = Decimal("0.0005")
_WORDS: Final[Mapping[str, tuple[Promise, str]]] = {
    EntryType.BUY: (gettext_lazy("Bought"), "swap"),
    EntryType.SELL: (gettext_lazy("Sold"), "swap"),
    EntryType.TRADE: (gettext_lazy("Converted"), "swap"),
    EntryType.INCOME: (gettext_lazy("Income"), "gift"),
    EntryType.SPEND: (gettext_lazy("Spent"), "out"),
    EntryType.FEE: (gettext_lazy("Fee"), "out"),
    EntryType.TRANSFER: (gettext_lazy("Moved"), "link"),
    EntryType.SPLIT: (gettext_lazy("Split"), "sliders"),
    EntryType.RETURN_OF_CAPITAL: (gettext_lazy("Capital returned"), "in"),
    EntryType.POOL_OPENING: (gettext_lazy("Opening balance"), "in"),
}
_INCOME: Final[Mapping[str, Promise]] = {
    "staking": gettext_lazy("Staking reward"),
    "interest": gettext_lazy("Interest"),
    "airdrop": gettext_lazy("Airdrop"),
    "mining": gettext_lazy("Mined"),
    "reward": gettext_lazy("Reward"),
    "fork": gettext_lazy("Fork"),
}


def is_private(context: Context) -> bool:
    """Tell whether the reader hides amounts; one who is unknown hides nothing."""
    kept = context.get("prefs")
    value = kept.get("private", False) if isinstance(kept, Mapping) else getattr(kept, "private", False)
    return bool(value)


# --- What an entry is called -----------------------------------------------------------------------------------------


@register.filter
def entry_name(entry: Transaction) -> str:
    """Say in a word what happened."""
    if entry.type == EntryType.TRANSFER and not entry.from_account_id:
        return _("Deposit")
    if entry.type == EntryType.TRANSFER and not entry.to_account_id:
        return _("Withdrawal")
    if entry.type == EntryType.INCOME and entry.kind in _INCOME:
        return str(_INCOME[entry.kind])
    words = _WORDS.get(entry.type)
    return str(words[0]) if words else entry.type


@register.filter
def type_name(code: str) -> str:
    """Say in a word what entries of a type are."""
    words = _WORDS.get(code)
    return str(words[0]) if words else code


@register.filter
def entry_icon(entry: Transaction) -> str:
    """Return the icon of what happened."""
    if entry.type == EntryType.TRANSFER and not (entry.from_account_id and entry.to_account_id):
        return "out" if entry.from_account_id else "in"
    words = _WORDS.get(entry.type)
    return words[1] if words else "doc"


@register.filter
def entry_place(entry: Transaction) -> str:
    """Say where it happened."""
    if entry.type == EntryType.TRANSFER and entry.from_account and entry.to_account:
        return _("%(start)s to %(end)s") % {"start": entry.from_account, "end": entry.to_account}
    return str(entry.account)


# --- Its two sides ---------------------------------------------------------------------------------------------------


@register.filter
def side_out(entry: Transaction) -> tuple[Decimal | None, str]:
    """Return what left: how much and of what; nothing where nothing did."""
    match entry.type:
        case EntryType.TRADE:
            return entry.out_amount, entry.out_asset
        case EntryType.BUY:
            return told_of(entry), entry.quote or entry.portfolio.currency
        case EntryType.SELL | EntryType.SPEND | EntryType.FEE:
            return entry.amount, entry.asset
        case EntryType.TRANSFER if entry.from_account_id:
            return entry.amount, entry.asset
    return None, ""


@register.filter
def side_in(entry: Transaction) -> tuple[Decimal | None, str]:
    """Return what came: how much and of what; nothing where nothing did."""
    match entry.type:
        case EntryType.TRADE:
            return entry.in_amount, entry.in_asset
        case EntryType.SELL | EntryType.RETURN_OF_CAPITAL:
            return told_of(entry), entry.quote or entry.portfolio.currency
        case EntryType.BUY | EntryType.INCOME | EntryType.POOL_OPENING:
            return entry.amount, entry.asset
        case EntryType.TRANSFER if not entry.from_account_id:
            return entry.amount, entry.asset
    return None, ""


def told_of(entry: Transaction) -> Decimal | None:
    """Return what the source told that the main legs were worth, in its own money."""
    if entry.value is not None:
        return entry.value
    if entry.price is not None and entry.amount is not None:
        return money.multiply(entry.amount, entry.price)
    return None


@register.filter
def entry_total(entry: Transaction) -> Decimal | None:
    """Return what an entry was worth in the money of account, told by its source or found by valuing."""
    found = getattr(entry, "valuation", None)
    if found and found.value is not None:
        value: Decimal = found.value
        return value
    return told_of(entry) if entry.quote in {"", entry.portfolio.currency} else None


@register.filter
def is_standing(entry: Transaction) -> bool:
    """Tell whether an entry still counts."""
    return entry.reversed_in_id is None


# --- Exact amounts ---------------------------------------------------------------------------------------------------


def short_words(number: Decimal) -> str:
    """Write an amount for a list: what is longer than a list can bear is cut, which three dots say."""
    text = money.plain(number)
    whole, _point, fraction = text.partition(".")
    if len(fraction) > SHORT_FIGURES:
        digits_shown = max(SHORT_FIGURES, 2 - number.adjusted())
        fraction = fraction if len(fraction) <= digits_shown else f"{fraction[:digits_shown]}\N{HORIZONTAL ELLIPSIS}"
    sign, digits = (money.MINUS, whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}{'.' if fraction else ''}{fraction}"


def exact_words(number: Decimal) -> str:
    """Write every digit of an amount, with thousands and a true minus."""
    whole, _point, fraction = money.plain(abs(number)).partition(".")
    return f"{money.MINUS if number < 0 else ''}{int(whole):,}{'.' if fraction else ''}{fraction}"


@register.simple_tag(takes_context=True)
def quantity(context: Context, number: Decimal | None, code: str = "", sign: str = "") -> SafeString:
    """Write how much of a coin; every digit stands in the title."""
    return _quantity(context, number, code, sign, words=short_words)


@register.simple_tag(takes_context=True)
def exact(context: Context, number: Decimal | None, code: str = "", sign: str = "") -> SafeString:
    """Write how much of a coin with every digit."""
    return _quantity(context, number, code, sign, words=exact_words)


def _quantity(context: Context, number: Decimal | None, code: str, sign: str, *, words: object) -> SafeString:
    after = f" {code}" if code else ""
    if number is None:
        return format_html('<span class="mut">{}</span>', _("unknown"))
    if is_private(context):
        return format_html('<span class="amt" aria-label="{}">{}</span>{}', _("hidden"), MASK, after)
    full = exact_words(number)
    text = short_words(number) if words is short_words else full
    title = format_html(' title="{}{}"', full, after) if text != full else ""
    return format_html('<span class="amt fig"{}>{}{}</span>{}', title, sign, text, after)


# --- Shares and money of account -------------------------------------------------------------------------------------


@register.filter
def share(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """Return what fraction of the whole a part is."""
    if part is None or not whole:
        return None
    return money.divide(part, whole)


@register.filter
def plain_percent(fraction: Decimal | None) -> str:
    """Write a fraction as a percentage without a sign and without an arrow."""
    if fraction is None:
        return UNKNOWN
    if 0 < fraction < NEXT_TO_NOTHING:
        return "<0.1%"
    return money.percent_for_display(fraction, digits=1, signed=False)


@register.filter
def minus(left: Decimal | None, right: Decimal | None) -> Decimal | None:
    """Return the difference of two amounts."""
    return None if left is None or right is None else left - right


@register.filter
def negated(number: Decimal | None) -> Decimal | None:
    """Return the amount with its sign turned."""
    return None if number is None else -number


@register.simple_tag(takes_context=True)
def unit_price(context: Context, number: Decimal | None, code: str = "") -> SafeString:
    """Write what one coin cost a person; it is theirs, so it is masked with their amounts."""
    if number is None:
        return format_html('<span class="mut">{}</span>', _("unknown"))
    if is_private(context):
        return format_html('<span class="amt" aria-label="{}">{}</span>', _("hidden"), MASK)
    return format_html('<span class="amt fig">{}</span>', money.price_for_display(number, code=code))


@register.filter
def market_price(number: Decimal | None, code: str = "") -> str:
    """Write a price of the market; prices are never masked."""
    return UNKNOWN if number is None else money.price_for_display(number, code=code)


@register.filter
def plain(number: Decimal | None) -> str:
    """Write a number in full, without thousands."""
    return "" if number is None else money.plain(number)


@register.simple_tag(takes_context=True)
def ledger_link(context: Context, before: str = "", after: str = "") -> str:
    """Return the address of the list with the same filters, further on or further back."""
    request = context.get("request")
    query = request.GET.copy() if isinstance(request, HttpRequest) else QueryDict(mutable=True)
    for name in ("before", "after"):
        query.pop(name, None)
    for name, cursor in (("before", before), ("after", after)):
        if cursor:
            query[name] = cursor
    kept = QueryDict(mutable=True)
    for name, values in query.lists():
        kept.setlist(name, [value for value in values if value])
    return f"{reverse('portfolios:transactions')}?{kept.urlencode()}"


@register.simple_tag(takes_context=True)
def part_link(context: Context, name: str, number: int, place: str = "") -> str:
    """Return the address of the page at hand with another part of one of its lists."""
    request = context.get("request")
    query = request.GET.copy() if isinstance(request, HttpRequest) else QueryDict(mutable=True)
    query[name] = str(number)
    return f"?{query.urlencode()}{f'#{place}' if place else ''}"


@register.filter
def signed_percent(fraction: Decimal | None) -> str:
    """Write a fraction as a signed percentage without an arrow."""
    return "" if fraction is None else money.percent_for_display(fraction, digits=1)


@register.simple_tag
def ring(fraction: Decimal) -> SafeString:
    """Draw how complete something is as a small ring."""
    share_done = money.rounded(fraction * 100, digits=1)
    return format_html(
        '<svg class="ring" viewBox="0 0 14 14" aria-hidden="true"><circle class="bg" cx="7" cy="7" r="5.5"/>'
        '<circle class="v" cx="7" cy="7" r="5.5" pathLength="100" stroke-dasharray="{} 100"/></svg>',
        share_done,
    )


@register.simple_tag
def money_marks(code: str) -> SafeString:
    """Write as attributes how an amount of a currency looks, for the scripts that follow prices."""
    known = money.currency(code)
    before = known.symbol if code != "BTC" else ""
    after = "" if before else f" {code}"
    return format_html('data-before="{}" data-after="{}" data-digits="{}"', before, after, known.digits)


@register.filter
def number(text: str | Decimal) -> Decimal:
    """Return the exact number that a result spells."""
    return Decimal(text)


@register.filter
def income_word(kind: str) -> str:
    """Say what kind of income it is."""
    return str(_INCOME.get(kind, kind.capitalize()))


@register.simple_tag
def percent_or_dash(fraction: Decimal | None) -> SafeString:
    """Write a fraction as a signed percentage with its arrow; a dash where there is none."""
    if fraction is None:
        return format_html('<span class="mut">{}</span>', UNKNOWN)
    way = "up" if fraction > 0 else "dn" if fraction < 0 else "eq"
    return format_html('<span class="chg {}">{}</span>', way, money.percent_for_display(fraction, digits=1))


@register.filter
def one_digit(figure: Decimal) -> str:
    """Write a count that need not be whole with one digit, a whole one without."""
    return money.plain(money.rounded(figure, digits=1))


@register.filter
def two_digits(figure: Decimal | None) -> str:
    """Write a ratio with two digits and a true minus."""
    if figure is None:
        return UNKNOWN
    return f"{money.rounded(figure, digits=2):f}".replace("-", money.MINUS)


# --- Words ------------------------------------------------------------------------------------------------------------


def _sayer(words: Mapping[str, str | Promise]) -> Callable[[str], str]:
    return lambda code: str(words.get(code, code))


for _name, _words in WORDS.items():
    register.filter(_name, _sayer(_words))
