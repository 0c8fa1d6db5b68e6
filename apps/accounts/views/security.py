"""The security page: password, second factor, passkeys, sessions and personal tokens of the person who looks."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import actions, queries
from apps.accounts.actions.callers import request_meta, session_grant
from apps.accounts.forms import PersonalTokenForm
from apps.accounts.views.guard import for_people, person_of, proven, tell
from apps.core import clock
from apps.core.errors import ProductError


@require_safe
@for_people
def security(request: HttpRequest) -> HttpResponse:
    """Show every way in, and what holds it open."""
    person, now = person_of(request), clock.now()
    sessions = queries.sessions_of(user=person, now=now, family_id=None, session_key=request.session.session_key or "")
    inside = {
        "now": now,
        "factors": queries.second_factors_of(user=person),
        "sessions": sorted(sessions, key=lambda session: not session.is_current),
        "tokens": queries.personal_tokens_of(user=person),
        "is_recent": session_grant(request=request).is_recent(now=now),
    }
    return render(request, "accounts/security.html", inside)


@require_POST
@for_people
def end_session(request: HttpRequest, session_id: str) -> HttpResponse:
    """End one session, of a browser or of a program."""
    meta = request_meta(request=request)
    tell(
        request,
        lambda: actions.end_session(user=person_of(request), session_id=session_id, now=clock.now(), request_meta=meta),
        _("The session has ended. That device has to sign in again."),
    )
    return redirect("accounts:security")


@require_POST
@for_people
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End every session but this one."""
    meta, key = request_meta(request=request), request.session.session_key or ""
    tell(
        request,
        lambda: actions.end_other_sessions(
            user=person_of(request), session_key=key, now=clock.now(), request_meta=meta
        ),
        _("Every other session has ended."),
    )
    return redirect("accounts:security")


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
@proven
def make_token(request: HttpRequest) -> HttpResponse:
    """Make a personal token; its text stands in this one answer and nowhere else."""
    person, now = person_of(request), clock.now()
    form = PersonalTokenForm(request.POST or None, user=person)
    if request.method == "POST" and form.is_valid():
        try:
            token, text = actions.make_personal_token(
                user=person,
                name=form.cleaned_data["name"],
                scopes=form.scopes,
                expires_at=now + form.lifetime,
                now=now,
                request_meta=request_meta(request=request),
            )
        except ProductError as error:
            form.add_error(None, error.detail)
        else:
            return render(request, "accounts/token_made.html", {"token": token, "text": text, "now": now})
    return render(request, "accounts/token_new.html", {"form": form})


@require_POST
@for_people
def revoke_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Revoke a personal token."""
    meta = request_meta(request=request)
    tell(
        request,
        lambda: actions.revoke_personal_token(
            user=person_of(request), token_id=token_id, now=clock.now(), request_meta=meta
        ),
        _("The token is revoked. Programs that use it are refused from now on."),
    )
    return redirect("accounts:security")
