"""The door: what a stranger learns (nothing), how often they may try, and who is never kept out."""

import json
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.http import HttpResponse
from prometheus_client import REGISTRY
from pytest_django import Settings

from apps.accounts.gateways import hashing
from apps.accounts.models import AuditEntry, FailedAttempt, Letter, Role, User
from apps.accounts.tests.factories import (
    PASSWORD,
    Api,
    body_of,
    make_owner,
    make_totp,
    make_user,
    totp_code,
)
from apps.core import cache
from apps.core.testing import SentTask

pytestmark = pytest.mark.django_db
STRANGER = "203.0.113.9"


def _login(email: str, password: str = PASSWORD, *, address: str = STRANGER, device: str = "") -> HttpResponse:
    return Api().post("auth/login", {"email": email, "password": password, "device": device}, REMOTE_ADDR=address)


def _told(response: HttpResponse) -> tuple[int, dict[str, Any]]:
    return response.status_code, {**body_of(response), "request_id": ""}


@pytest.fixture(autouse=True)
def _plain_http_is_trusted(settings: Settings) -> None:
    settings.ALLOW_PLAIN_HTTP = True


# --- Telling nothing ------------------------------------------------------------------------------------------------
def test_a_failed_sign_in_tells_nothing() -> None:
    known, inactive = make_user(), make_user(is_active=False)
    told = [
        _told(_login(known.email, "wrong password")),
        _told(_login("nobody@example.com", "wrong password")),
        _told(_login(inactive.email, PASSWORD)),
        _told(_login(inactive.email, "wrong password")),
    ]
    assert told[0][0] == 401
    assert all(one == told[0] for one in told)


@pytest.mark.parametrize("email", ["known@example.com", "nobody@example.com", "inactive@example.com"])
def test_every_failed_sign_in_hashes_once(email: str, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["apps.accounts.gateways.hashing.CappedArgon2PasswordHasher"]
    make_user(email="known@example.com")
    make_user(email="inactive@example.com", is_active=False)
    before = hashing.hashings._value.get()
    assert _login(email, "wrong password").status_code == 401
    assert hashing.hashings._value.get() - before == 1


def test_asking_for_a_password_tells_nothing(sent_tasks: list[SentTask]) -> None:
    known = make_user()
    told = [
        (answer.status_code, answer.content)
        for answer in (
            Api().post("auth/password/reset", {"email": known.email}),
            Api().post("auth/password/reset", {"email": "nobody@example.com"}),
        )
    ]
    assert told == [(202, b"")] * 2
    assert list(Letter.objects.values_list("about", flat=True)) == ["password_reset"] * 2


def test_a_wrong_second_factor_and_a_wrong_ticket_tell_the_same() -> None:
    user = make_user()
    make_totp(user=user)
    ticket = body_of(_login(user.email))["ticket"]
    told = [
        _told(Api().post("auth/mfa/verify", {"ticket": ticket, "code": "000000"})),
        _told(Api().post("auth/mfa/verify", {"ticket": "no such ticket", "code": "000000"})),
    ]
    assert told[0] == told[1]
    assert told[0][0] == 401


# --- Lock-out -------------------------------------------------------------------------------------------------------
def test_ten_wrong_tries_then_wait() -> None:
    user = make_user()
    for number in range(10):
        assert _login(user.email, "wrong password", address=f"203.0.113.{number}").status_code == 401
    refused = _login(user.email, address="198.51.100.1")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert body_of(refused)["code"] == "too_many_tries"


def test_ten_wrong_tries_from_one_address_then_wait() -> None:
    for number in range(10):
        assert _login(f"person{number}@nowhere.example", "wrong password").status_code == 401
    assert _login(make_user().email).status_code == 429
    assert _login(make_user().email, address="198.51.100.1").status_code == 200


def test_an_unknown_account_is_locked_like_a_known_one() -> None:
    for number in range(10):
        _login("nobody@example.com", "wrong password", address=f"203.0.113.{number}")
    assert _login("nobody@example.com", address="198.51.100.1").status_code == 429


def test_a_refused_try_is_not_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user()
    for number in range(10):
        _login(user.email, "wrong password", address=f"203.0.113.{number}")
    monkeypatch.setattr(User, "check_password", _must_not_hash)
    assert _login(user.email, address="198.51.100.1").status_code == 429


def _must_not_hash(*_args: object) -> bool:
    raise AssertionError("hashed after the budget was used up")


def test_a_stranger_cannot_keep_the_owner_out() -> None:
    user = make_user()
    device = body_of(_login(user.email, address="192.0.2.1"))["device"]
    for number in range(12):
        _login(user.email, "wrong password", address=f"203.0.113.{number}")
    assert _login(user.email, address="192.0.2.1").status_code == 429
    assert _login(user.email, address="192.0.2.1", device=device).status_code == 200


def test_a_known_device_has_ten_wrong_tries_too() -> None:
    user = make_user()
    device = body_of(_login(user.email))["device"]
    for _ in range(10):
        assert _login(user.email, "wrong password", device=device).status_code == 401
    assert _login(user.email, device=device).status_code == 429


def test_right_tries_cost_nothing() -> None:
    user = make_user()
    for _ in range(12):
        assert _login(user.email).status_code == 200
    assert not FailedAttempt.objects.exists()


def test_the_budget_comes_back_after_fifteen_minutes(time_machine: Any) -> None:
    user = make_user()
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)
    for number in range(10):
        _login(user.email, "wrong password", address=f"203.0.113.{number}")
    time_machine.move_to("2026-11-21T12:14:59Z", tick=False)
    assert _login(user.email, address="198.51.100.1").status_code == 429
    time_machine.move_to("2026-11-21T12:15:01Z", tick=False)
    assert _login(user.email, address="198.51.100.1").status_code == 200


def test_ten_wrong_codes_then_wait() -> None:
    user = make_user()
    secret = make_totp(user=user)
    ticket = body_of(_login(user.email))["ticket"]
    for _ in range(10):
        assert Api().post("auth/mfa/verify", {"ticket": ticket, "code": "000000"}).status_code == 401
    assert Api().post("auth/mfa/verify", {"ticket": ticket, "code": totp_code(secret)}).status_code == 429


def test_without_redis_people_sign_in_and_tries_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache.health, "resting", lambda: True)
    cache.health.failed()
    user = make_user()
    assert _login(user.email).status_code == 200
    for number in range(10):
        _login(user.email, "wrong password", address=f"203.0.113.{number}")
    assert _login(user.email, address="198.51.100.1").status_code == 429


def test_failures_are_counted_and_written_down() -> None:
    user = make_user()
    before = REGISTRY.get_sample_value("coinsphere_sign_in_failures_total", {"step": "password"}) or 0
    _login(user.email, "wrong password")
    after = REGISTRY.get_sample_value("coinsphere_sign_in_failures_total", {"step": "password"})
    assert after == before + 1
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.subject, entry.network_address) == ("sign_in.failed", None, user, STRANGER)


# --- Second factor --------------------------------------------------------------------------------------------------
def test_a_second_factor_is_asked_for_and_spent() -> None:
    user = make_user()
    secret = make_totp(user=user)
    asked = body_of(_login(user.email))
    assert asked["mfa_required"] is True
    assert "access" not in asked
    assert asked["methods"] == ["recovery_code", "totp"]
    answer = Api().post("auth/mfa/verify", {"ticket": asked["ticket"], "code": totp_code(secret)})
    assert Api(token=body_of(answer)["access"]).get("auth/me").status_code == 200
    again = Api().post("auth/mfa/verify", {"ticket": asked["ticket"], "code": totp_code(secret)})
    assert again.status_code == 401
    replayed = body_of(_login(user.email))["ticket"]
    assert Api().post("auth/mfa/verify", {"ticket": replayed, "code": totp_code(secret)}).status_code == 401


def test_a_ticket_lives_five_minutes(time_machine: Any) -> None:
    user = make_user()
    secret = make_totp(user=user)
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)
    ticket = body_of(_login(user.email))["ticket"]
    time_machine.move_to("2026-11-21T12:05:01Z", tick=False)
    assert Api().post("auth/mfa/verify", {"ticket": ticket, "code": totp_code(secret)}).status_code == 401


# --- Registering ----------------------------------------------------------------------------------------------------
def test_the_first_person_owns_the_instance_and_the_next_does_not(sent_tasks: list[SentTask]) -> None:
    first = Api().post("auth/register", {"email": "Ann@Example.com", "password": "correct horse battery"})
    second = Api().post("auth/register", {"email": "bob@example.com", "password": "correct horse battery"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert (body_of(first)["role"], body_of(second)["role"]) == ("owner", "member")
    assert body_of(first)["email"] == "ann@example.com"
    assert not EmailAddress.objects.filter(verified=True).exists()
    assert _login("ANN@example.com", "correct horse battery").status_code == 200


def test_nobody_gives_themselves_a_role() -> None:
    make_owner()
    values = {"email": "eve@example.com", "password": "correct horse battery", "role": "owner", "is_demo": True}
    assert body_of(Api().post("auth/register", values))["role"] == "member"


def test_an_address_is_registered_once() -> None:
    user = make_user()
    taken = Api().post("auth/register", {"email": user.email.upper(), "password": "correct horse battery"})
    assert taken.status_code == 409
    assert body_of(taken)["code"] == "email_taken"


@pytest.mark.parametrize("password", ["short", "password123", "ann@example.com"])
def test_a_password_that_is_easy_to_guess_is_refused(password: str) -> None:
    refused = Api().post("auth/register", {"email": "ann@example.com", "password": password})
    assert refused.status_code == 422
    assert body_of(refused)["errors"][0]["field"] == "password"
    assert not User.objects.exists()


def test_registration_is_throttled() -> None:
    make_owner()
    for number in range(10):
        answer = Api().post("auth/register", {"email": f"p{number}@example.com", "password": "short"})
        assert answer.status_code == 422
    values = {"email": "late@example.com", "password": "correct horse battery"}
    assert Api().post("auth/register", values, HTTP_IDEMPOTENCY_KEY="k1").status_code == 429


@pytest.mark.parametrize(
    ("setting", "loopback", "has_owner", "status"),
    [
        ("", True, True, 201),
        ("", False, True, 403),
        ("", False, False, 201),
        ("open", False, True, 201),
        ("closed", True, True, 403),
        ("closed", True, False, 403),
        ("invite", True, True, 403),
        ("invite", True, False, 201),
    ],
)
def test_who_may_register(setting: str, loopback: bool, has_owner: bool, status: int, settings: Settings) -> None:
    settings.REGISTRATION, settings.LISTENS_ON_LOOPBACK = setting, loopback
    if has_owner:
        make_owner()
    answer = Api().post("auth/register", {"email": "new@example.com", "password": "correct horse battery"})
    assert answer.status_code == status


def test_an_invite_lets_one_person_in_with_its_role(settings: Settings) -> None:
    settings.REGISTRATION = "closed"
    token = body_of(_api_of_owner().post("invites", {"role": "viewer", "note": "Bob"}))["token"]
    values = {"password": "correct horse battery", "invite": token}
    first = Api().post("auth/register", {**values, "email": "bob@example.com"})
    assert (first.status_code, body_of(first)["role"]) == (201, "viewer")
    second = Api().post("auth/register", {**values, "email": "eve@example.com"})
    assert body_of(second)["code"] == "invite_refused"
    forged = Api().post("auth/register", {**values, "email": "eve@example.com", "invite": token[:-2] + "xx"})
    assert body_of(forged)["code"] == "invite_refused"


def _api_of_owner() -> Api:
    return Api(token=body_of(_login(make_owner().email))["access"])


# --- Where passwords may travel -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("host", "address", "forwarded", "status"),
    [
        ("localhost:8000", "172.17.0.1", None, 200),
        ("127.0.0.1:8000", "127.0.0.1", None, 200),
        ("[::1]:8000", "::1", None, 200),
        ("testserver", "127.0.0.1", None, 200),
        ("testserver", "203.0.113.9", None, 403),
        ("testserver", "127.0.0.1", "203.0.113.9", 403),
    ],
)
def test_plain_http_is_refused_beyond_this_machine(
    host: str, address: str, forwarded: str | None, status: int, settings: Settings
) -> None:
    settings.ALLOW_PLAIN_HTTP = False
    headers = {"HTTP_HOST": host, "REMOTE_ADDR": address}
    if forwarded:
        headers["HTTP_X_FORWARDED_FOR"] = forwarded
    answer = Api().post("auth/login", {"email": make_user().email, "password": PASSWORD}, **headers)
    assert answer.status_code == status
    if status == 403:
        assert body_of(answer)["code"] == "plain_http_refused"


def test_https_is_never_refused(settings: Settings) -> None:
    settings.ALLOW_PLAIN_HTTP = False
    body = json.dumps({"email": make_user().email, "password": PASSWORD})
    answer = Api().client.post(
        "/api/v1/auth/login", body, content_type="application/json", secure=True, REMOTE_ADDR=STRANGER
    )
    assert answer.status_code == 200


def test_the_demo_person_stays_at_home(settings: Settings) -> None:
    demo = make_user(is_demo=True, role=Role.MEMBER)
    assert _login(demo.email).status_code == 200
    settings.LISTENS_ON_LOOPBACK = False
    assert _told(_login(demo.email)) == _told(_login("nobody@example.com"))
