"""Authenticator app, recovery codes and passkeys, through the API."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator

from apps.accounts.models import AuditEntry, Ceremony, Letter, User
from apps.accounts.queries import unused_recovery_codes
from apps.accounts.tests.authenticator import SoftPasskey
from apps.accounts.tests.factories import (
    PASSWORD,
    Api,
    api_of,
    body_of,
    make_totp,
    make_user,
    next_totp_code,
    totp_code,
)
from apps.core import clock
from apps.core.testing import SentTask

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]


def _ticket(user: User) -> dict[str, Any]:
    return body_of(Api().post("auth/login", {"email": user.email, "password": PASSWORD}))


def _with_passkey(user: User) -> SoftPasskey:
    api, passkey = api_of(user), SoftPasskey()
    offer = body_of(api.post("auth/mfa/passkeys/options"))
    values = {"ticket": offer["ticket"], "credential": passkey.create(offer["options"]), "name": "Laptop"}
    added = api.post("auth/mfa/passkeys", values)
    assert added.status_code == 201, added.content
    assert len(body_of(added)["recovery_codes"]) == 10
    return passkey


def test_an_authenticator_app_is_turned_on_used_and_removed(sent_tasks: list[SentTask]) -> None:
    user = make_user()
    api = api_of(user)
    offer = body_of(api.post("auth/mfa/totp"))
    assert offer["uri"].startswith("otpauth://totp/")
    assert offer["secret"] not in Ceremony.objects.get().state
    wrong = api.post("auth/mfa/totp/confirm", {"ticket": offer["ticket"], "code": "000000"})
    assert (wrong.status_code, body_of(wrong)["code"]) == (422, "set_up_refused")
    right = api.post("auth/mfa/totp/confirm", {"ticket": offer["ticket"], "code": totp_code(offer["secret"])})
    codes = body_of(right)["recovery_codes"]
    assert len(codes) == len(set(codes)) == 10
    assert body_of(api.get("auth/mfa")) == {"totp": True, "recovery_codes_left": 10, "passkeys": []}
    assert _ticket(user)["mfa_required"] is True
    assert api.delete("auth/mfa/totp").status_code == 204
    assert body_of(api.get("auth/mfa"))["recovery_codes_left"] == 0
    assert "access" in _ticket(user)
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {
        "second_factor.totp_turned_on",
        "second_factor.totp_turned_off",
    }
    assert set(Letter.objects.values_list("notice", flat=True)) == {"totp_turned_on", "totp_turned_off"}


def test_secrets_of_authenticators_are_sealed() -> None:
    secret = make_totp(user=make_user())
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored


@pytest.mark.parametrize("kind", [Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES])
def test_a_secret_that_was_put_into_another_persons_row_opens_nothing(kind: str) -> None:
    victim, thief = make_user(), make_user()
    make_totp(user=victim)
    secret = make_totp(user=thief)
    codes = unused_recovery_codes(user=thief)
    theirs = Authenticator.objects.get(user=thief, type=kind)
    Authenticator.objects.filter(user=victim, type=kind).update(data=theirs.data)
    ticket = _ticket(victim)["ticket"]
    code = totp_code(secret) if kind == Authenticator.Type.TOTP else codes[0]
    answer = Api().post("auth/mfa/verify", {"ticket": ticket, "code": code})
    assert (answer.status_code, body_of(answer)["code"]) == (503, "vault_locked")
    theirs.delete()  # a row that was moved rather than copied
    assert Api().post("auth/mfa/verify", {"ticket": ticket, "code": code}).status_code == 503


def test_the_code_of_the_set_up_does_not_sign_in() -> None:
    user = make_user()
    api = api_of(user)
    offer = body_of(api.post("auth/mfa/totp"))
    code = totp_code(offer["secret"])
    assert api.post("auth/mfa/totp/confirm", {"ticket": offer["ticket"], "code": code}).status_code == 200
    ticket = _ticket(user)["ticket"]
    assert Api().post("auth/mfa/verify", {"ticket": ticket, "code": code}).status_code == 401
    values = {"ticket": ticket, "code": next_totp_code(offer["secret"])}
    assert Api().post("auth/mfa/verify", values).status_code == 200


def test_another_person_cannot_confirm() -> None:
    offer = body_of(api_of(make_user()).post("auth/mfa/totp"))
    values = {"ticket": offer["ticket"], "code": totp_code(offer["secret"])}
    assert api_of(make_user()).post("auth/mfa/totp/confirm", values).status_code == 422


def test_a_recovery_code_works_once() -> None:
    user = make_user()
    make_totp(user=user)
    code = body_of(api_of(user).get("auth/mfa/recovery-codes"))["recovery_codes"][0]
    assert Api().post("auth/mfa/verify", {"ticket": _ticket(user)["ticket"], "code": code}).status_code == 200
    assert Api().post("auth/mfa/verify", {"ticket": _ticket(user)["ticket"], "code": code}).status_code == 401


def test_new_recovery_codes_replace_the_old_ones() -> None:
    user = make_user()
    api = api_of(user)
    assert body_of(api.post("auth/mfa/recovery-codes"))["code"] == "no_second_factor"
    make_totp(user=user)
    old = set(body_of(api.get("auth/mfa/recovery-codes"))["recovery_codes"])
    new = set(body_of(api.post("auth/mfa/recovery-codes"))["recovery_codes"])
    assert len(new) == 10
    assert not old & new


def test_a_passkey_signs_in_alone() -> None:
    user = make_user()
    passkey = _with_passkey(user)
    offer = body_of(Api().post("auth/passkey/options"))
    values = {"ticket": offer["ticket"], "credential": passkey.get(offer["options"])}
    answer = Api().post("auth/passkey/login", values)
    assert answer.status_code == 200, answer.content
    assert body_of(answer)["user"]["id"] == str(user.pk)
    assert Api().post("auth/passkey/login", values).status_code == 401


def test_a_passkey_is_a_second_factor() -> None:
    user = make_user()
    passkey = _with_passkey(user)
    asked = _ticket(user)
    assert asked["methods"] == ["passkey", "recovery_code"]
    answer = Api().post(
        "auth/mfa/verify", {"ticket": asked["ticket"], "credential": passkey.get(asked["passkey_options"])}
    )
    assert answer.status_code == 200, answer.content


def test_a_passkey_of_somebody_else_is_refused() -> None:
    user, other = make_user(), make_user()
    passkey, foreign = _with_passkey(user), _with_passkey(other)
    foreign.user_handle = passkey.user_handle
    offer = body_of(Api().post("auth/passkey/options"))
    values = {"ticket": offer["ticket"], "credential": foreign.get(offer["options"])}
    assert Api().post("auth/passkey/login", values).status_code == 401


@pytest.mark.parametrize("origin", ["http://evil.example", "https://localhost.evil.example"])
def test_a_passkey_used_at_another_place_is_refused(origin: str) -> None:
    passkey = _with_passkey(make_user())
    passkey.origin = origin
    offer = body_of(Api().post("auth/passkey/options"))
    values = {"ticket": offer["ticket"], "credential": passkey.get(offer["options"])}
    assert Api().post("auth/passkey/login", values).status_code == 401


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"id": 1},
        {"response": None},
        {"response": []},
        {"response": {"userHandle": None}},
        {"response": {"userHandle": "!!"}},
        {"response": {"userHandle": "MQ", "clientDataJSON": "x"}},
        {"id": "a", "rawId": "a", "type": "public-key", "response": {"userHandle": "MQ"}},
    ],
)
def test_nonsense_in_place_of_a_passkey_is_refused(credential: dict[str, object]) -> None:
    user = make_user()
    api = api_of(user)
    _with_passkey(user)
    signing = body_of(Api().post("auth/passkey/options"))["ticket"]
    adding = body_of(api.post("auth/mfa/passkeys/options"))["ticket"]
    verifying = _ticket(user)["ticket"]
    answers = [
        Api().post("auth/passkey/login", {"ticket": signing, "credential": credential}).status_code,
        api.post("auth/mfa/passkeys", {"ticket": adding, "credential": credential}).status_code,
        Api().post("auth/mfa/verify", {"ticket": verifying, "credential": credential}).status_code,
    ]
    assert answers == [401, 422, 401]


def test_passkeys_are_listed_and_removed_by_their_owner_only() -> None:
    user = make_user()
    _with_passkey(user)
    api = api_of(user)
    (shown,) = body_of(api.get("auth/mfa/passkeys"))["results"]
    assert shown["name"] == "Laptop"
    assert api_of(make_user()).delete(f"auth/mfa/passkeys/{shown['id']}").status_code == 404
    assert api.delete("auth/mfa/passkeys/none").status_code == 404
    assert api.delete(f"auth/mfa/passkeys/{shown['id']}").status_code == 204
    assert body_of(api.get("auth/mfa"))["recovery_codes_left"] == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "auth/mfa/totp"),
        ("DELETE", "auth/mfa/totp"),
        ("POST", "auth/mfa/totp/confirm"),
        ("GET", "auth/mfa/recovery-codes"),
        ("POST", "auth/mfa/recovery-codes"),
        ("POST", "auth/mfa/passkeys"),
        ("POST", "auth/mfa/passkeys/options"),
        ("DELETE", "auth/mfa/passkeys/1"),
        ("POST", "auth/tokens"),
        ("DELETE", "auth/me"),
    ],
)
def test_ways_in_are_changed_only_after_a_fresh_proof(method: str, path: str, time_machine: Any) -> None:
    user = make_user()
    api = api_of(user)
    start = clock.now()
    time_machine.move_to(start + timedelta(minutes=11), tick=False)
    refused = api.send(method, path, {})
    assert (refused.status_code, body_of(refused)["code"]) == (403, "reauthentication_required")
    assert api.post("auth/reauthenticate", {"password": "wrong"}).status_code == 422
    assert api.send(method, path, {}).status_code == 403
    assert api.post("auth/reauthenticate", {"password": PASSWORD}).status_code == 204
    assert api.send(method, path, {}).status_code != 403


def test_a_browser_proves_itself_again() -> None:
    api = Api()
    api.client.force_login(make_user())
    assert body_of(api.post("auth/mfa/totp"))["code"] == "reauthentication_required"
    assert api.post("auth/reauthenticate", {"password": PASSWORD}).status_code == 204
    assert api.post("auth/mfa/totp").status_code == 200
