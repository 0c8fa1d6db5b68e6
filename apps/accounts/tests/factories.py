"""Makes people, their tokens and their clients for tests."""

import itertools
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal import auth as totp_auth
from django.http import HttpResponse
from django.test import Client

from apps.accounts.actions import authenticators
from apps.accounts.actions.program_sessions import TokenPair, open_family
from apps.accounts.domain.grants import Scope, scopes_text
from apps.accounts.domain.origin import NO_REQUEST
from apps.accounts.domain.secrets import new_personal_secret
from apps.accounts.models import PersonalToken, Role, User
from apps.core import clock

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


def make_user(
    *,
    email: str | None = None,
    role: Role = Role.MEMBER,
    display_name: str = "",
    is_active: bool = True,
    is_demo: bool = False,
    verified: bool = True,
) -> User:
    """Make a person who can sign in with `PASSWORD`."""
    user = User(
        email=email or f"person{next(_numbers)}@example.com",
        role=role,
        display_name=display_name,
        is_active=is_active,
        is_demo=is_demo,
    )
    user.set_password(PASSWORD)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=verified)
    return user


def make_owner(*, email: str | None = None) -> User:
    """Make a person who owns the instance."""
    return make_user(email=email, role=Role.OWNER)


def make_tokens(*, user: User, now: datetime | None = None) -> TokenPair:
    """Sign a program of this person in."""
    return open_family(user=user, now=now or clock.now(), request_meta=NO_REQUEST)


def make_personal_token(
    *, user: User, scopes: tuple[Scope, ...] = (Scope.READ,), expires_in: timedelta = timedelta(days=1)
) -> str:
    """Make a personal token; return its text."""
    secret, now = new_personal_secret(), clock.now()
    PersonalToken.objects.create(
        user=user,
        name="test",
        scopes=scopes_text(scopes),
        lookup=secret.lookup,
        secret_hash=secret.hash,
        created_at=now,
        expires_at=now + expires_in,
    )
    return secret.text


def make_totp(*, user: User) -> str:
    """Set up an authenticator app with recovery codes; return its secret."""
    secret = authenticators.new_totp_secret()
    authenticators.turn_on_totp(user=user, secret=secret)
    authenticators.ensure_recovery_codes(user=user)
    return secret


def totp_code(secret: str) -> str:
    """Return what the authenticator app shows now."""
    return _totp_codes(secret)[1]


def next_totp_code(secret: str) -> str:
    """Return what the authenticator app shows in half a minute; it is right already."""
    return _totp_codes(secret)[2]


def _totp_codes(secret: str) -> list[str]:
    counters = sorted(totp_auth.yield_hotp_counters_from_time())
    return [str(totp_auth.format_hotp_value(totp_auth.hotp_value(secret, counter))) for counter in counters]


@dataclass
class Api:
    """A program that talks to the API, with a token or without."""

    token: str = ""
    client: Client = field(default_factory=Client)

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> HttpResponse:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: object = None) -> HttpResponse:
        return self.send("PUT", path, body)

    def patch(self, path: str, body: object = None) -> HttpResponse:
        return self.send("PATCH", path, body)

    def delete(self, path: str) -> HttpResponse:
        return self.send("DELETE", path)

    def send(self, method: str, path: str, body: object = None, **headers: str) -> HttpResponse:
        """Send a request; `headers` are WSGI names such as `REMOTE_ADDR`."""
        if self.token:
            headers["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        data = "" if body is None else json.dumps(body)
        environment: dict[str, Any] = dict(headers)
        answer = self.client.generic(method, f"/api/v1/{path}", data, content_type="application/json", **environment)
        return cast("HttpResponse", answer)


def api_of(user: User) -> Api:
    """Return a program that has just signed in as this person."""
    return Api(token=make_tokens(user=user).access)


def body_of(response: HttpResponse) -> dict[str, Any]:
    """Return the JSON object that was answered."""
    value: dict[str, Any] = json.loads(response.content)
    return value
