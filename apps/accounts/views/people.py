"""For owner and admin: people, their roles, invites, and the whole audit log."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import actions, queries
from apps.accounts.actions.callers import request_meta
from apps.accounts.forms import InviteForm, PersonForm
from apps.accounts.models import Role
from apps.accounts.serializers import invite_link
from apps.accounts.views.guard import for_those_who_run_it, person_of, proven, tell
from apps.accounts.views.log import shown_log
from apps.core import clock
from apps.core.errors import ProductError


@require_safe
@for_those_who_run_it
def people(request: HttpRequest) -> HttpResponse:
    """List everybody, and the invites that are open."""
    return render(request, "accounts/people.html", _inside(request, InviteForm(user=person_of(request))))


def _inside(request: HttpRequest, form: InviteForm) -> dict[str, object]:
    now = clock.now()
    return {
        "people": queries.people(),
        "invites": queries.open_invites(now=now),
        "registration": str(queries.registration_state()),
        "roles": Role.choices if person_of(request).role == Role.OWNER else _LOWER_ROLES,
        "form": form,
        "now": now,
    }


_LOWER_ROLES = [(role.value, role.label) for role in (Role.MEMBER, Role.VIEWER)]


@require_POST
@for_those_who_run_it
@proven
def change_person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Change a person's role, keep them out or let them in again."""
    form = PersonForm(request.POST)
    if form.is_valid():
        meta = request_meta(request=request)
        tell(
            request,
            lambda: actions.manage_person(
                actor=person_of(request),
                person_id=person_id,
                role=form.new_role,
                is_active=form.new_state,
                now=clock.now(),
                request_meta=meta,
            ),
            _("The change is saved."),
        )
    return redirect("accounts:people")


@require_POST
@for_those_who_run_it
@proven
def invite(request: HttpRequest) -> HttpResponse:
    """Make an invite; its link stands in this one answer and nowhere else."""
    person, now = person_of(request), clock.now()
    form = InviteForm(request.POST, user=person)
    if form.is_valid():
        role, note = Role(form.cleaned_data["role"]), form.cleaned_data["note"]
        try:
            made, token = actions.make_invite(
                actor=person, role=role, note=note, now=now, request_meta=request_meta(request=request)
            )
        except ProductError as error:
            form.add_error(None, error.detail)
        else:
            inside = {"invite": made, "link": invite_link(token), "now": now}
            return render(request, "accounts/invite_made.html", inside)
    return render(request, "accounts/people.html", _inside(request, form))


@require_POST
@for_those_who_run_it
def revoke_invite(request: HttpRequest, invite_id: UUID) -> HttpResponse:
    """Take back an invite that nobody has used."""
    meta = request_meta(request=request)
    tell(
        request,
        lambda: actions.revoke_invite(
            actor=person_of(request), invite_id=invite_id, now=clock.now(), request_meta=meta
        ),
        _("The invite is taken back. Its link no longer works."),
    )
    return redirect("accounts:people")


@require_safe
@for_those_who_run_it
def audit_log(request: HttpRequest) -> HttpResponse:
    """Show what everybody did."""
    return render(request, "accounts/audit_log.html", shown_log(request, queries.audit_of_all()))
