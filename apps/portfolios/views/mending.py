"""Mending one missing thing in its place: the ways with their numbers filled in, the effect, one confirmation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core import clock, money
from apps.core.errors import ProductError
from apps.portfolios import queries
from apps.portfolios.actions.mending import Mending, mend_gap
from apps.portfolios.actions.reading import read_records
from apps.portfolios.domain.drafts import EntryDraft, draft_of
from apps.portfolios.domain.transactions import EntryError
from apps.portfolios.forms import TEMPLATES, EntryForm
from apps.portfolios.forms.entry import INCOME_KINDS
from apps.portfolios.forms.mending import MendWishForm
from apps.portfolios.queries.effects import Effect, effect_of, effect_of_match
from apps.portfolios.queries.mending import (
    MATCH,
    WAYS,
    Gap,
    Pair,
    Side,
    begin_at,
    gap_of,
    lost_worth,
    moved_here,
    pairs_for,
    worth_at,
)
from apps.portfolios.views.chosen import Chosen, chosen

SOURCE: Final = "manual"
MONEY_FIELDS: Final = ("value", "price", "fee_value")
_KEPT: Final = ("external_id", "sequence", "tx_hash", "address")
_VALUED: Final = frozenset({"opening", "gift_in", "income", "spend", "gift_out", "fee"})


@dataclass(frozen=True, slots=True)
class _Case:
    """What is missing, how somebody mends it, and what they typed or would type."""

    held: Chosen
    gap: Gap
    ways: tuple[str, ...]
    way: str
    pairs: tuple[Pair, ...]
    pair: Pair | None
    form: EntryForm

    @property
    def is_match(self) -> bool:
        """Tell whether an existing transfer explains it."""
        return self.way == MATCH


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def mend(request: HttpRequest) -> HttpResponse:
    """Show how a missing thing can be mended: GET and `step=preview` show the effect, a plain POST books it."""
    held = chosen(request)
    case = _case(request, held)
    if case is None:
        messages.info(request, _("This is mended already, or has changed meanwhile."))
        return redirect("portfolios:reconciliation")
    if request.method != "POST" or request.POST.get("step") == "preview":
        return _page(request, case)
    mending = _mending(case)
    if mending is None:
        return _page(request, case, status=422)
    try:
        mend_gap(user=held.person, portfolio=held.portfolio, mending=mending, source=SOURCE, now=clock.now())
    except ProductError as error:
        case.form.accept({one.field: one.message for one in error.problems} or {"": error.detail})
        return _page(request, case, status=422)
    messages.success(request, _("It is mended. What you booked stands in the list of transactions."))
    return redirect("portfolios:reconciliation")


# --- What is asked ----------------------------------------------------------------------------------------------------
def _case(request: HttpRequest, held: Chosen) -> _Case | None:
    asked, now = MendWishForm(request.GET), clock.now()
    wish = asked.wish()
    if wish is None:
        return None
    booked = read_records(portfolio=held.portfolio, now=now)
    balances = queries.reconciliation(portfolio=held.portfolio, now=now)
    gap = gap_of(portfolio=held.portfolio, wish=wish, booked=booked, balances=balances)
    if gap is None:
        return None
    pairs = tuple(pairs_for(portfolio=held.portfolio, gap=gap))
    ways = (*((MATCH,) if pairs else ()), *WAYS[gap.side])
    way = asked.cleaned_data["way"] if asked.cleaned_data["way"] in ways else ways[0]
    named = request.POST.get("pair", asked.cleaned_data["pair"])
    pair = next((one for one in pairs if one.code == named), pairs[0] if pairs and not named else None)
    return _Case(held, gap, ways, way, pairs, pair, _form(request, held, gap, way))


def _form(request: HttpRequest, held: Chosen, gap: Gap, way: str) -> EntryForm:
    template = way if way in TEMPLATES else next(iter(WAYS[gap.side]))
    zone, quote = held.zone, held.portfolio.currency
    if request.method == "POST":
        return EntryForm({**request.POST.dict(), "template": template}, zone=zone, quote=quote)
    return EntryForm(initial=_filled(held, gap, template), zone=zone, quote=quote)


def _filled(held: Chosen, gap: Gap, template: str) -> Mapping[str, object]:
    """Return what is known already, as somebody would type it."""
    now = clock.now()
    at = begin_at(gap=gap, now=now)
    local = at.astimezone(held.zone).replace(tzinfo=None)
    account = {"from_account" if gap.side in {Side.LEFT, Side.TOO_MUCH} else "to_account": gap.account}
    worth = worth_at(portfolio=held.portfolio, gap=gap, at=at, now=now) if template in _VALUED else None
    return {
        "template": template,
        "at": local.isoformat(timespec="microseconds" if local.microsecond else "seconds"),
        "asset": gap.asset,
        "amount": money.plain(gap.amount),
        "account": gap.account,
        "kind": INCOME_KINDS[0][0],
        **account,
        **({} if worth is None else {"value": money.plain(worth)}),
    }


# --- What it does -----------------------------------------------------------------------------------------------------
def _mending(case: _Case) -> Mending | None:
    """Return what is to be booked; what cannot be is said in the form."""
    if case.is_match:
        if case.pair is None:
            case.form.accept({"": _("Choose one of the transfers.")})
            return None
        if case.gap.is_leg:
            return Mending(match=(case.pair.out.pk, tuple(one.pk for one in case.pair.arrived)))
        return Mending(draft=moved_here(pair=case.pair, gap=case.gap), replaces=case.pair.out.pk)
    draft = _draft(case)
    if draft is None:
        return None
    return Mending(draft=draft, replaces=case.gap.entry.pk if case.gap.is_leg and case.gap.entry else None)


def _draft(case: _Case) -> EntryDraft | None:
    if not case.form.is_valid():
        return None
    kept = {name: getattr(case.gap.entry, name) for name in _KEPT} if case.gap.is_leg else {}
    told = {**kept, **case.form.portable(), "note": case.form.cleaned_data.get("note", "")}
    try:
        return draft_of(told, source=SOURCE)
    except EntryError as error:
        case.form.accept({error.field: error.message})
        return None


def _effect(case: _Case) -> Effect | None:
    portfolio, gap = case.held.portfolio, case.gap
    if case.is_match:
        if case.pair is None:
            return None
        if gap.is_leg:
            worth = lost_worth(portfolio=portfolio, pair=case.pair, now=clock.now())
            return effect_of_match(portfolio=portfolio, out=case.pair.out, arrived=case.pair.arrived, lost_worth=worth)
        return effect_of(portfolio=portfolio, draft=moved_here(pair=case.pair, gap=gap), replaced=case.pair.out)
    draft = _draft(case)
    return effect_of(portfolio=portfolio, draft=draft, replaced=gap.entry if gap.is_leg else None) if draft else None


def _page(request: HttpRequest, case: _Case, *, status: int = 200) -> HttpResponse:
    shown = case if request.method == "POST" else _as_typed(case)
    effect = _effect(shown) if status == 200 else None
    wrong = [error for errors in shown.form.errors.as_data().values() for error in errors if error.code != "required"]
    inside = {
        "case": case,
        "gap": case.gap,
        "form": case.form,
        "ways": [(code, _("Match a transfer") if code == MATCH else TEMPLATES[code].name) for code in case.ways],
        "money_fields": MONEY_FIELDS,
        "assets": [case.gap.asset],
        "accounts": queries.accounts_of(portfolio=case.held.portfolio),
        "effect": effect,
        "effect_problem": "" if effect or not wrong else str(wrong[0].messages[0]),
    }
    alone = request.method == "POST" and status == 200 and request.headers.get("HX-Request")
    part = "portfolios/_entry_effect.html" if alone else "portfolios/mend.html"
    return render(request, part, case.held.inside(**inside), status=status)


def _as_typed(case: _Case) -> _Case:
    """Return the case as if what is filled in had been typed, so that its effect is seen at once."""
    typed = EntryForm(dict(case.form.initial), zone=case.held.zone, quote=case.held.portfolio.currency)
    return _Case(case.held, case.gap, case.ways, case.way, case.pairs, case.pair, typed)
