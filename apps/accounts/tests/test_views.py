"""Every page of an account keeps its promise, in our look, to the person it belongs to."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from allauth.account import urls as account_urls
from allauth.account.models import EmailConfirmationHMAC
from allauth.mfa import urls as mfa_urls
from allauth.mfa.models import Authenticator
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import Settings

from apps.accounts.actions import make_invite
from apps.accounts.domain.origin import NO_REQUEST
from apps.accounts.models import AuditEntry, Invite, PersonalToken, Preferences, Role, User
from apps.accounts.tests.factories import (
    PASSWORD,
    make_owner,
    make_personal_token,
    make_tokens,
    make_totp,
    make_user,
    totp_code,
)
from apps.core import clock
from apps.core.testing import assert_queries

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]
SHELL, DOOR = 'class="rail"', 'class="auth"'


def _signed_in(user: User) -> Client:
    client = Client()
    client.post("/account/login/", {"login": user.email, "password": PASSWORD, "remember": "on"})
    return client


def _text(response: Any) -> str:
    return str(response.content.decode())


def _forget_proof(client: Client) -> None:
    """Let the last proof of who this is lie eleven minutes back."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= timedelta(minutes=11).total_seconds()
    session.save()


# --- Our look everywhere --------------------------------------------------------------------------------------------
def _names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from _names(each.url_patterns)
        elif each.name:
            yield each.name


_ARGUMENTS: dict[str, dict[str, object]] = {
    "account_confirm_email": {"key": "abc"},
    "account_reset_password_from_key": {"uidb36": "1", "key": "abc"},
    "mfa_edit_webauthn": {"pk": 1},
    "mfa_remove_webauthn": {"pk": 1},
}
ALLAUTH_PAGES = sorted({*_names(account_urls.urlpatterns), *_names(mfa_urls.urlpatterns), "usersessions_list"})


def _in_our_look(response: Any) -> bool:
    """Tell whether whatever was answered at the end of all redirects is drawn by us, or no page at all."""
    if response.headers["Content-Type"].startswith("text/plain"):
        return True
    text = _text(response)
    return SHELL in text or DOOR in text or 'class="quiet"' in text


@pytest.mark.parametrize("name", ALLAUTH_PAGES)
@pytest.mark.parametrize("factor", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_no_page_of_allauth_shows_its_own_face(name: str, *, inside: bool, factor: bool) -> None:
    user = make_user()
    client = _signed_in(user) if inside else Client()
    if factor:
        make_totp(user=user)
    if name == "account_logout":
        assert _in_our_look(client.get(reverse(name), follow=True))
        return
    assert _in_our_look(client.get(reverse(name, kwargs=_ARGUMENTS.get(name)), follow=True))


def test_every_template_of_allauth_that_is_used_is_ours() -> None:
    client, used = _signed_in(make_user()), set()
    for name in ALLAUTH_PAGES:
        response: Any = client.get(reverse(name, kwargs=_ARGUMENTS.get(name)), follow=True)
        used |= {template.origin.name for template in response.templates if template.origin}
    assert not {path for path in used if "/allauth/" in path and path.endswith(".html")}


def test_a_wrong_password_is_answered_in_place() -> None:
    user = make_user()
    text = _text(Client().post("/account/login/", {"login": user.email, "password": "wrong"}))
    assert "Email and password do not match." in text
    assert DOOR in text


def test_the_second_step_asks_for_what_the_person_has() -> None:
    user = make_user()
    secret = make_totp(user=user)
    client = Client()
    response = client.post("/account/login/", {"login": user.email, "password": PASSWORD}, follow=True)
    text = _text(response)
    assert "One more step" in text
    assert "Use a recovery code" in text
    assert "Use a passkey" not in text
    assert client.post("/account/2fa/authenticate/", {"code": totp_code(secret)}).status_code == 302
    assert "_auth_user_id" in client.session


def test_the_door_says_who_may_register(settings: Settings) -> None:
    make_owner()
    said = {"open": "Create one", "invite": "come with an invite", "closed": "Registration is closed"}
    for state, words in said.items():
        settings.REGISTRATION = state
        assert words in _text(Client().get("/account/login/"))


def test_an_invite_travels_through_the_registration_page(settings: Settings) -> None:
    settings.REGISTRATION = "invite"
    _, token = make_invite(actor=make_owner(), role=Role.VIEWER, note="", now=clock.now(), request_meta=NO_REQUEST)
    assert f'value="{token}"' in _text(Client().get(f"/account/signup/?invite={token}"))
    assert "by invite" in _text(Client().get("/account/signup/"))


def test_an_address_is_confirmed_on_our_page() -> None:
    user = make_user(verified=False)
    key = EmailConfirmationHMAC(user.emailaddress_set.get()).key  # type: ignore[attr-defined]
    client = Client()
    page = client.get(f"/account/confirm-email/{key}/")
    assert "Is this your address?" in _text(page)
    client.post(f"/account/confirm-email/{key}/")
    assert user.emailaddress_set.get().verified  # type: ignore[attr-defined]


# --- Security -------------------------------------------------------------------------------------------------------
def test_the_security_page_shows_every_way_in() -> None:
    user = make_user()
    client = _signed_in(user)
    make_tokens(user=user)
    make_personal_token(user=user)
    make_totp(user=user)
    text = _text(client.get("/account/security/"))
    for words in ("Authenticator app is on", "10 recovery codes left", "this one", "End all others", "good until"):
        assert words in text


def test_a_stranger_is_asked_to_sign_in() -> None:
    for name in ("security", "profile", "preferences", "audit", "people", "audit_log", "make_token", "delete_account"):
        response = Client().get(reverse(f"accounts:{name}"))
        assert response.status_code == 302
        assert response["Location"].startswith("/account/login/")


def test_a_session_is_ended_and_the_other_browser_is_out() -> None:
    user = make_user()
    here, there = _signed_in(user), _signed_in(user)
    here.get("/account/security/")
    there.get("/account/security/")
    sessions: Any = here.get("/account/security/").context["sessions"]
    other = next(session for session in sessions if not session.is_current)
    here.post(reverse("accounts:end_session", args=[other.id]))
    assert there.get("/account/security/").status_code == 302
    assert here.get("/account/security/").status_code == 200


def test_all_other_sessions_are_ended_at_once() -> None:
    user = make_user()
    here, there = _signed_in(user), _signed_in(user)
    there.get("/account/security/")
    make_tokens(user=user)
    here.post(reverse("accounts:end_other_sessions"))
    assert there.get("/account/security/").status_code == 302
    answer: Any = here.get("/account/security/")
    assert [session.is_current for session in answer.context["sessions"]] == [True]
    assert AuditEntry.objects.filter(action="session.others_ended", actor=user).exists()


def test_a_token_is_shown_once() -> None:
    user = make_user()
    client = _signed_in(user)
    page = client.post(reverse("accounts:make_token"), {"name": "backup", "scope": "read", "days": "30"})
    token = PersonalToken.objects.get(user=user)
    assert token.lookup in _text(page)
    assert "no-store" in page.headers["Cache-Control"]
    assert f"cs_pat_{token.lookup}" not in _text(client.get("/account/security/"))


def test_a_token_needs_a_proof_that_is_not_old_and_then_goes_on() -> None:
    user = make_user()
    client = _signed_in(user)
    _forget_proof(client)
    values = {"name": "backup", "scope": "write", "days": "7"}
    asked = client.post(reverse("accounts:make_token"), values)
    assert asked["Location"].startswith("/account/reauthenticate/")
    assert not PersonalToken.objects.exists()
    page = client.post(asked["Location"], {"password": PASSWORD, "next": reverse("accounts:make_token")})
    assert PersonalToken.objects.get().lookup in _text(page)


def test_a_member_is_not_offered_the_admin_scope() -> None:
    values = {"name": "sly", "scope": "admin", "days": "7"}
    assert _signed_in(make_user()).post(reverse("accounts:make_token"), values).status_code == 200
    assert not PersonalToken.objects.exists()
    _signed_in(make_owner()).post(reverse("accounts:make_token"), values)
    assert PersonalToken.objects.get().scopes == "admin"


def test_a_token_is_revoked() -> None:
    user = make_user()
    make_personal_token(user=user)
    _signed_in(user).post(reverse("accounts:revoke_token", args=[PersonalToken.objects.get().pk]))
    assert PersonalToken.objects.get().revoked_at is not None


def test_what_belongs_to_somebody_else_does_not_exist() -> None:
    stranger = make_user()
    make_personal_token(user=stranger)
    family = make_tokens(user=stranger)
    key = Authenticator.objects.create(user=stranger, type="webauthn", data={"name": "key"})
    client = _signed_in(make_user())
    addresses = [
        reverse("accounts:revoke_token", args=[PersonalToken.objects.get().pk]),
        reverse("accounts:end_session", args=[uuid4()]),
        reverse("accounts:end_session", args=["browser-999999"]),
        reverse("accounts:end_session", args=["nonsense"]),
        reverse("mfa_remove_webauthn", kwargs={"pk": key.pk}),
        reverse("mfa_edit_webauthn", kwargs={"pk": key.pk}),
    ]
    for address in addresses:
        assert client.post(address).status_code == 404, address
    assert PersonalToken.objects.get().revoked_at is None
    assert family.access


def test_the_security_page_asks_the_database_as_often_for_many_as_for_few() -> None:
    user = make_user()
    client = _signed_in(user)
    client.get("/account/security/")
    for _ in range(5):
        make_personal_token(user=user)
        make_tokens(user=user)
    with assert_queries(12):
        client.get("/account/security/")


# --- Profile and preferences ----------------------------------------------------------------------------------------
def test_the_name_is_changed() -> None:
    user = make_user()
    _signed_in(user).post("/account/", {"display_name": " Ann "})
    user.refresh_from_db()
    assert user.display_name == "Ann"


def test_an_account_is_deleted_by_who_types_its_address() -> None:
    user = make_user()
    client = _signed_in(user)
    assert "not the address" in _text(client.post("/account/delete/", {"email": "other@example.com"}))
    assert User.objects.filter(pk=user.pk).exists()
    assert client.post("/account/delete/", {"email": user.email.upper()})["Location"] == "/account/login/"
    assert not User.objects.filter(pk=user.pk).exists()
    assert client.get("/account/").status_code == 302


def test_the_only_owner_is_told_what_to_do_first() -> None:
    owner, _other = make_owner(), make_user()
    client = _signed_in(owner)
    assert "You are the only owner" in _text(client.get("/account/"))
    refused = client.post("/account/delete/", {"email": owner.email})
    assert refused.status_code == 409
    assert "Make another person an owner first" in _text(refused)
    assert User.objects.filter(pk=owner.pk).exists()


def test_preferences_are_saved_and_show_on_the_next_page() -> None:
    user = make_user()
    client = _signed_in(user)
    values = {
        "display_currency": "EUR",
        "locale": "en",
        "time_zone": "Europe/Berlin",
        "theme": "light",
        "palette": "blue-orange",
        "density": "compact",
        "private": "on",
    }
    response = client.post("/account/preferences/", values, follow=True)
    kept = Preferences.objects.get(user=user)
    assert (kept.display_currency, kept.time_zone, kept.theme, kept.private) == ("EUR", "Europe/Berlin", "light", True)
    text = _text(response)
    assert 'data-theme="light" data-palette="blue-orange" data-density="compact" data-private' in text
    assert "Your preferences are saved." in text


@pytest.mark.parametrize(
    ("name", "value"),
    [("time_zone", "Europe/Atlantis"), ("theme", "pink"), ("locale", "xx"), ("display_currency", "GOLD")],
)
def test_a_preference_that_does_not_exist_is_refused(name: str, value: str) -> None:
    user = make_user()
    values = {
        "display_currency": "USD",
        "locale": "en",
        "time_zone": "UTC",
        "theme": "dark",
        "palette": "green-red",
        "density": "normal",
    }
    answer: Any = _signed_in(user).post("/account/preferences/", {**values, name: value})
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [name]


# --- The log --------------------------------------------------------------------------------------------------------
def test_the_log_is_in_words_and_an_unknown_action_is_shown_as_it_is() -> None:
    user = make_user()
    client = _signed_in(user)
    AuditEntry.objects.create(at=clock.now(), action="tea.made", actor=user, subject=user)
    text = _text(client.get("/account/activity/"))
    assert "Signed in" in text
    assert "tea.made" in text


def test_the_log_shows_nothing_of_others() -> None:
    stranger = make_user()
    AuditEntry.objects.create(at=clock.now(), action="tea.made", actor=stranger, subject=stranger)
    assert "tea.made" not in _text(_signed_in(make_user()).get("/account/activity/"))


def test_the_log_goes_back_and_forth_without_a_gap() -> None:
    user = make_user()
    client = _signed_in(user)
    for number in range(119):
        AuditEntry.objects.create(at=clock.now(), action=f"act.{number}", actor=user, subject=user)
    seen: list[object] = []
    page: Any = client.get("/account/activity/")
    while True:
        seen += [entry.pk for entry in page.context["entries"]]
        if not page.context["older_url"]:
            break
        page = client.get(f"/account/activity/{page.context['older_url']}")
    assert len(seen) == len(set(seen)) == 120
    newer: Any = client.get(f"/account/activity/{page.context['newer_url']}")
    assert [entry.pk for entry in newer.context["entries"]] == seen[50:100]
    assert client.get("/account/activity/?before=nonsense").status_code == 404


def test_a_page_of_the_log_costs_the_same_for_many_as_for_few() -> None:
    owner = make_owner()
    client = _signed_in(owner)
    for _ in range(20):
        AuditEntry.objects.create(at=clock.now(), action="tea.made", actor=make_user(), subject=owner)
    client.get("/people/activity/")
    with assert_queries(4):
        client.get("/people/activity/")
    with assert_queries(4):
        client.get("/account/activity/")


# --- People ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_pages_for_those_who_run_it_do_not_exist_for_others(role: Role) -> None:
    client, other = _signed_in(make_user(role=role)), make_user()
    assert client.get("/people/").status_code == 404
    assert client.get("/people/activity/").status_code == 404
    assert client.post("/people/invites/", {"role": "member"}).status_code == 404
    assert client.post(reverse("accounts:change_person", args=[other.pk]), {"role": "owner"}).status_code == 404
    other.refresh_from_db()
    assert other.role == Role.MEMBER


def test_an_owner_changes_roles_and_keeps_people_out() -> None:
    client, person = _signed_in(make_owner()), make_user()
    theirs = _signed_in(person)
    address = reverse("accounts:change_person", args=[person.pk])
    client.post(address, {"role": "viewer"})
    person.refresh_from_db()
    assert person.role == Role.VIEWER
    assert "kept out" in _text(client.post(address, {"state": "kept_out"}, follow=True))
    assert theirs.get("/account/").status_code == 302
    client.post(address, {"state": "active"})
    person.refresh_from_db()
    assert person.is_active


def test_a_role_is_not_changed_on_an_old_sign_in() -> None:
    client, person = _signed_in(make_owner()), make_user()
    _forget_proof(client)
    asked = client.post(reverse("accounts:change_person", args=[person.pk]), {"role": "admin"})
    assert asked["Location"].startswith("/account/reauthenticate/")
    person.refresh_from_db()
    assert person.role == Role.MEMBER


def test_an_admin_is_told_what_only_an_owner_may_do() -> None:
    admin, owner = make_user(role=Role.ADMIN), make_owner()
    client = _signed_in(admin)
    response = client.post(reverse("accounts:change_person", args=[owner.pk]), {"role": "member"}, follow=True)
    assert "Only an owner" in _text(response)
    owner.refresh_from_db()
    assert owner.role == Role.OWNER
    assert client.post(reverse("accounts:change_person", args=[uuid4()]), {"role": "member"}).status_code == 404


def test_an_invite_is_shown_once_and_taken_back() -> None:
    client = _signed_in(make_owner())
    page: HttpResponse = client.post("/people/invites/", {"role": "viewer", "note": "aunt"})  # type: ignore[assignment]
    assert "/account/signup/?invite=" in _text(page)
    listed = _text(client.get("/people/"))
    assert "aunt" in listed
    assert "?invite=" not in listed
    client.post(reverse("accounts:revoke_invite", args=[Invite.objects.get().pk]))
    assert Invite.objects.get().revoked_at is not None
    assert client.post(reverse("accounts:revoke_invite", args=[Invite.objects.get().pk])).status_code == 404


def test_the_list_of_people_costs_the_same_for_many_as_for_few() -> None:
    client = _signed_in(make_owner())
    client.get("/people/")
    for _ in range(10):
        make_user()
    with assert_queries(6):
        client.get("/people/")


def test_no_address_of_ours_is_shadowed() -> None:
    resolver = get_resolver()
    for name in ("security", "profile", "preferences", "audit", "people", "audit_log"):
        assert resolver.resolve(reverse(f"accounts:{name}")).view_name == f"accounts:{name}"


# --- Words -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("backend", "words"), [("console", "has no mail server"), ("smtp", "A mail with a link is on its way")]
)
def test_a_new_person_is_told_whether_mail_leaves(backend: str, words: str, settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    client = Client()
    values = {"email": "new@example.com", "password1": PASSWORD}
    assert words in _text(client.post("/account/signup/", values, follow=True))


def test_a_wrong_current_password_is_called_wrong() -> None:
    new = "another phrase to keep"
    values = {"oldpassword": "not the one", "password1": new, "password2": new}
    answer = _signed_in(make_user()).post("/account/password/change/", values)
    assert "This is not your current password." in _text(answer)
