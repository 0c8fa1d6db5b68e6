"""Keys are given by people who proved lately who they are; what they paste is kept nowhere while they are asked."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.internal.flows import reauthentication
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

View = Callable[..., HttpResponse]


def proven(view: View) -> View:
    """Ask first who it is. A form that was sent too late is not kept for afterwards: there may be a key in it."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:  # noqa: ANN401 - what the address holds
        if request.method == "POST" and reauthentication.is_reauthentication_required(request, app="accounts"):
            messages.info(request, _("Confirm that it is you, then paste the key again. It was not kept."))
            if request.headers.get("HX-Request"):
                return HttpResponseClientRedirect(request.path)
            return redirect(request.path)
        reauthentication.raise_if_reauthentication_required(request, app="accounts")
        return view(request, **kwargs)

    return guarded
