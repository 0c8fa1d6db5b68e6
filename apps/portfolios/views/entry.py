"""Entering a transaction by hand and correcting one: fields, the effect before anything is booked, booking."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core import clock, money
from apps.core.errors import NotFoundError, ProductError
from apps.portfolios import actions, queries
from apps.portfolios.domain.drafts import AMOUNTS, NAMES, EntryDraft, draft_of
from apps.portfolios.domain.transactions import EntryError, EntryType
from apps.portfolios.forms import GROUPS, TEMPLATES, EntryForm, template_for
from apps.portfolios.forms.entry import as_typed
from apps.portfolios.models import Transaction
from apps.portfolios.queries.effects import effect_of
from apps.portfolios.queries.ledger_pages import EntryStory, entry_story, ledger_facts
from apps.portfolios.views.chosen import Chosen, chosen

SOURCE: Final = "manual"
#: What a correction keeps of the record that it stands for.
KEPT: Final = ("external_id", "sequence", "tx_hash", "address", "quote")
#: What another page may fill in beforehand.
ASKED: Final = ("template", "asset", "amount", "account")
LONGEST_WISH: Final = 80
MONEY_FIELDS: Final = ("value", "price", "fee_value")
_COPIED: Final = (*AMOUNTS, *NAMES, "note")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def new_transaction(request: HttpRequest) -> HttpResponse:
    """Enter a transaction: GET shows the form, POST its fields, its effect, or books it, as `step` says."""
    held = chosen(request)
    if request.method != "POST":
        now = clock.now().astimezone(held.zone).replace(second=0, microsecond=0, tzinfo=None)
        start = {"template": "buy", "at": now.isoformat(timespec="minutes")}
        asked = {name: request.GET[name][:LONGEST_WISH] for name in ASKED if name in request.GET}
        return _page(request, held, _form(held, initial={**start, **asked}))
    form = _form(held, data=request.POST)
    if request.POST.get("step") in {"fields", "preview"}:
        return _step(request, held, form)
    booked = _booked(held, form)
    if booked is None:
        return _page(request, held, form, status=422)
    messages.success(request, _("The transaction is booked."))
    if request.POST.get("step") == "another":
        return redirect(f"{reverse('portfolios:new_transaction')}?template={form.way.code}")
    return redirect("portfolios:transaction", transaction_id=booked)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def correct_transaction(request: HttpRequest, transaction_id: UUID) -> HttpResponse:
    """Correct a transaction: the old one is reversed and a new one stands in its place."""
    held = chosen(request)
    story = entry_story(user=held.person, transaction_id=transaction_id)
    if story is None:
        raise Http404
    if request.method != "POST":
        typed = {**_typed(story.entry, held), **({"template": wanted} if (wanted := _template_asked(request)) else {})}
        return _page(request, held, _form(held, story, initial=typed), story)
    form = _form(held, story, data=request.POST)
    if request.POST.get("step") in {"fields", "preview"}:
        return _step(request, held, form, story)
    draft = _draft(held, form, story)
    if draft is None:
        return _page(request, held, form, story, status=422)
    try:
        after = actions.replace_transaction(
            user=held.person,
            transaction_id=transaction_id,
            draft=draft,
            reason=request.POST.get("reason", "").strip()[:200],
            now=clock.now(),
        )
    except NotFoundError as error:
        raise Http404 from error
    except ProductError as error:
        problems = {one.field: one.message for one in error.problems} or {"": error.detail}
        form.accept(problems)
        return _page(request, held, form, story, status=422)
    if after.pk == transaction_id:
        messages.info(request, _("Nothing was changed, so nothing is booked."))
    else:
        messages.success(request, _("The correction is booked; the old version stays in the trail."))
    return redirect("portfolios:transaction", transaction_id=after.pk)


def _template_asked(request: HttpRequest) -> str:
    """Return the way of typing that another page asks for."""
    wanted = request.GET.get("template", "")
    return wanted if wanted in TEMPLATES else ""


def _booked(held: Chosen, form: EntryForm) -> UUID | None:
    """Book what the form says; what cannot be booked is said in the form."""
    draft, now = _draft(held, form), clock.now()
    if draft is None:
        return None
    try:
        done = actions.post_entries(portfolio=held.portfolio, drafts=[draft], source=SOURCE, by=held.person, now=now)
    except ProductError as error:
        form.add_error(None, error.detail)
        return None
    form.accept({one.field: one.message for one in done.errors})
    return done.ids[0] if done.ids else None


def _form(held: Chosen, story: EntryStory | None = None, **options: object) -> EntryForm:
    quote = story.entry.quote if story else ""
    stood = story.entry.at if story else None
    return EntryForm(**options, zone=held.zone, quote=quote or held.portfolio.currency, stood=stood)


def _draft(held: Chosen, form: EntryForm, story: EntryStory | None = None) -> EntryDraft | None:
    """Return what the form says as a draft; what the ledger refuses stands beside its field."""
    if not form.is_valid():
        return None
    kept = {name: getattr(story.entry, name) for name in KEPT} if story else {}
    try:
        told = draft_of({**kept, **form.portable(), "note": form.cleaned_data.get("note", "")}, source=SOURCE)
    except EntryError as error:
        form.accept({error.field: error.message})
        return None
    (placed,) = queries.placed_drafts(portfolio=held.portfolio, drafts=[told])
    if isinstance(placed, EntryError):
        form.accept({placed.field: placed.message})
        return None
    return placed


def _step(request: HttpRequest, held: Chosen, form: EntryForm, story: EntryStory | None = None) -> HttpResponse:
    if request.POST["step"] == "fields":
        kept = {name: value for name, value in request.POST.items() if name != "csrfmiddlewaretoken"}
        fresh = _form(held, story, initial=kept)
        return _page(request, held, fresh, story, part="portfolios/_entry_fields.html")
    draft = _draft(held, form, story)
    replaced = story.entry if story else None
    effect = effect_of(portfolio=held.portfolio, draft=draft, replaced=replaced) if draft else None
    wrong = [error for errors in form.errors.as_data().values() for error in errors if error.code != "required"]
    problem = "" if effect or not wrong else str(wrong[0].messages[0])
    return _page(
        request, held, form, story, part="portfolios/_entry_effect.html", effect=effect, effect_problem=problem
    )


def _page(
    request: HttpRequest,
    held: Chosen,
    form: EntryForm,
    story: EntryStory | None = None,
    *,
    part: str = "",
    status: int = 200,
    **more: object,
) -> HttpResponse:
    inside = {
        "form": form,
        "story": story,
        "way_groups": GROUPS,
        "money_fields": MONEY_FIELDS,
        "money": form.quote,
        "assets": ledger_facts(portfolio=held.portfolio).assets,
        "accounts": queries.accounts_of(portfolio=held.portfolio),
        "reason": request.POST.get("reason", ""),
        **more,
    }
    alone = part and request.headers.get("HX-Request")
    return render(request, part if alone else "portfolios/entry.html", held.inside(**inside), status=status)


def _typed(entry: Transaction, held: Chosen) -> Mapping[str, object]:
    """Return an entry as somebody would type it."""
    typed: dict[str, object] = {}
    for name in _COPIED:
        value = getattr(entry, name)
        if value not in {None, ""}:
            typed[name] = value if isinstance(value, str) else money.plain(value)
    typed["at"] = as_typed(entry.at, held.zone)
    typed["account"] = entry.account.name
    typed["from_account"] = entry.from_account.name if entry.from_account else ""
    typed["to_account"] = entry.to_account.name if entry.to_account else ""
    is_transfer = entry.type == EntryType.TRANSFER
    way = template_for(
        entry_type=entry.type,
        kind=entry.kind,
        comes=is_transfer and not entry.from_account_id,
        goes=is_transfer and not entry.to_account_id,
    )
    return {**typed, "template": way.code}
