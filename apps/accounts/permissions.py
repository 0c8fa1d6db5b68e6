"""Rules that views name: who runs the instance, who signed in themselves, and how lately."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.accounts.actions.callers import session_grant
from apps.accounts.domain.grants import Grant, Scope
from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import DeniedError, UnauthenticatedError

if TYPE_CHECKING:
    from rest_framework.views import APIView  # that module loads permissions through the settings


class ReauthenticationRequiredError(DeniedError):
    """The last proof of who this is lies too far back."""

    code = "reauthentication_required"
    title = "Confirm that it is you"
    default_detail = (
        "This needs a sign-in not older than ten minutes. "
        "POST your password or a code to /api/v1/auth/reauthenticate and try again."
    )


class PersonalTokenRefusedError(DeniedError):
    """Personal tokens never reach sign-in methods, tokens and keys."""

    code = "personal_token_refused"
    title = "A personal token cannot do this"
    default_detail = "Sign in with your password or passkey and try again."


def grant_of(request: Request) -> Grant:
    """Return what the sender of this request may do."""
    if isinstance(request.auth, Grant):
        return request.auth
    return session_grant(request=request)


def person_of(request: Request) -> User:
    """Return who sent the request; nobody without having signed in gets past."""
    if not isinstance(request.user, User):
        raise UnauthenticatedError
    return request.user


class ScopeAllows(BasePermission):
    """What the grant covers: reading for safe methods, writing for others."""

    def has_permission(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002 - the framework's signature
        grant = request.auth
        return grant.allows(request.method or "GET") if isinstance(grant, Grant) else True


class RunsInstance(BasePermission):
    """Owners and admins; a personal token needs the admin scope."""

    def has_permission(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002 - the framework's signature
        return person_of(request).runs_instance and Scope.ADMIN in grant_of(request).scopes


class Interactive(BasePermission):
    """A person who signed in themselves, in a browser or a program; no personal token."""

    def has_permission(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002 - the framework's signature
        person_of(request)
        if grant_of(request).is_personal_token:
            raise PersonalTokenRefusedError
        return True


class RecentSignIn(Interactive):
    """A person who proved who they are within the last ten minutes."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        super().has_permission(request, view)
        if not grant_of(request).is_recent(now=clock.now()):
            raise ReauthenticationRequiredError
        return True
