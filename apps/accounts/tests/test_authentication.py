"""Which tokens are accepted: the forged, the spent, the revoked and the foreign are not, from the next request on."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from django.conf import settings as django_settings
from django.test import Client

from apps.accounts.actions import manage_person
from apps.accounts.actions.program_sessions import TokenPair
from apps.accounts.domain.grants import Scope
from apps.accounts.domain.origin import NO_REQUEST
from apps.accounts.gateways.signed_tokens import ACCESS, REFRESH, _backend
from apps.accounts.models import PersonalToken, RefreshFamily, Role, User
from apps.accounts.tests.factories import (
    PASSWORD,
    Api,
    api_of,
    body_of,
    make_owner,
    make_personal_token,
    make_tokens,
    make_totp,
    make_user,
)
from apps.core import clock
from apps.core.testing import assert_queries

pytestmark = pytest.mark.django_db


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def _signed(claims: dict[str, Any], *, key_id: str | None = None, **changes: Any) -> str:
    """Sign with our own key, whatever the claims say."""
    headers = {"kid": key_id or _backend().key_id}
    kept = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    key = str(django_settings.SIMPLE_JWT["SIGNING_KEY"])
    return jwt.encode(kept, key, algorithm="EdDSA", headers=headers)


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _alg_none(pair: TokenPair) -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT', 'kid': _backend().key_id})}.{_part(_claims(pair.access))}."


def _hs_with_public_key(pair: TokenPair) -> str:
    head = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': _backend().key_id})}.{_part(_claims(pair.access))}"
    key = str(django_settings.SIMPLE_JWT["VERIFYING_KEY"]).encode()
    mac = hmac.new(key, head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _hs_with_secret_key(pair: TokenPair) -> str:
    return jwt.encode(_claims(pair.access), django_settings.SECRET_KEY, algorithm="HS256")


def _rs_with_own_key(pair: TokenPair) -> str:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(_claims(pair.access), key, algorithm="RS256", headers={"kid": _backend().key_id})


def _other_key(pair: TokenPair) -> str:
    key = Ed25519PrivateKey.generate()
    return jwt.encode(_claims(pair.access), key, algorithm="EdDSA", headers={"kid": _backend().key_id})


def _tampered(pair: TokenPair) -> str:
    head, _, signature = pair.access.split(".")
    return f"{head}.{_part({**_claims(pair.access), 'sub': str(make_owner().pk)})}.{signature}"


def _shifted(claim: str, **delta: int) -> Callable[[TokenPair], str]:
    """Return a forger that moves one claim away from the moment at which it forges."""

    def forge(pair: TokenPair) -> str:
        return _signed({**_claims(pair.access), claim: int((clock.now() + timedelta(**delta)).timestamp())})

    return forge


FORGERIES: dict[str, Callable[[TokenPair], str]] = {
    "alg none": _alg_none,
    "HMAC with the public key": _hs_with_public_key,
    "HMAC with the secret key": _hs_with_secret_key,
    "RSA": _rs_with_own_key,
    "another key": _other_key,
    "another key id": lambda pair: _signed(_claims(pair.access), key_id="other"),
    "tampered payload": _tampered,
    "another issuer": lambda pair: _signed(_claims(pair.access), iss="somebody"),
    "no issuer": lambda pair: _signed(_claims(pair.access), iss=None),
    "expired": _shifted("exp", seconds=-60),
    "without an end": lambda pair: _signed(_claims(pair.access), exp=None),
    "not yet valid": _shifted("nbf", seconds=60),
    "from the future": _shifted("iat", seconds=60),
    "refresh as access": lambda pair: pair.refresh,
    "without a kind": lambda pair: _signed(_claims(pair.access), typ=None),
    "without a family": lambda pair: _signed(_claims(pair.access), fam=None),
    "a family that does not exist": lambda pair: _signed(_claims(pair.access), fam=str(UUID(int=1))),
    "another person": lambda pair: _signed(_claims(pair.access), sub=str(make_user().pk)),
    "a number as person": lambda pair: _signed(_claims(pair.access), sub="1"),
    "a word": lambda _pair: "token",
    "two dots": lambda _pair: "..",
    "very long": lambda _pair: "a" * 5000,
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_token_is_refused(forge: Callable[[TokenPair], str]) -> None:
    pair = make_tokens(user=make_user())
    assert Api(token=pair.access).get("auth/me").status_code == 200
    response = Api(token=forge(pair)).get("auth/me")
    assert response.status_code == 401
    assert body_of(response)["code"] == "token_refused"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_forger_of_these_tests_can_sign() -> None:
    pair = make_tokens(user=make_user())
    assert Api(token=_signed(_claims(pair.access))).get("auth/me").status_code == 200


def test_a_token_carries_the_id_of_its_key() -> None:
    pair = make_tokens(user=make_user())
    head = jwt.get_unverified_header(pair.access)
    assert (head["alg"], head["kid"]) == ("EdDSA", _backend().key_id)
    assert (_claims(pair.access)["typ"], _claims(pair.refresh)["typ"]) == (ACCESS, REFRESH)


def test_a_ticket_for_the_second_factor_is_no_token() -> None:
    user = make_user()
    make_totp(user=user)
    ticket = body_of(Api().post("auth/login", {"email": user.email, "password": PASSWORD}))["ticket"]
    assert Api(token=ticket).get("auth/me").status_code == 401
    assert Api().post("auth/refresh", {"refresh": ticket}).status_code == 401


def test_an_access_token_does_not_refresh() -> None:
    pair = make_tokens(user=make_user())
    assert Api().post("auth/refresh", {"refresh": pair.access}).status_code == 401
    assert Api().post("auth/refresh", {"refresh": pair.refresh}).status_code == 200


def test_a_spent_refresh_token_ends_its_family() -> None:
    user = make_user()
    pair, other = make_tokens(user=user), make_tokens(user=user)
    following = body_of(Api().post("auth/refresh", {"refresh": pair.refresh}))
    assert Api(token=following["access"]).get("auth/me").status_code == 200
    assert Api().post("auth/refresh", {"refresh": pair.refresh}).status_code == 401
    for token in (pair.access, following["access"]):
        assert Api(token=token).get("auth/me").status_code == 401
    assert Api().post("auth/refresh", {"refresh": following["refresh"]}).status_code == 401
    assert Api(token=other.access).get("auth/me").status_code == 200
    assert RefreshFamily.objects.get(ended_at__isnull=False).end_reason == "reuse"


def test_a_revoked_session_is_refused_on_the_next_request() -> None:
    api = api_of(make_user())
    assert api.get("auth/me").status_code == 200
    assert api.post("auth/logout").status_code == 204
    assert api.get("auth/me").status_code == 401


@pytest.mark.parametrize("kind", ["access", "personal"])
def test_tokens_of_a_person_kept_out_are_refused(kind: str) -> None:
    user = make_user()
    api = api_of(user) if kind == "access" else Api(token=make_personal_token(user=user))
    assert api.get("auth/me").status_code == 200
    manage_person(
        actor=make_owner(), person_id=user.pk, role=None, is_active=False, now=clock.now(), request_meta=NO_REQUEST
    )
    assert api.get("auth/me").status_code == 401


@pytest.mark.parametrize("kind", ["access", "personal"])
def test_tokens_of_a_deleted_person_are_refused(kind: str) -> None:
    user = make_user()
    api = api_of(user) if kind == "access" else Api(token=make_personal_token(user=user))
    assert api.get("auth/me").status_code == 200
    User.objects.filter(pk=user.pk).delete()
    assert api.get("auth/me").status_code == 401


def test_an_inactive_person_is_refused_even_with_an_open_family() -> None:
    user = make_user()
    api = api_of(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert api.get("auth/me").status_code == 401


@pytest.mark.parametrize("change", ["expired", "revoked", "wrong secret", "unknown"])
def test_a_personal_token_that_is_not_good_is_refused(change: str) -> None:
    text = make_personal_token(user=make_user())
    if change == "expired":
        PersonalToken.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    elif change == "revoked":
        PersonalToken.objects.update(revoked_at=clock.now())
    elif change == "wrong secret":
        text = text[:-4] + "abcd"
    else:
        PersonalToken.objects.all().delete()
    assert Api(token=text).get("auth/me").status_code == 401


def test_a_personal_token_is_stored_as_a_hash_only() -> None:
    text = make_personal_token(user=make_user())
    row = PersonalToken.objects.values().get()
    secret = text.removeprefix("cs_pat_").split("_", 1)[1]
    assert secret not in json.dumps(row, default=str)


def test_the_use_of_a_personal_token_is_noted_once_a_minute() -> None:
    api = Api(token=make_personal_token(user=make_user()))
    api.get("auth/me")
    first = PersonalToken.objects.get().last_used_at
    assert first is not None
    api.get("auth/me")
    assert PersonalToken.objects.get().last_used_at == first


def test_an_access_token_costs_one_query() -> None:
    api = api_of(make_user())
    with assert_queries(1):
        assert api.get("auth/me").status_code == 200


def test_a_personal_token_costs_one_query() -> None:
    api = Api(token=make_personal_token(user=make_user()))
    api.get("auth/me")
    with assert_queries(1):
        assert api.get("auth/me").status_code == 200


def test_the_scope_of_a_personal_token_holds_everywhere() -> None:
    user = make_owner()
    reading = Api(token=make_personal_token(user=user))
    writing = Api(token=make_personal_token(user=user, scopes=(Scope.WRITE,)))
    administering = Api(token=make_personal_token(user=user, scopes=(Scope.ADMIN,)))
    assert reading.get("auth/preferences").status_code == 200
    assert reading.put("auth/preferences", {}).status_code == 403
    assert body_of(reading.put("auth/preferences", {}))["code"] == "scope_missing"
    assert writing.put("auth/preferences", {}).status_code == 200
    assert writing.get("people").status_code == 403
    assert administering.get("people").status_code == 200


def test_a_browser_needs_its_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user())
    assert Api(client=client).get("auth/me").status_code == 200
    refused = Api(client=client).put("auth/preferences", {})
    assert refused.status_code == 403


def test_a_family_lives_seven_days_without_use(time_machine: Any) -> None:
    pair = make_tokens(user=make_user())
    start: datetime = clock.now()
    time_machine.move_to(start + timedelta(days=6), tick=False)
    following = body_of(Api().post("auth/refresh", {"refresh": pair.refresh}))
    time_machine.move_to(start + timedelta(days=12), tick=False)
    assert Api().post("auth/refresh", {"refresh": following["refresh"]}).status_code == 200
    time_machine.move_to(start + timedelta(days=20), tick=False)
    assert Api(token=following["access"]).get("auth/me").status_code == 401


def test_an_access_token_lives_thirty_minutes(time_machine: Any) -> None:
    api = api_of(make_user(role=Role.VIEWER))
    start = clock.now()
    time_machine.move_to(start + timedelta(minutes=29), tick=False)
    assert api.get("auth/me").status_code == 200
    time_machine.move_to(start + timedelta(minutes=31), tick=False)
    assert api.get("auth/me").status_code == 401
