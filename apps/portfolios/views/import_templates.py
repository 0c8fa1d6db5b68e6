"""Import templates: kept after a file was read, suggested by the head line of the next, changed and deleted."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.base import File
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.actions.callers import signed_in_person
from apps.core import clock
from apps.core.errors import NotFoundError, ProductError
from apps.portfolios import queries
from apps.portfolios.actions.import_templates import change_template, delete_template, keep_template
from apps.portfolios.domain.importing import HEAD_BYTES, Columns, ImportRefusedError, beginning, columns_of
from apps.portfolios.forms import TemplateForm, UploadForm
from apps.portfolios.models import ImportTemplate
from apps.portfolios.queries.import_templates import fitting_templates, template_of, templates_of
from apps.portfolios.views.chosen import Chosen, chosen


@require_safe
@login_required
@never_cache
def import_templates(request: HttpRequest) -> HttpResponse:
    """List the templates."""
    held = chosen(request)
    rows = list(templates_of(user=held.person))
    return render(request, "portfolios/imports_templates.html", held.inside(rows=rows))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def import_template(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Show a template; POST renames or changes it."""
    held = chosen(request)
    try:
        row = template_of(user=held.person, template_id=template_id)
    except NotFoundError as error:
        raise Http404 from error
    form = TemplateForm(request.POST or None, template=row)
    if request.method == "POST" and form.is_valid():
        try:
            name, choices = form.cleaned_data["name"], form.reading()
            change_template(user=held.person, template_id=row.pk, name=name, choices=choices)
        except (ImportRefusedError, ProductError) as error:
            form.add_error(None, reason(error=error))
        else:
            messages.success(request, _("The template is changed. It is used for the next file; what was read stays."))
            return redirect("portfolios:import_templates")
    inside = held.inside(row=row, form=form, accounts=queries.accounts_of(portfolio=held.portfolio))
    return render(request, "portfolios/imports_template.html", inside, status=422 if form.errors else 200)


@require_POST
@login_required
def delete_import_template(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Forget a template."""
    try:
        delete_template(user=signed_in_person(request=request), template_id=template_id)
    except NotFoundError as error:
        raise Http404 from error
    messages.success(request, _("The template is deleted. What was imported by it stays."))
    return redirect("portfolios:import_templates")


@require_POST
@login_required
def keep_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Keep how the file of an import was read."""
    person, name = signed_in_person(request=request), request.POST.get("name", "")[:200]
    try:
        made = keep_template(user=person, import_id=import_id, name=name, now=clock.now())
    except NotFoundError as error:
        raise Http404 from error
    except ProductError as error:
        messages.error(request, reason(error=error))
    else:
        said = _("Kept as %(name)s. The next file with these columns is offered to be read by it.")
        messages.success(request, said % {"name": made.name})
    return redirect("portfolios:import", import_id=import_id)


@require_POST
@login_required
@never_cache
def look(request: HttpRequest) -> HttpResponse:
    """Look at the beginning of a file: show the fields filled by the template that is chosen, or that fits it."""
    held = chosen(request)
    file: File[bytes] | None = request.FILES.get("file")
    data = beginning(file.read(HEAD_BYTES)) if file else b""
    wanted = request.POST.get("template")
    if wanted is None:
        row = next(iter(fitting_templates(user=held.person, data=data)), None)
    else:
        row = next((one for one in templates_of(user=held.person) if str(one.pk) == wanted), None)
    form = form_by(held=held, row=row, data=data)
    inside = held.inside(form=form, suggested=wanted is None, accounts=queries.accounts_of(portfolio=held.portfolio))
    return render(request, "portfolios/_upload.html", inside)


def form_by(*, held: Chosen, row: ImportTemplate | None, data: bytes) -> UploadForm:
    """Return the form of an upload, filled by a template."""
    columns = columns_in(data=data) if row is not None and row.choices.mapping.columns else None
    return UploadForm(templates=list(templates_of(user=held.person)), filled_by=row, columns=columns)


def columns_in(*, data: bytes) -> Columns | None:
    """Return the columns of a file as far as it is there, nothing where it has none."""
    try:
        return columns_of(data=data)
    except ImportRefusedError:
        return None


def reason(*, error: ImportRefusedError | ProductError) -> str:
    """Return what is wrong in words."""
    if isinstance(error, ImportRefusedError):
        return error.message
    return error.problems[0].message if error.problems else error.detail
