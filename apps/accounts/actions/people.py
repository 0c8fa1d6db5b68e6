"""People: their profile and preferences, their roles, and their going."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.actions.audit import record_audit
from apps.accounts.actions.ownership import hold_ownership
from apps.accounts.actions.personal_tokens import revoke_all_personal_tokens
from apps.accounts.actions.sessions import end_everything
from apps.accounts.domain.origin import RequestMeta
from apps.accounts.events import UserDeleted
from apps.accounts.models import AuditEntry, Preferences, Role, User
from apps.accounts.models.people import RUNS_INSTANCE
from apps.core.errors import ConflictError, DeniedError, NotFoundError
from apps.core.events import publish


class LastOwnerError(ConflictError):
    """Somebody has to own the instance."""

    code = "last_owner"
    title = "You are the only owner"
    default_detail = "Make another person an owner first."


def update_profile(*, user: User, display_name: str, now: datetime, request_meta: RequestMeta) -> User:
    """Change how the person is called."""
    user.display_name = display_name.strip()
    user.save(update_fields=["display_name"])
    record_audit(actor=user, action="account.renamed", now=now, request_meta=request_meta)
    return user


def save_preferences(*, user: User, values: Mapping[str, str | bool]) -> Preferences:
    """Store how the person wants to see the product; what is not named stays as it is."""
    preferences, _ = Preferences.objects.get_or_create(user=user)
    for name, value in values.items():
        setattr(preferences, name, value)
    preferences.save()
    return preferences


@transaction.atomic
def manage_person(
    *,
    actor: User,
    person_id: UUID,
    role: Role | None,
    is_active: bool | None,
    now: datetime,
    request_meta: RequestMeta,
) -> User:
    """Change a person's role, keep them out or let them in again, as far as it is asked for."""
    person = _locked_person(person_id)
    if role is not None and role != person.role:
        person = change_role(actor=actor, person_id=person_id, role=role, now=now, request_meta=request_meta)
    if is_active is not None and is_active != person.is_active:
        change = reactivate if is_active else deactivate
        person = change(actor=actor, person_id=person_id, now=now, request_meta=request_meta)
    return person


@transaction.atomic
def change_role(*, actor: User, person_id: UUID, role: Role, now: datetime, request_meta: RequestMeta) -> User:
    """Give a person another role. Only an owner makes or unmakes owners and admins."""
    person = _locked_person(person_id)
    if _role_of_manager(actor, person) != Role.OWNER and role in RUNS_INSTANCE:
        raise DeniedError("Only an owner can make somebody an owner or an admin.")
    if person.role == role:
        return person
    if person.role == Role.OWNER:
        _check_other_owner(person)
    before, person.role = person.role, role
    person.save(update_fields=["role"])
    record_audit(
        actor=actor,
        subject=person,
        action="person.role_changed",
        target=str(person.pk),
        now=now,
        detail={"from": str(before), "to": str(role)},
        request_meta=request_meta,
    )
    return person


@transaction.atomic
def deactivate(*, actor: User, person_id: UUID, now: datetime, request_meta: RequestMeta) -> User:
    """Keep a person out: every session and token of theirs ends at once."""
    person = _locked_person(person_id)
    _role_of_manager(actor, person)
    if person.role == Role.OWNER:
        _check_other_owner(person)
    person.is_active = False
    person.save(update_fields=["is_active"])
    end_everything(user=person, reason="deactivated", now=now)
    revoke_all_personal_tokens(user=person, now=now)
    _note_person(actor, person, "person.deactivated", now=now, request_meta=request_meta)
    return person


@transaction.atomic
def reactivate(*, actor: User, person_id: UUID, now: datetime, request_meta: RequestMeta) -> User:
    """Let a person in again."""
    person = _locked_person(person_id)
    _role_of_manager(actor, person)
    person.is_active = True
    person.save(update_fields=["is_active"])
    _note_person(actor, person, "person.reactivated", now=now, request_meta=request_meta)
    return person


@transaction.atomic
def delete_account(*, user: User, now: datetime, request_meta: RequestMeta) -> None:
    """Delete the person and everything of theirs. What the log says of them loses their name and address."""
    person = _locked_person(user.pk)
    others = User.objects.exclude(pk=person.pk)
    if person.role == Role.OWNER and others.exists():
        _check_other_owner(person)
    end_everything(user=person, reason="deleted", now=now)
    nameless = RequestMeta(request_id=request_meta.request_id)
    record_audit(actor=None, action="account.deleted", target=str(person.pk), now=now, request_meta=nameless)
    AuditEntry.objects.for_user(person).update(network_address="", device="")
    publish(UserDeleted(user_id=person.pk))
    person.delete()


def _locked_person(person_id: UUID) -> User:
    hold_ownership()
    person = User.objects.select_for_update().filter(pk=person_id).first()
    if person is None:
        raise NotFoundError
    return person


def _role_of_manager(actor: User, person: User) -> Role:
    """Return the role that the actor has by now, which may be less than when the request came in."""
    role = User.objects.active().filter(pk=actor.pk).values_list("role", flat=True).first()
    if role not in RUNS_INSTANCE:
        raise DeniedError
    if person.runs_instance and role != Role.OWNER and actor.pk != person.pk:
        raise DeniedError("Only an owner can change an owner or an admin.")
    return Role(role)


def _check_other_owner(person: User) -> None:
    owners = User.objects.owners().active().exclude(pk=person.pk).select_for_update()
    if not list(owners):
        raise LastOwnerError


def _note_person(actor: User, person: User, action: str, *, now: datetime, request_meta: RequestMeta) -> None:
    record_audit(actor=actor, subject=person, action=action, target=str(person.pk), now=now, request_meta=request_meta)
