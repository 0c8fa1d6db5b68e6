"""Django's admin shows lists without secrets, and changes nothing."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.test import Client

from apps.accounts.actions import record_audit
from apps.accounts.models import PersonalToken, User
from apps.accounts.tests.factories import make_owner, make_personal_token, make_tokens, make_totp, make_user
from apps.core import clock

pytestmark = pytest.mark.django_db
admin.autodiscover()  # as the addresses do when they are loaded
OURS = [
    model for model in admin.site._registry if model._meta.app_label in {"accounts", "account", "mfa", "usersessions"}
]


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(make_owner())
    return client


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_list_and_page_opens_and_nothing_can_be_changed(model: type, client: Client) -> None:
    user = make_user()
    make_totp(user=user)
    make_tokens(user=user)
    make_personal_token(user=user)
    record_audit(actor=user, action="test.done", now=clock.now())
    meta = model._meta  # type: ignore[attr-defined]
    base = f"/admin/{meta.app_label}/{meta.model_name}/"
    assert client.get(base).status_code == 200
    assert client.get(f"{base}add/").status_code == 403
    row = model.objects.first()  # type: ignore[attr-defined]
    if row is not None:
        assert client.get(f"{base}{row.pk}/change/").status_code == 200
        assert client.post(f"{base}{row.pk}/change/", {}).status_code == 403
        assert client.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_secrets_are_not_shown(client: Client) -> None:
    user = make_user()
    make_totp(user=user)
    make_tokens(user=user)
    make_personal_token(user=user)
    token, family = PersonalToken.objects.get(), user.refresh_families.get()
    authenticator = Authenticator.objects.filter(user=user).first()
    assert authenticator is not None
    pages = [
        f"/admin/accounts/user/{user.pk}/change/",
        f"/admin/accounts/personaltoken/{token.pk}/change/",
        f"/admin/accounts/refreshfamily/{family.pk}/change/",
        f"/admin/mfa/authenticator/{authenticator.pk}/change/",
    ]
    shown = "".join(client.get(page).content.decode() for page in pages)
    secrets = [user.password, token.secret_hash, str(family.live_token), next(iter(authenticator.data.values()))]
    assert user.email in shown
    assert not [secret for secret in secrets if str(secret) in shown]


def test_members_do_not_get_in() -> None:
    client = Client()
    client.force_login(make_user())
    assert client.get("/admin/").status_code == 302
    assert User.objects.count() == 1
