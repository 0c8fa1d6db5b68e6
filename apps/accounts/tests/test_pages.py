"""The sign-in pages of allauth act through our actions: the same rules, the same log."""

from typing import Any, cast

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from apps.accounts.actions.callers import DEVICE_COOKIE
from apps.accounts.gateways import mail as mail_gateway
from apps.accounts.models import AuditEntry, Letter, Role, User
from apps.accounts.tests.factories import (
    PASSWORD,
    Api,
    api_of,
    body_of,
    make_owner,
    make_totp,
    make_user,
    totp_code,
)
from apps.core import clock
from apps.core.testing import run_on_commit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]
LOGIN, SIGNUP = "/account/login/", "/account/signup/"
NEW = "quite another long password"


def _login(email: str, password: str = PASSWORD, *, client: Client | None = None) -> HttpResponse:
    return cast("HttpResponse", (client or Client()).post(LOGIN, {"login": email, "password": password}))


def _form_errors(response: Any) -> str:
    return str(response.context["form"].errors)


def test_a_person_registers_on_the_page_and_is_signed_in() -> None:
    client = Client()
    values = {"email": "Ann@example.com", "password1": NEW, "display_name": "Ann"}
    assert client.post(SIGNUP, values).status_code == 302
    user = User.objects.get()
    assert (user.email, user.display_name, user.role) == ("ann@example.com", "Ann", "owner")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert [letter.about for letter in Letter.objects.all()] == ["verify"]
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {"account.registered", "sign_in.succeeded"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "known@example.com", "password1": NEW}, "email"),
        ({"email": "new@example.com", "password1": "short"}, "password1"),
        ({"email": "no address", "password1": NEW}, "email"),
    ],
)
def test_a_registration_that_is_refused_says_why(values: dict[str, str], field: str) -> None:
    make_user(email="known@example.com")
    answer: Any = Client().post(SIGNUP, values)
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert User.objects.count() == 1


def test_the_page_is_closed_when_registration_is(settings: Settings) -> None:
    settings.REGISTRATION = "closed"
    Client().post(SIGNUP, {"email": "ann@example.com", "password1": NEW})
    assert not User.objects.exists()


def test_an_invite_opens_the_page(settings: Settings) -> None:
    settings.REGISTRATION = "invite"
    token = body_of(api_of(make_owner()).post("invites", {"role": "viewer"}))["token"]
    values = {"email": "ann@example.com", "password1": NEW, "invite": token}
    assert Client().post(SIGNUP, values).status_code == 302
    assert User.objects.get(email="ann@example.com").role == Role.VIEWER
    refused: Any = Client().post(SIGNUP, {**values, "email": "bob@example.com"})
    assert "not valid" in _form_errors(refused) or "used before" in _form_errors(refused)


def test_a_failed_sign_in_says_the_same_for_everybody() -> None:
    known, inactive = make_user(), make_user(is_active=False)
    told = {
        _form_errors(_login(email, password))
        for email, password in [
            (known.email, "wrong"),
            ("nobody@example.com", "wrong"),
            (inactive.email, PASSWORD),
        ]
    }
    assert len(told) == 1


def test_page_and_api_share_one_budget() -> None:
    user = make_user()
    for _ in range(10):
        assert _login(user.email, "wrong").status_code == 200
    refused = _login(user.email)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert Api().post("auth/login", {"email": user.email, "password": PASSWORD}).status_code == 429


def test_a_browser_that_signed_in_before_is_never_kept_out() -> None:
    user, client = make_user(), Client()
    assert _login(user.email, client=client).status_code == 302
    cookie = client.cookies[DEVICE_COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    client.post("/account/logout/")
    for _ in range(10):
        _login(user.email, "wrong")
    assert _login(user.email).status_code == 429
    assert _login(user.email, client=client).status_code == 302


def test_plain_http_from_another_machine_is_refused_on_the_page() -> None:
    values = {"login": make_user().email, "password": PASSWORD}
    answer: Any = Client().post(LOGIN, values, REMOTE_ADDR="203.0.113.9")
    assert answer.status_code == 200
    assert "https" in _form_errors(answer)


def test_the_page_asks_for_the_second_factor() -> None:
    user, client = make_user(), Client()
    secret = make_totp(user=user)
    assert _login(user.email, client=client).headers["Location"].startswith("/account/2fa/authenticate")
    assert "_auth_user_id" not in client.session
    assert client.post("/account/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert client.post("/account/2fa/authenticate/", {"code": totp_code(secret)}).status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)


def test_ten_wrong_codes_on_the_page_then_wait() -> None:
    user, client = make_user(), Client()
    secret = make_totp(user=user)
    _login(user.email, client=client)
    for _ in range(10):
        client.post("/account/2fa/authenticate/", {"code": "000000"})
    assert client.post("/account/2fa/authenticate/", {"code": totp_code(secret)}).status_code == 429


def test_an_authenticator_app_is_set_up_on_the_page_and_written_down() -> None:
    user, client = make_user(), Client()
    _login(user.email, client=client)
    client.get("/account/2fa/totp/activate/")
    code = totp_code(client.session["mfa.totp.secret"])
    with run_on_commit():
        assert client.post("/account/2fa/totp/activate/", {"code": code}).status_code == 302
    assert Authenticator.objects.filter(user=user, type="totp").exists()
    assert AuditEntry.objects.filter(action="second_factor.totp_turned_on", actor=user).exists()
    assert Letter.objects.get().notice == "totp_turned_on"


def test_the_page_asks_again_after_ten_minutes(time_machine: Any) -> None:
    user, client = make_user(), Client()
    start = clock.now()
    time_machine.move_to(start, tick=False)
    _login(user.email, client=client)
    assert client.get("/account/2fa/totp/activate/").status_code == 200
    time_machine.shift(11 * 60)
    answer = client.get("/account/2fa/totp/activate/")
    assert "/account/reauthenticate/" in answer.headers["Location"]
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    assert client.get("/account/2fa/totp/activate/").status_code == 200


def test_a_new_password_on_the_page_ends_every_other_session() -> None:
    user, client = make_user(), Client()
    other, program = Client(), api_of(user)
    _login(user.email, client=client)
    _login(user.email, client=other)
    values = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post("/account/password/change/", values).status_code == 302
    assert Api(client=client).get("auth/me").status_code == 200
    assert Api(client=other).get("auth/me").status_code == 401
    assert program.get("auth/me").status_code == 401
    assert AuditEntry.objects.filter(action="password.changed").exists()


def test_asking_for_a_password_on_the_page_tells_nothing() -> None:
    known = make_user()
    answers = [
        Client().post("/account/password/reset/", {"email": email}) for email in (known.email, "no@body.example")
    ]
    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {
        (302, "/account/password/reset/done/")
    }
    assert [letter.person for letter in Letter.objects.order_by("id")] == [known, None]


def test_a_password_is_set_anew_with_the_link() -> None:
    user, client = make_user(), Client()
    program = api_of(user)
    path = mail_gateway.link_to_reset(user).removeprefix("http://localhost:8000")
    form = client.get(path, follow=True)
    assert form.redirect_chain
    client.post(form.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert program.get("auth/me").status_code == 401
    assert AuditEntry.objects.filter(action="password.reset").exists()


def test_a_new_password_is_not_taken_over_plain_http_from_another_machine() -> None:
    user, client = make_user(), Client()
    path = mail_gateway.link_to_reset(user).removeprefix("http://localhost:8000")
    form = client.get(path, follow=True)
    answer: Any = client.post(form.redirect_chain[-1][0], {"password1": NEW}, REMOTE_ADDR="203.0.113.9")
    assert "https" in _form_errors(answer)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_an_address_is_confirmed_with_the_link() -> None:
    user = make_user(verified=False)
    key = EmailConfirmationHMAC(EmailAddress.objects.get()).key
    Client().post(f"/account/confirm-email/{key}/")
    assert EmailAddress.objects.get().verified
    assert mail_gateway.link_to_verify(user, address=user.email) == ""


def test_the_address_of_another_account_cannot_be_added() -> None:
    make_user(email="other@example.com")
    client = Client()
    _login(make_user().email, client=client)
    answer: Any = client.post("/account/email/", {"action_add": "", "email": "other@example.com"})
    assert "another account" in _form_errors(answer)


def test_the_admin_has_the_same_door() -> None:
    answer = Client().get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0] == "/account/login/?next=%2Fadmin%2F"
    member = Client()
    _login(make_user().email, client=member)
    assert member.get("/admin/login/").status_code == 403


def test_when_a_browser_was_last_seen_is_noted_every_five_minutes(time_machine: Any) -> None:
    user, client = make_user(), Client()
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)
    _login(user.email, client=client)
    client.get("/api/v1/auth/me")
    first = UserSession.objects.get(user=user).last_seen_at
    time_machine.move_to("2026-11-21T12:04:00Z", tick=False)
    client.get("/api/v1/auth/me")
    assert UserSession.objects.get(user=user).last_seen_at == first
    time_machine.move_to("2026-11-21T12:06:00Z", tick=False)
    client.get("/api/v1/auth/me")
    assert UserSession.objects.get(user=user).last_seen_at > first
