"""Questions about people, their sessions and tokens, and what was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db.models import Q, QuerySet

from apps.accounts.domain.factors import PASSKEY, RECOVERY_CODE, TOTP, Passkey
from apps.accounts.domain.factors import SecondFactors as SecondFactors  # noqa: PLC0414 - what a question answers with
from apps.accounts.domain.grants import Grant, covered
from apps.accounts.domain.secrets import PersonalSecret
from apps.accounts.models import AuditEntry, Invite, PersonalToken, Preferences, RefreshFamily, Role, User
from apps.accounts.models.audit import AuditQuerySet
from apps.accounts.models.people import UserQuerySet
from apps.core.database.prepared import Question
from apps.core.errors import NotFoundError

_FIELDS = User._meta.concrete_fields  # noqa: SLF001 - Django's documented API of models
_PERSON = [field.attname for field in _FIELDS]
_PERSON_COLUMNS = ", ".join(f"person.{field.column}" for field in _FIELDS)
_BY_FAMILY = Question(f"""
SELECT family.authenticated_at, {_PERSON_COLUMNS}
FROM accounts_refreshfamily family JOIN accounts_user person ON person.id = family.user_id
WHERE family.id = %s AND family.user_id = %s AND family.ended_at IS NULL AND family.expires_at > %s AND person.is_active
""")  # noqa: S608 - names of columns, no values
_BY_PERSONAL_TOKEN = Question(f"""
SELECT token.id, token.scopes, token.last_used_at, {_PERSON_COLUMNS}
FROM accounts_personaltoken token JOIN accounts_user person ON person.id = token.user_id
WHERE token.lookup = %s AND token.secret_hash = %s AND token.revoked_at IS NULL AND token.expires_at > %s
AND person.is_active
""")  # noqa: S608 - names of columns, no values
_FACTORS = {
    Authenticator.Type.TOTP: TOTP,
    Authenticator.Type.RECOVERY_CODES: RECOVERY_CODE,
    Authenticator.Type.WEBAUTHN: PASSKEY,
}
_USED_EVERY = timedelta(minutes=1)


class Registration(StrEnum):
    """Who may register."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session, of a browser or of a program, as its owner sees it."""

    id: str
    kind: str
    device: str
    network_address: str
    created_at: datetime
    last_used_at: datetime
    is_current: bool


def registration_state() -> Registration:
    """Return who may register: where nobody owns the instance yet, the first person may, unless it is closed."""
    setting = settings.REGISTRATION.strip().lower()
    if setting == Registration.OPEN:
        return Registration.OPEN
    if setting == Registration.CLOSED:
        return Registration.CLOSED
    if not User.objects.owners().exists():
        return Registration.OPEN
    if setting == Registration.INVITE:
        return Registration.INVITE
    return Registration.OPEN if settings.LISTENS_ON_LOOPBACK else Registration.CLOSED


# --- Who sent a request ---------------------------------------------------------------------------------------------
def person_of_family(*, family_id: UUID, user_id: UUID, now: datetime) -> tuple[User, Grant] | None:
    """Return whose session this is, if it has not ended; asked by every request of a program."""
    row = _BY_FAMILY.ask(family_id, user_id, now)
    if row is None:
        return None
    return User.from_db("default", _PERSON, row[1:]), Grant(family_id=family_id, authenticated_at=row[0])


def person_of_personal_token(*, secret: PersonalSecret, now: datetime) -> tuple[User, Grant, bool] | None:
    """Return whose token this is and what it may do, if it is good, and whether its use is worth noting."""
    row = _BY_PERSONAL_TOKEN.ask(secret.lookup, secret.hash, now)
    if row is None:
        return None
    token_id, scopes, last_used_at = row[:3]
    grant = Grant(scopes=covered(scopes.split()), personal_token_id=token_id)
    return User.from_db("default", _PERSON, row[3:]), grant, last_used_at is None or now - last_used_at > _USED_EVERY


# --- One person -----------------------------------------------------------------------------------------------------
def preferences_of(*, user: User) -> Preferences:
    """Return how the person wants to see the product, or the defaults."""
    return Preferences.objects.filter(user=user).first() or Preferences(user=user)


def email_is_verified(*, user: User) -> bool:
    """Tell whether the person has confirmed their address; until then they get no other mail than about it."""
    return bool(EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists())


def sessions_of(*, user: User, now: datetime, family_id: UUID | None, session_key: str) -> list[SessionView]:
    """Return every open session of the person, the newest first."""
    browsers = [
        SessionView(
            id=f"browser-{session.pk}",
            kind="browser",
            device=session.user_agent,
            network_address=session.ip,
            created_at=session.created_at,
            last_used_at=session.last_seen_at,
            is_current=session.session_key == session_key,
        )
        for session in UserSession.objects.purge_and_list(user)
    ]
    programs = [
        SessionView(
            id=str(family.pk),
            kind="program",
            device=family.device,
            network_address=family.network_address,
            created_at=family.created_at,
            last_used_at=family.last_used_at,
            is_current=family.pk == family_id,
        )
        for family in RefreshFamily.objects.for_user(user).open(now=now)
    ]
    return sorted([*browsers, *programs], key=lambda session: session.created_at, reverse=True)


def personal_tokens_of(*, user: User) -> QuerySet[PersonalToken]:
    """Return the person's tokens that are not revoked."""
    return PersonalToken.objects.for_user(user).kept()


def personal_token_of(*, user: User, token_id: UUID) -> PersonalToken | None:
    """Return one token of the person."""
    return personal_tokens_of(user=user).filter(pk=token_id).first()


def factors_of(*, user: User) -> set[str]:
    """Return the kinds of second factors that the person has set up."""
    kinds = Authenticator.objects.filter(user=user).values_list("type", flat=True)
    return {_FACTORS[kind] for kind in kinds}


def sealed_owner(*, text: str) -> UUID | None:
    """Return whose second factor holds this sealed text; nobody if it stands in no row, or in those of several."""
    holders = Authenticator.objects.filter(Q(data__secret=text) | Q(data__seed=text))
    owners = set(holders.values_list("user_id", flat=True))
    return owners.pop() if len(owners) == 1 else None


def unused_recovery_codes(*, user: User) -> list[str]:
    """Return the recovery codes that are left."""
    stored = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return list(stored.wrap().get_unused_codes()) if stored else []


def passkeys_of(*, user: User) -> list[Passkey]:
    """Return the person's passkeys, oldest first."""
    rows = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).order_by("pk")
    return [Passkey(str(row.pk), row.wrap().name, row.created_at, row.last_used_at) for row in rows]


def second_factors_of(*, user: User) -> SecondFactors:
    """Return what the person has set up."""
    return SecondFactors(
        totp=TOTP in factors_of(user=user),
        recovery_codes_left=len(unused_recovery_codes(user=user)),
        passkeys=passkeys_of(user=user),
    )


# --- For those who run the instance ---------------------------------------------------------------------------------
def audit_of(*, user: User) -> AuditQuerySet:
    """Return what the person did and what was done to their account."""
    return AuditEntry.objects.for_user(user).select_related("actor", "subject")


def audit_of_all() -> AuditQuerySet:
    """Return the whole audit log."""
    return AuditEntry.objects.select_related("actor", "subject")


def people() -> UserQuerySet:
    """Return everybody."""
    return User.objects.get_queryset()


def person_by_id(*, person_id: UUID) -> User:
    """Return one person."""
    person = User.objects.filter(pk=person_id).first()
    if person is None:
        raise NotFoundError
    return person


def open_invites(*, now: datetime) -> QuerySet[Invite]:
    """Return the invites that can still be used."""
    return Invite.objects.open(now=now)


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some entries of the log, the newest first, and where to go on in either direction."""

    entries: list[AuditEntry]
    newer_than: UUID | None
    older_than: UUID | None


def page_of_log(*, log: AuditQuerySet, before: UUID | None, after: UUID | None, limit: int) -> LogPage:
    """Return a page of the log: the newest entries, those before one entry, or those after one."""
    if after is not None:
        rows = list(log.filter(pk__gt=after).order_by("pk")[: limit + 1])
        entries = rows[:limit][::-1]
        has_newer, has_older = len(rows) > limit, True
    else:
        rows = list((log.filter(pk__lt=before) if before else log).order_by("-pk")[: limit + 1])
        entries = rows[:limit]
        has_newer, has_older = before is not None, len(rows) > limit
    if not entries:
        return LogPage(entries=[], newer_than=None, older_than=None)
    return LogPage(
        entries=entries,
        newer_than=entries[0].pk if has_newer else None,
        older_than=entries[-1].pk if has_older else None,
    )


def owns_alone(*, user: User) -> bool:
    """Tell whether others depend on this person as the only owner who can sign in."""
    if user.role != Role.OWNER or not User.objects.get_queryset().exclude(pk=user.pk).exists():
        return False
    return not User.objects.owners().active().exclude(pk=user.pk).exists()
