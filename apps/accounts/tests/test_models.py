"""The database itself says no: spelling of addresses, roles, scopes, and every change of the audit log."""

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.actions import record_audit
from apps.accounts.models import AuditEntry, PersonalToken, Role, User
from apps.accounts.tests.factories import make_personal_token, make_user
from apps.core import clock

pytestmark = pytest.mark.django_db


def test_an_address_is_stored_in_lower_case() -> None:
    user = User.objects.create_user("  Ann@Example.COM ", "secret")
    assert user.email == "ann@example.com"
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(email="Ann@example.com")


def test_two_people_cannot_have_one_address() -> None:
    make_user(email="ann@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_user(email="ann@example.com")


def test_there_are_four_roles() -> None:
    user = make_user()
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(role="god")


def test_scopes_are_known_words() -> None:
    make_personal_token(user=make_user())
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonalToken.objects.update(scopes="read everything")


@pytest.mark.parametrize(
    ("role", "is_staff"), [(Role.OWNER, True), (Role.ADMIN, True), (Role.MEMBER, False), (Role.VIEWER, False)]
)
def test_the_role_decides_who_enters_the_admin(role: Role, is_staff: bool) -> None:
    user = make_user(role=role)
    assert user.is_staff is is_staff
    assert user.has_perm("accounts.view_user") is is_staff
    user.is_active = False
    assert not user.is_staff


@pytest.mark.parametrize(
    "change",
    [
        {"action": "other"},
        {"target": "other"},
        {"detail": {"other": 1}},
        {"network_address": "10.0.0.1"},
        {"device": "other"},
        {"request_id": "other"},
    ],
)
def test_an_entry_of_the_log_cannot_be_changed(change: dict[str, object]) -> None:
    entry = record_audit(actor=make_user(), action="test.done", now=clock.now())
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(**change)


def test_an_entry_of_the_log_cannot_be_given_to_somebody_else() -> None:
    entry = record_audit(actor=make_user(), action="test.done", now=clock.now())
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(actor=make_user())


def test_an_entry_of_the_log_cannot_be_deleted() -> None:
    entry = record_audit(actor=None, action="test.done", now=clock.now())
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).delete()
