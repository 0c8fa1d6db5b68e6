"""Imports: a file goes in, is shown with its effect and its bad lines, is booked, and can be undone as a whole."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.base import File
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from apps.accounts.actions.callers import signed_in_person
from apps.core import clock
from apps.core.errors import NotFoundError, ProductError
from apps.portfolios import queries
from apps.portfolios.actions.frozen_effects import frozen_years_of_import
from apps.portfolios.actions.import_templates import preview_by_template
from apps.portfolios.actions.imports import commit_import, preview_import, undo_import
from apps.portfolios.domain.importing import ImportRefusedError
from apps.portfolios.forms import UploadForm
from apps.portfolios.forms.rule_words import in_words
from apps.portfolios.models import FileImport
from apps.portfolios.queries.import_pages import import_page, import_rows
from apps.portfolios.queries.import_rules import offer_with_gains
from apps.portfolios.queries.import_templates import fitting_templates, templates_of
from apps.portfolios.views.chosen import Chosen, chosen
from apps.portfolios.views.import_templates import columns_in, form_by, reason


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def imports(request: HttpRequest) -> HttpResponse:
    """Show what was imported; POST reads a file and leads to its preview."""
    held = chosen(request)
    if request.method != "POST":
        return _page(request, held, UploadForm(templates=list(templates_of(user=held.person))))
    form = UploadForm(request.POST, request.FILES, templates=list(templates_of(user=held.person)))
    if not form.is_valid():
        return _page(request, held, form, status=422)
    file: File[bytes] = form.cleaned_data["file"]
    data = file.read()
    try:
        made = _previewed(held, form, data, file.name or "")
    except (ImportRefusedError, ProductError) as error:
        return _refused(request, held, data, error)
    address = reverse("portfolios:import", args=[made.pk])
    return HttpResponseClientRedirect(address) if request.headers.get("HX-Request") else redirect(address)


@require_safe
@login_required
@never_cache
def import_detail(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Show one import: what it would change or has changed, and its bad lines."""
    held = chosen(request)
    page = import_page(user=held.person, import_id=import_id)
    if page is None:
        raise Http404
    frozen = frozen_years_of_import(row=page.row, now=clock.now())
    offer = offer_with_gains(row=page.row)
    rules = in_words(offer.differences) if offer else []
    inside = held.inside(page=page, frozen_years=frozen, offer=offer, rules=rules)
    return render(request, "portfolios/import.html", inside)


@require_POST
@login_required
def commit(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Book what a preview showed; bad lines are left out only where that was said."""
    person = signed_in_person(request=request)
    said = {name: request.POST.get(name) == "1" for name in ("skip_errors", "with_policy")}

    def book() -> str:
        done = commit_import(user=person, import_id=import_id, now=clock.now(), **said)
        if done.open_work is not None:
            return _("The import is being booked. This page shows how far it is.")
        text = ngettext("%(count)d transaction is booked.", "%(count)d transactions are booked.", done.posted)
        return text % {"count": done.posted}

    return _then(request, import_id, book)


@require_POST
@login_required
def undo(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Take an import back as a whole, or throw a preview away."""
    person, reason = signed_in_person(request=request), request.POST.get("reason", "").strip()[:200]

    def take_back() -> str:
        done = undo_import(user=person, import_id=import_id, reason=reason, now=clock.now())
        if done.open_work is not None:
            return _("The import is being undone. This page shows how far it is.")
        return _("The import is undone; nothing of it counts any more.") if done.batch else _("The preview is gone.")

    return _then(request, import_id, take_back)


def _then(request: HttpRequest, import_id: UUID, act: Callable[[], str]) -> HttpResponse:
    try:
        messages.success(request, act())
    except NotFoundError as error:
        raise Http404 from error
    except ProductError as error:
        messages.error(request, error.detail)
    return redirect("portfolios:import", import_id=import_id)


def _previewed(held: Chosen, form: UploadForm, data: bytes, name: str) -> FileImport:
    choices, row, now = form.reading(), form.chosen, clock.now()
    if row is not None:
        return preview_by_template(
            template=row,
            portfolio=held.portfolio,
            data=data,
            file_name=name,
            choices=choices,
            by=held.person,
            now=now,
        )
    return preview_import(
        portfolio=held.portfolio,
        data=data,
        file_name=name,
        wanted=choices.format,
        account=choices.account,
        mapping=choices.mapping,
        by=held.person,
        now=now,
    )


def _refused(request: HttpRequest, held: Chosen, data: bytes, error: ImportRefusedError | ProductError) -> HttpResponse:
    """Say why a file could not be read, and ask what its columns are where that would help, or offer a template."""
    fitting = [] if request.POST.get("template") else fitting_templates(user=held.person, data=data)
    if fitting:
        return _page(request, held, form_by(held=held, row=fitting[0], data=data), suggested=True)
    kept = list(templates_of(user=held.person))
    form = UploadForm(request.POST, request.FILES, templates=kept, columns=columns_in(data=data))
    form.is_valid()
    form.add_error("file", reason(error=error))
    return _page(request, held, form, status=422)


def _page(
    request: HttpRequest, held: Chosen, form: UploadForm, *, suggested: bool = False, status: int = 200
) -> HttpResponse:
    inside = held.inside(
        form=form,
        suggested=suggested,
        rows=import_rows(portfolio=held.portfolio),
        accounts=queries.accounts_of(portfolio=held.portfolio),
    )
    alone = request.headers.get("HX-Request") and request.method == "POST"
    part = "portfolios/_upload.html" if alone else "portfolios/imports.html"
    return render(request, part, inside, status=200 if alone else status)
