"""Long tables of the ledger: what their rows say is worked out at once, and a template of few parts sets it.

A filter, a condition and a part of a part cost a template some microseconds each, and a table of fifty rows thousands.
"""

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Final, TypeAlias
from uuid import UUID

from django import template
from django.template import Context
from django.urls import get_script_prefix, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.models import Transaction, ValueState
from apps.portfolios.queries.overview_pages import HoldingRow
from apps.portfolios.templatetags import ledger

register = template.Library()

Cells: TypeAlias = dict[str, object]
_Side: TypeAlias = tuple[Decimal | None, str]

_NOTHING: Final = SafeString("")
_ONE: Final = Decimal(1)
_SOME_ID: Final = UUID(int=0)
_CHOSEN: Final = SafeString(' aria-selected="true"')
_REVERSED: Final = SafeString(' class="is-reversed"')
_SMALL: Final = SafeString(" data-small")


# --- Transactions -----------------------------------------------------------------------------------------------------
@register.simple_tag(takes_context=True)
def entry_rows(context: Context, entries: Iterable[Transaction], code: str, chosen: Transaction | None) -> list[Cells]:
    """Say what the rows of transactions say; `chosen` is the one that is told beside the list."""
    chosen_id, one = getattr(chosen, "pk", None), reverse("portfolios:transaction", args=[_SOME_ID])
    return [
        {
            "href": one.replace(str(_SOME_ID), str(entry.pk)),
            "marks": _entry_marks(entry, is_chosen=entry.pk == chosen_id),
            **_entry(context, entry, code),
        }
        for entry in entries
    ]


def _entry_marks(entry: Transaction, *, is_chosen: bool) -> SafeString:
    return (_CHOSEN if is_chosen else _NOTHING) + (_NOTHING if ledger.is_standing(entry) else _REVERSED)


def _entry(context: Context, entry: Transaction, code: str) -> Cells:
    out, came = ledger.side_out(entry), ledger.side_in(entry)
    return {
        "id": entry.pk,
        "at": entry.at,
        "icon": ledger.entry_icon(entry),
        "name": ledger.entry_name(entry),
        "place": ledger.entry_place(entry),
        "out_code": out[1],
        "out": ledger.quantity(context, *out) if out[1] else "",
        "in_code": came[1],
        "in": ledger.quantity(context, *came) if came[1] else "",
        "split": _split(entry) if entry.type == EntryType.SPLIT else "",
        "total": ledger.entry_total(entry),
        "small": _small(context, entry, out, came),
        "fee": ledger.quantity(context, entry.fee, entry.fee_asset or code) if entry.fee else _dash(),
        **entry_state(entry),
    }


def _split(entry: Transaction) -> str:
    return _("%(ratio)s %(code)s for each") % {"ratio": ledger.plain(entry.ratio), "code": entry.asset}


def _small(context: Context, entry: Transaction, out: _Side, came: _Side) -> SafeString:
    """Return the leg that a phone shows."""
    if entry.type == EntryType.SELL or not came[1]:
        return ledger.quantity(context, *out, sign="\N{MINUS SIGN}") if out[1] else _NOTHING
    return ledger.quantity(context, *came, sign="+")


@register.filter
def entry_state(entry: Transaction) -> Cells:
    """Say whether an entry counts and its price is known: a word, and the badge it stands in unless all is well."""
    if not ledger.is_standing(entry) or entry.replaces_id:
        word = _("corrected") if ledger.is_standing(entry) else _("reversed")
        return {"word": word, "badge": "line", "badge_icon": "undo"}
    state = getattr(getattr(entry, "valuation", None), "state", ValueState.PRICED)
    if state == ValueState.UNPRICED:
        return {"word": _("no price"), "badge": "warn", "badge_icon": "warn"}
    return {"word": _("price pending") if state == ValueState.PENDING else _("booked"), "badge": "", "badge_icon": ""}


# --- Holdings ---------------------------------------------------------------------------------------------------------
@register.simple_tag(takes_context=True)
def holding_rows(context: Context, rows: Iterable[HoldingRow], code: str, total: Decimal) -> list[Cells]:
    """Say what the rows of holdings say; `total` is what their shares are of."""
    return [_holding(context, row, code, total) for row in rows]


@register.simple_tag(takes_context=True)
def holding_rest(context: Context, rows: Iterable[HoldingRow]) -> SafeString:
    """Write what the script needs of holdings that are not shown, so that its total is of all; nothing while hidden."""
    told = [] if ledger.is_private(context) else [row for row in rows if row.value is not None]
    written = ("|".join((*map(ledger.plain, (row.amount, row.cost, row.value)), row.path)) for row in told)
    return format_html(' data-rest="{}"', " ".join(written)) if told else _NOTHING


def _holding(context: Context, row: HoldingRow, code: str, total: Decimal) -> Cells:
    return {
        "asset": row.asset,
        "marks": _marks(context, row),
        "href": _holding_address(row.asset, get_script_prefix()),
        "title": row.title,
        "amount": ledger.quantity(context, row.amount, row.asset),
        "price": "" if row.price is None else ledger.market_price(row.price, code),
        "price_state": row.price_state,
        "price_source": row.price_source,
        "price_at": row.price_at,
        "change": row.change_24h,
        "average": ledger.unit_price(context, row.average_cost, code),
        "value": row.value,
        "share": "" if row.value is None else ledger.plain_percent(ledger.share(row.value, total)),
        "unrealised": row.unrealised,
        "gain": row.gain,
        "gain_share": ledger.signed_percent(row.gain),
    }


@lru_cache(maxsize=4_096)
def _holding_address(asset: str, _prefix: str) -> str:
    """Return the address of the page of an asset: to work one out costs more than the rest of its row."""
    return reverse("portfolios:holding", args=[asset])


def _marks(context: Context, row: HoldingRow) -> SafeString:
    """Write what the script reads of a row; while amounts are hidden nothing of them."""
    small = _SMALL if row.value is not None and row.value < _ONE else _NOTHING
    if ledger.is_private(context):
        return format_html(' data-path="{}"{}', row.path, small)
    told = (ledger.plain(number) for number in (row.amount, row.cost, row.value))
    return format_html(' data-amount="{}" data-cost="{}" data-value="{}" data-path="{}"{}', *told, row.path, small)


def _dash() -> SafeString:
    return format_html('<span class="mut">{}</span>', ledger.UNKNOWN)
