"""Oneself, passwords, tokens, sessions, the log and other people, through the API."""

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from pytest_django import Settings

from apps.accounts.events import AccessEnded, UserDeleted
from apps.accounts.gateways import mail as mail_gateway
from apps.accounts.models import AuditEntry, PersonalToken, Preferences, Role, User
from apps.accounts.tests.factories import (
    PASSWORD,
    Api,
    api_of,
    body_of,
    make_owner,
    make_personal_token,
    make_tokens,
    make_user,
)
from apps.core.testing import CapturedEvents

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]
NEW = "quite another long password"


def _signed_in_browser(user: User) -> Client:
    client = Client()
    answer = client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return client


# --- Oneself --------------------------------------------------------------------------------------------------------
def test_a_person_sees_and_renames_themself() -> None:
    api = api_of(make_user())
    assert body_of(api.patch("auth/me", {"display_name": " Ann ", "role": "owner"}))["display_name"] == "Ann"
    shown = body_of(api.get("auth/me"))
    assert (shown["display_name"], shown["role"]) == ("Ann", "member")
    assert "password" not in shown


def test_preferences_are_put_whole() -> None:
    api = api_of(make_user())
    values = {"theme": "light", "time_zone": "Europe/Berlin", "display_currency": "EUR", "private": True}
    assert body_of(api.put("auth/preferences", values))["palette"] == "green-red"
    assert body_of(api.get("auth/preferences"))["display_currency"] == "EUR"
    assert body_of(api.put("auth/preferences", {}))["theme"] == "dark"
    assert Preferences.objects.count() == 1


@pytest.mark.parametrize(
    "values", [{"theme": "pink"}, {"time_zone": "Mars/Base"}, {"display_currency": "usd"}, {"locale": "../x"}]
)
def test_preferences_that_do_not_exist_are_refused(values: dict[str, str]) -> None:
    assert api_of(make_user()).put("auth/preferences", values).status_code == 422


def test_deleting_an_account_deletes_it(published: CapturedEvents) -> None:
    make_owner()
    user = make_user(email="gone@example.com")
    api = api_of(user)
    make_personal_token(user=user)
    _signed_in_browser(user)
    assert api.delete("auth/me").status_code == 204
    assert api.get("auth/me").status_code == 401
    assert not User.objects.filter(pk=user.pk).exists()
    assert not PersonalToken.objects.exists()
    assert not UserSession.objects.exists()
    assert [event.user_id for event in published.of(UserDeleted)] == [user.pk]
    entries = AuditEntry.objects.filter(target=str(user.pk)) | AuditEntry.objects.filter(action__startswith="sign_in")
    assert entries.count() >= 2
    assert not entries.exclude(actor=None, subject=None, network_address="", device="").exists()


def test_the_last_owner_stays_while_others_are_there() -> None:
    owner = make_owner()
    api = api_of(owner)
    other = make_user()
    refused = api.delete("auth/me")
    assert (refused.status_code, body_of(refused)["code"]) == (409, "last_owner")
    other.delete()
    assert api.delete("auth/me").status_code == 204


# --- Passwords ------------------------------------------------------------------------------------------------------
def test_a_new_password_ends_every_other_session(published: CapturedEvents) -> None:
    user = make_user()
    api, other, browser = api_of(user), api_of(user), Api(client=_signed_in_browser(user))
    wrong = api.post("auth/password", {"current_password": "wrong", "new_password": NEW})
    assert wrong.status_code == 422
    assert browser.get("auth/me").status_code == 200
    same = api.post("auth/password", {"current_password": PASSWORD, "new_password": PASSWORD})
    assert (same.status_code, body_of(same)["errors"][0]["code"]) == (422, "password_unchanged")
    assert api.post("auth/password", {"current_password": PASSWORD, "new_password": NEW}).status_code == 204
    assert api.get("auth/me").status_code == 200
    assert other.get("auth/me").status_code == 401
    assert browser.get("auth/me").status_code == 401
    assert published.of(AccessEnded)
    user.refresh_from_db()
    assert user.check_password(NEW)


def test_a_browser_stays_signed_in_when_it_sets_a_new_password() -> None:
    user = make_user()
    browser, program = Api(client=_signed_in_browser(user)), api_of(user)
    values = {"current_password": PASSWORD, "new_password": NEW}
    assert browser.post("auth/password", values).status_code == 204
    assert browser.get("auth/me").status_code == 200
    assert program.get("auth/me").status_code == 401


def test_a_password_is_set_anew_with_the_mail_link_once() -> None:
    user = make_user()
    api = api_of(user)
    key = mail_gateway.link_to_reset(user).rstrip("/").rsplit("/", 1)[1]
    short = Api().post("auth/password/reset/confirm", {"key": key, "new_password": "short"})
    assert body_of(short)["code"] == "password_refused"
    assert Api().post("auth/password/reset/confirm", {"key": key, "new_password": NEW}).status_code == 204
    assert api.get("auth/me").status_code == 401
    again = Api().post("auth/password/reset/confirm", {"key": key, "new_password": NEW})
    assert (again.status_code, body_of(again)["code"]) == (422, "reset_key_refused")


@pytest.mark.parametrize("key", ["x", "-", "a-b", "0" * 200, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz-x", "ä-ö"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    answer = Api().post("auth/password/reset/confirm", {"key": key, "new_password": NEW})
    assert (answer.status_code, body_of(answer)["code"]) == (422, "reset_key_refused")


# --- Tokens ---------------------------------------------------------------------------------------------------------
def test_a_token_is_made_shown_once_used_and_revoked() -> None:
    api = api_of(make_user())
    made = body_of(api.post("auth/tokens", {"name": "backup", "scopes": ["read", "write"]}))
    assert made["token"].startswith("cs_pat_")
    (listed,) = body_of(api.get("auth/tokens"))["results"]
    assert "token" not in listed
    assert made["token"] not in str(listed)
    program = Api(token=made["token"])
    assert program.get("auth/me").status_code == 200
    assert api.delete(f"auth/tokens/{made['id']}").status_code == 204
    assert program.get("auth/me").status_code == 401
    assert api.delete(f"auth/tokens/{made['id']}").status_code == 404


def test_the_same_request_for_a_token_makes_one() -> None:
    api = api_of(make_user())
    answers = [body_of(api.post("auth/tokens", {"name": "ci"}, HTTP_IDEMPOTENCY_KEY="key-1")) for _ in range(2)]
    assert answers[0] == answers[1]
    assert PersonalToken.objects.count() == 1


@pytest.mark.parametrize(
    "values",
    [
        {"name": "", "scopes": ["read"]},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["root"]},
        {"name": "x", "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "x", "expires_at": "2099-01-01T00:00:00Z"},
    ],
)
def test_a_token_without_sense_is_refused(values: dict[str, object]) -> None:
    assert api_of(make_user()).post("auth/tokens", values).status_code == 422


def test_a_member_gets_no_token_with_the_admin_scope() -> None:
    assert api_of(make_user()).post("auth/tokens", {"name": "x", "scopes": ["admin"]}).status_code == 403
    assert api_of(make_owner()).post("auth/tokens", {"name": "x", "scopes": ["admin"]}).status_code == 201


# --- Sessions -------------------------------------------------------------------------------------------------------
def test_sessions_of_browsers_and_programs_are_listed_and_ended() -> None:
    user = make_user()
    browser, api, other = Api(client=_signed_in_browser(user)), api_of(user), api_of(user)
    listed = body_of(api.get("auth/sessions"))["results"]
    assert sorted(session["kind"] for session in listed) == ["browser", "program", "program"]
    assert [session["is_current"] for session in listed].count(True) == 1
    for session in listed:
        if not session["is_current"]:
            assert api.delete(f"auth/sessions/{session['id']}").status_code == 204
    assert browser.get("auth/me").status_code == 401
    assert other.get("auth/me").status_code == 401
    assert api.get("auth/me").status_code == 200
    assert len(body_of(api.get("auth/sessions"))["results"]) == 1


@pytest.mark.parametrize("session_id", ["nothing", "browser-x", "browser-99999999999", "browser-1"])
def test_a_session_that_is_not_there_cannot_be_ended(session_id: str) -> None:
    assert api_of(make_user()).delete(f"auth/sessions/{session_id}").status_code == 404


def test_a_session_of_somebody_else_is_not_there() -> None:
    mine, theirs = api_of(make_user()), make_user()
    make_tokens(user=theirs)
    (session,) = theirs.refresh_families.all()
    foreign, missing = mine.delete(f"auth/sessions/{session.pk}"), mine.delete(f"auth/sessions/{theirs.pk}")
    assert foreign.status_code == missing.status_code == 404
    assert {**body_of(foreign), "request_id": ""} == {**body_of(missing), "request_id": ""}


# --- The log and other people ---------------------------------------------------------------------------------------
def test_the_log_shows_a_person_their_own_and_admins_all() -> None:
    owner, user = make_owner(), make_user()
    api_of(user).patch("auth/me", {"display_name": "Ann"})
    api_of(owner).patch("auth/me", {"display_name": "Bob"})
    mine = body_of(api_of(user).get("audit"))["results"]
    assert [entry["actor"] for entry in mine] == [str(user.pk)]
    assert api_of(user).get("audit?scope=all").status_code == 403
    everything = body_of(api_of(owner).get("audit?scope=all"))["results"]
    assert {entry["actor"] for entry in everything} == {str(user.pk), str(owner.pk)}


def test_an_owner_changes_roles_and_keeps_people_out() -> None:
    owner, user = make_owner(), make_user()
    api = api_of(owner)
    assert body_of(api.patch(f"people/{user.pk}", {"role": "viewer", "is_active": False}))["role"] == "viewer"
    user.refresh_from_db()
    assert (user.role, user.is_active) == (Role.VIEWER, False)
    actions = set(AuditEntry.objects.filter(subject=user).values_list("action", flat=True))
    assert actions == {"person.role_changed", "person.deactivated"}


@pytest.mark.parametrize(
    ("actor", "subject", "values", "status"),
    [
        (Role.ADMIN, Role.MEMBER, {"role": "viewer"}, 200),
        (Role.ADMIN, Role.MEMBER, {"role": "admin"}, 403),
        (Role.ADMIN, Role.MEMBER, {"role": "owner"}, 403),
        (Role.ADMIN, Role.OWNER, {"is_active": False}, 403),
        (Role.ADMIN, Role.ADMIN, {"role": "member"}, 403),
        (Role.OWNER, Role.MEMBER, {"role": "owner"}, 200),
        (Role.OWNER, Role.OWNER, {"role": "member"}, 200),
        (Role.MEMBER, Role.MEMBER, {"role": "viewer"}, 403),
    ],
)
def test_who_may_change_whom(actor: Role, subject: Role, values: dict[str, object], status: int) -> None:
    person = make_user(role=subject)
    assert api_of(make_user(role=actor)).patch(f"people/{person.pk}", values).status_code == status


def test_the_last_owner_keeps_their_role() -> None:
    owner = make_owner()
    api = api_of(owner)
    assert body_of(api.patch(f"people/{owner.pk}", {"role": "member"}))["code"] == "last_owner"
    assert body_of(api.patch(f"people/{owner.pk}", {"is_active": False}))["code"] == "last_owner"


def test_an_invite_is_listed_without_its_link_and_taken_back() -> None:
    api = api_of(make_owner())
    made = body_of(api.post("invites", {"role": "member"}))
    (listed,) = body_of(api.get("invites"))["results"]
    assert made["token"] not in str(listed)
    assert api.delete(f"invites/{made['id']}").status_code == 204
    assert body_of(api.get("invites"))["results"] == []
    values = {"email": "bob@example.com", "password": NEW, "invite": made["token"]}
    assert body_of(Api().post("auth/register", values))["code"] == "invite_refused"


def test_an_admin_does_not_invite_an_admin() -> None:
    assert api_of(make_user(role=Role.ADMIN)).post("invites", {"role": "admin"}).status_code == 403


def test_times_are_shown_in_the_zone_of_the_instance_until_a_person_chooses(settings: Settings) -> None:
    settings.DISPLAY_TIME_ZONE = "Europe/Berlin"
    assert body_of(api_of(make_user()).get("auth/preferences"))["time_zone"] == "Europe/Berlin"
