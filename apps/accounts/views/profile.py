"""One's own pages: profile and its end, preferences, and what the log says of oneself."""

from decimal import Decimal
from typing import Any, Final
from zoneinfo import available_timezones

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts import actions, queries
from apps.accounts.actions.callers import request_meta
from apps.accounts.forms import AccountDeletionForm, PreferencesForm, ProfileForm
from apps.accounts.views.guard import for_people, person_of, proven, tell
from apps.accounts.views.log import shown_log
from apps.core import clock
from apps.core.errors import ProductError

THEME_COOKIE = "coinsphere_theme"
THEME_COOKIE_AGE = 365 * 24 * 3600
_SAMPLES: Final = (Decimal("0.0118"), Decimal("-0.0342"))


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def profile(request: HttpRequest) -> HttpResponse:
    """Show who one is here, and change one's name."""
    person, now = person_of(request), clock.now()
    form = ProfileForm(request.POST or None, initial={"display_name": person.display_name})
    if request.method == "POST" and form.is_valid():
        name, meta = form.cleaned_data["display_name"], request_meta(request=request)
        tell(
            request,
            lambda: actions.update_profile(user=person, display_name=name, now=now, request_meta=meta),
            _("Your name is saved."),
        )
        return redirect("accounts:profile")
    inside = {
        "form": form,
        "now": now,
        "is_verified": queries.email_is_verified(user=person),
        "owns_alone": queries.owns_alone(user=person),
    }
    return render(request, "accounts/profile.html", inside)


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
@proven
def delete_account(request: HttpRequest) -> HttpResponse:
    """Delete one's account and everything of one's own."""
    person = person_of(request)
    form = AccountDeletionForm(request.POST or None, user=person)
    if request.method == "POST" and form.is_valid():
        try:
            actions.delete_account(user=person, now=clock.now(), request_meta=request_meta(request=request))
        except ProductError as error:
            form.add_error(None, error.detail)
            return render(request, "accounts/delete.html", _deletion(form), status=error.status)
        logout(request)
        messages.success(request, _("Your account and everything of yours is deleted."))
        return redirect("account_login")
    return render(request, "accounts/delete.html", _deletion(form))


def _deletion(form: AccountDeletionForm) -> dict[str, Any]:
    return {"form": form, "owns_alone": queries.owns_alone(user=form.user)}


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def preferences(request: HttpRequest) -> HttpResponse:
    """Show and change how the product looks and speaks."""
    person = person_of(request)
    kept = queries.preferences_of(user=person)
    form = PreferencesForm(request.POST or None, instance=kept)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        tell(
            request,
            lambda: actions.save_preferences(user=person, values=values),
            _("Your preferences are saved."),
        )
        response = redirect("accounts:preferences")
        response.set_cookie(
            THEME_COOKIE, values["theme"], max_age=THEME_COOKIE_AGE, secure=request.is_secure(), samesite="Lax"
        )
        return response
    inside = {"form": form, "zones": sorted(available_timezones()), "samples": _SAMPLES}
    return render(request, "accounts/preferences.html", inside)


@require_safe
@for_people
def activity(request: HttpRequest) -> HttpResponse:
    """Show what the log says one did, and what was done to one's account."""
    log = queries.audit_of(user=person_of(request))
    return render(request, "accounts/activity.html", shown_log(request, log))
