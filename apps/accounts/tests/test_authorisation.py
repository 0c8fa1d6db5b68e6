"""Every route of the accounts' API for every kind of caller. A route that is not in the table fails the build."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.urls import URLPattern
from rest_framework.views import APIView

from apps.accounts.domain.grants import Scope
from apps.accounts.models import Role
from apps.accounts.tests.factories import Api, api_of, make_personal_token, make_tokens, make_user
from apps.accounts.urls import api_urlpatterns

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]
NOBODY = UUID(int=7)

OPEN, SIGNED_IN, INTERACTIVE, RUNS, RUNS_INTERACTIVE = "open", "signed in", "interactive", "runs", "runs, interactive"

#: Route and method -> who may pass. What an allowed caller then gets depends on the body; never 401 or 403.
EXPECTED: dict[tuple[str, str], str] = {
    ("auth/register", "POST"): OPEN,
    ("auth/login", "POST"): OPEN,
    ("auth/mfa/verify", "POST"): OPEN,
    ("auth/passkey/options", "POST"): OPEN,
    ("auth/passkey/login", "POST"): OPEN,
    ("auth/refresh", "POST"): OPEN,
    ("auth/password/reset", "POST"): OPEN,
    ("auth/password/reset/confirm", "POST"): OPEN,
    ("auth/logout", "POST"): INTERACTIVE,
    ("auth/reauthenticate", "POST"): INTERACTIVE,
    ("auth/password", "POST"): INTERACTIVE,
    ("auth/me", "GET"): SIGNED_IN,
    ("auth/me", "PATCH"): SIGNED_IN,
    ("auth/me", "DELETE"): INTERACTIVE,
    ("auth/preferences", "GET"): SIGNED_IN,
    ("auth/preferences", "PUT"): SIGNED_IN,
    ("auth/mfa", "GET"): INTERACTIVE,
    ("auth/mfa/totp", "POST"): INTERACTIVE,
    ("auth/mfa/totp", "DELETE"): INTERACTIVE,
    ("auth/mfa/totp/confirm", "POST"): INTERACTIVE,
    ("auth/mfa/recovery-codes", "GET"): INTERACTIVE,
    ("auth/mfa/recovery-codes", "POST"): INTERACTIVE,
    ("auth/mfa/passkeys", "GET"): INTERACTIVE,
    ("auth/mfa/passkeys", "POST"): INTERACTIVE,
    ("auth/mfa/passkeys/options", "POST"): INTERACTIVE,
    ("auth/mfa/passkeys/<str:passkey_id>", "DELETE"): INTERACTIVE,
    ("auth/tokens", "GET"): INTERACTIVE,
    ("auth/tokens", "POST"): INTERACTIVE,
    ("auth/tokens/<uuid:token_id>", "DELETE"): INTERACTIVE,
    ("auth/sessions", "GET"): INTERACTIVE,
    ("auth/sessions/<str:session_id>", "DELETE"): INTERACTIVE,
    ("audit", "GET"): SIGNED_IN,
    ("people", "GET"): RUNS,
    ("people/<uuid:person_id>", "GET"): RUNS,
    ("people/<uuid:person_id>", "PATCH"): RUNS_INTERACTIVE,
    ("invites", "GET"): RUNS,
    ("invites", "POST"): RUNS_INTERACTIVE,
    ("invites/<uuid:invite_id>", "DELETE"): RUNS,
}


def _ended() -> Api:
    user = make_user()
    api = api_of(user)
    user.refresh_families.update(ended_at=user.created_at)
    return api


#: Caller -> the program, and which kinds of route it passes.
CALLERS: dict[str, tuple[Callable[[], Api], set[str]]] = {
    "anonymous": (Api, {OPEN}),
    "ended session": (_ended, {OPEN}),
    "kept out": (lambda: Api(token=make_tokens(user=make_user(is_active=False)).access), {OPEN}),
    "viewer": (lambda: api_of(make_user(role=Role.VIEWER)), {OPEN, SIGNED_IN, INTERACTIVE}),
    "member": (lambda: api_of(make_user()), {OPEN, SIGNED_IN, INTERACTIVE}),
    "admin": (lambda: api_of(make_user(role=Role.ADMIN)), {OPEN, SIGNED_IN, INTERACTIVE, RUNS, RUNS_INTERACTIVE}),
    "owner": (lambda: api_of(make_user(role=Role.OWNER)), {OPEN, SIGNED_IN, INTERACTIVE, RUNS, RUNS_INTERACTIVE}),
    "member's token, all scopes": (
        lambda: Api(token=make_personal_token(user=make_user(), scopes=tuple(Scope))),
        {OPEN, SIGNED_IN},
    ),
    "owner's token, write": (
        lambda: Api(token=make_personal_token(user=make_user(role=Role.OWNER), scopes=(Scope.WRITE,))),
        {OPEN, SIGNED_IN},
    ),
    "owner's token, admin": (
        lambda: Api(token=make_personal_token(user=make_user(role=Role.OWNER), scopes=(Scope.ADMIN,))),
        {OPEN, SIGNED_IN, RUNS},
    ),
}


def _routes() -> set[tuple[str, str]]:
    found = set()
    for pattern in api_urlpatterns:
        assert isinstance(pattern, URLPattern)
        view: type[APIView] = pattern.callback.cls  # type: ignore[attr-defined]
        methods = {"GET", "POST", "PUT", "PATCH", "DELETE"}
        found |= {(str(pattern.pattern), method) for method in methods if hasattr(view, method.lower())}
    return found


def test_every_route_is_in_the_table() -> None:
    assert _routes() == set(EXPECTED)


@pytest.mark.parametrize("caller", CALLERS)
def test_the_table_holds(caller: str) -> None:
    make, passes = CALLERS[caller]
    wrong = []
    for (route, method), kind in EXPECTED.items():
        path = route
        for name in ("token_id", "person_id", "invite_id"):
            path = path.replace(f"<uuid:{name}>", str(NOBODY))
        path = path.replace("<str:passkey_id>", "7").replace("<str:session_id>", str(NOBODY))
        status = make().send(method, path, {}).status_code
        refused = status in {401, 403}
        if refused is (kind in passes):
            wrong.append((route, method, kind, status))
    assert not wrong


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_method_that_is_not_offered_is_said_to_be(method: str) -> None:
    assert Api().send(method, "auth/login", {}).status_code == 405
