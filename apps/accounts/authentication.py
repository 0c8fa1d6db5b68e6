"""Who sent an API request: a program with a JWT or a personal token, or a browser with its session."""

from typing import ClassVar

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from apps.accounts.actions.personal_tokens import note_use
from apps.accounts.domain.grants import Grant
from apps.accounts.domain.secrets import PERSONAL_TOKEN_PREFIX, parse_personal_secret
from apps.accounts.gateways import signed_tokens
from apps.accounts.models import User
from apps.accounts.queries import person_of_family, person_of_personal_token
from apps.core import clock
from apps.core.errors import DeniedError, UnauthenticatedError


class TokenRefusedError(UnauthenticatedError):
    """The token in the Authorization header is not accepted."""

    code = "token_refused"
    title = "This token is not accepted"
    default_detail = "It is expired, revoked or not one of ours. Sign in again, or make a new token."


class ScopeMissingError(DeniedError):
    """The personal token has no scope for this."""

    code = "scope_missing"
    title = "This token may not do this"
    default_detail = "Make a personal token with the scope that this needs: write to change, admin to administer."


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer` with an access token or a personal token; asked once per request, never cached."""

    realm: ClassVar[str] = "coinsphere"

    def authenticate(self, request: Request) -> tuple[User, Grant] | None:
        """Return who it is and what they may do; nobody when there is no such header."""
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token.strip()
        if token.startswith(PERSONAL_TOKEN_PREFIX):
            return _by_personal_token(token, method=_what_it_does(request))
        return _by_access_token(token)

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the framework's signature
        return f'Bearer realm="{self.realm}"'


class BrowserAuthentication(SessionAuthentication):
    """A browser's session, with its CSRF token on everything that changes something."""


def _what_it_does(request: Request) -> str:
    """Return the method that the scope must cover; a view may say that its POST only reads."""
    view = (request.parser_context or {}).get("view")
    return "GET" if getattr(view, "reads_by_post", False) else request.method or "GET"


def _by_access_token(token: str) -> tuple[User, Grant]:
    now = clock.now()
    try:
        claims = signed_tokens.read(token, kind=signed_tokens.ACCESS, now=now)
    except signed_tokens.TokenRefusedError as error:
        raise TokenRefusedError from error
    found = person_of_family(family_id=claims.family_id, user_id=claims.user_id, now=now)
    if found is None:
        raise TokenRefusedError
    return found


def _by_personal_token(token: str, *, method: str) -> tuple[User, Grant]:
    secret = parse_personal_secret(token)
    now = clock.now()
    found = person_of_personal_token(secret=secret, now=now) if secret else None
    if found is None:
        raise TokenRefusedError
    user, grant, is_worth_noting = found
    if not grant.allows(method):
        raise ScopeMissingError
    if is_worth_noting and grant.personal_token_id:
        note_use(token_id=grant.personal_token_id, now=now)
    return user, grant
