"""Who may open a page: people who are signed in, those who run the instance, those who proved lately who they are."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.internal.flows import reauthentication
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from apps.accounts.models import User
from apps.core.errors import NotFoundError, ProductError, UnauthenticatedError

View = Callable[..., HttpResponse]


def for_people(view: View) -> View:
    """Let in whoever is signed in; what they see is kept in no cache."""
    guarded: View = login_required(never_cache(view))
    return guarded


def for_those_who_run_it(view: View) -> View:
    """Let owner and admin in; to everybody else the page does not exist."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:  # noqa: ANN401 - what the address holds
        if not person_of(request).runs_instance:
            raise Http404
        return view(request, **kwargs)

    return for_people(guarded)


def proven(view: View) -> View:
    """Ask first who it is when the last proof lies over ten minutes back; the request goes on afterwards."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:  # noqa: ANN401 - what the address holds
        reauthentication.raise_if_reauthentication_required(request, app="accounts")
        return view(request, **kwargs)

    return guarded


def person_of(request: HttpRequest) -> User:
    """Return who is signed in."""
    if not isinstance(request.user, User):
        raise UnauthenticatedError
    return request.user


def tell(request: HttpRequest, act: Callable[[], object], said: str) -> bool:
    """Do one thing and say how it went in a message; what is not there is not found."""
    try:
        act()
    except NotFoundError as error:
        raise Http404 from error
    except ProductError as error:
        messages.error(request, error.detail)
        return False
    messages.success(request, said)
    return True
