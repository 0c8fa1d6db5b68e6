"""The ways in that are not allauth's own pages."""

from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse


def admin_login(request: HttpRequest) -> HttpResponse:
    """Send whoever wants into Django's admin through the one door, second factor included."""
    if request.user.is_authenticated:
        raise PermissionDenied
    wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
    return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({REDIRECT_FIELD_NAME: wanted})}")


def to_security(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - every view takes a request
    """Send on from allauth's lists of second factors and sessions: the security page shows them all."""
    return redirect("accounts:security")
