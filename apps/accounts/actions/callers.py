"""Who calls: what the product wants to know of a request, and what a browser's session proves."""

from __future__ import annotations

from datetime import UTC, datetime

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.accounts.domain.grants import Grant
from apps.accounts.domain.origin import RequestMeta
from apps.accounts.models import User
from apps.core.api.throttles import client_address
from apps.core.errors import DeniedError, ProductError, TooManyError, UnauthenticatedError
from apps.core.logs import current_request_id

DEVICE_COOKIE = "coinsphere_device"
RETRY_AFTER_MARK = "coinsphere.retry_after"
_LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "[::1]"}
_LOOPBACK_ADDRESSES = {"127.0.0.1", "::1"}


class PlainHttpRefusedError(DeniedError):
    """A password would travel readable through a network."""

    code = "plain_http_refused"
    title = "Sign-in needs https"
    default_detail = (
        "Passwords are not accepted over plain http from another machine. "
        "Set PUBLIC_URL to an https address, or set ALLOW_PLAIN_HTTP=1 if your network is trusted."
    )


def request_meta(*, request: HttpRequest, device_token: str = "") -> RequestMeta:
    """Return what the log and the list of sessions want to know of a request."""
    return RequestMeta(
        network_address=client_address(request),
        device=request.META.get("HTTP_USER_AGENT", "")[:200].replace("\x00", ""),
        request_id=current_request_id(),
        device_token=device_token or request.COOKIES.get(DEVICE_COOKIE, ""),
    )


def signed_in_person(*, request: HttpRequest) -> User:
    """Return who sent the request; nobody without having signed in gets past."""
    if not isinstance(request.user, User):
        raise UnauthenticatedError
    return request.user


def refuse_plain_http(*, request: HttpRequest) -> None:
    """Raise where a password would travel readable through a network."""
    if settings.ALLOW_PLAIN_HTTP or request.is_secure():
        return
    host = request.get_host().rsplit(":", 1)[0] if not request.get_host().endswith("]") else request.get_host()
    is_direct = "HTTP_X_FORWARDED_FOR" not in request.META
    if host in _LOOPBACK_HOSTS or (is_direct and request.META.get("REMOTE_ADDR") in _LOOPBACK_ADDRESSES):
        return
    raise PlainHttpRefusedError


def session_grant(*, request: HttpRequest) -> Grant:
    """Return what a browser's session may do, and when its person last proved who they are."""
    records = get_authentication_records(request, request.user)
    latest = max((record["at"] for record in records), default=None)
    return Grant(authenticated_at=None if latest is None else datetime.fromtimestamp(latest, tz=UTC))


def renew_session_proof(*, request: HttpRequest) -> None:
    """Note in a browser's session that its person has just proved again who they are."""
    record_authentication(request, request.user, method="password", reauthenticated=True)


def keep_session(*, request: HttpRequest, user: User) -> None:
    """Keep a browser signed in after its person changed the password."""
    update_session_auth_hash(request, user)


def form_error(*, request: HttpRequest, error: ProductError) -> ValidationError:
    """Return the error as a form shows it; the answer's status is set by the middleware."""
    if isinstance(error, TooManyError):
        request.META[RETRY_AFTER_MARK] = error.retry_after or 60
    return ValidationError(error.detail, code=error.code)
