"""Registering, and the invites with which it can be opened to a few."""

from datetime import datetime, timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from apps.accounts.actions.attempts import charge
from apps.accounts.actions.audit import record_audit
from apps.accounts.actions.mail import order_mail
from apps.accounts.actions.ownership import hold_ownership
from apps.accounts.domain.budgets import registration_budgets
from apps.accounts.domain.mail import MailKind
from apps.accounts.domain.origin import NO_REQUEST, RequestMeta
from apps.accounts.events import UserRegistered
from apps.accounts.models import Invite, Preferences, Role, User
from apps.accounts.models.people import normalize_email
from apps.accounts.queries import Registration, registration_state
from apps.core.api.throttles import network_of
from apps.core.errors import ConflictError, DeniedError, FieldProblem, InvalidError, NotFoundError
from apps.core.events import publish

INVITE_AGE = timedelta(days=7)
_INVITE_SALT = "coinsphere.invite"


class RegistrationClosedError(DeniedError):
    """Nobody can register at the moment."""

    code = "registration_closed"
    title = "Registration is closed"
    default_detail = "Ask the owner of this instance for an invite or an account."


class InviteRefusedError(DeniedError):
    """The invite is used, too old or not one of ours."""

    code = "invite_refused"
    title = "This invite is not valid"
    default_detail = "It was used before or is too old. Ask the person who sent it for a new one."


class EmailTakenError(ConflictError):
    """There is an account with this address."""

    code = "email_taken"
    title = "This e-mail address has an account"
    default_detail = "There is an account with this address. Sign in, or ask for a new password."


class PasswordRefusedError(InvalidError):
    """The password is too easy to guess."""

    code = "password_refused"
    title = "Choose another password"
    default_detail = "Choose a longer or less usual password."


def check_new_password(*, password: str, user: User, field: str = "password") -> None:
    """Refuse a password that is short, usual, close to the person's name, or known from a breach."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        problems = [FieldProblem(field, each.code or "invalid", " ".join(each.messages)) for each in error.error_list]
        raise PasswordRefusedError(" ".join(error.messages), problems=problems) from error


def register(
    *, email: str, password: str, display_name: str = "", invite: str = "", now: datetime, request_meta: RequestMeta
) -> User:
    """Make an account for whoever asks, if registration is open to them; the first one owns the instance."""
    charge(budgets=registration_budgets(network_address=network_of(request_meta.network_address)), now=now)
    check_may_register(invite=invite, now=now)
    check_new_password(password=password, user=User(email=normalize_email(email), display_name=display_name))
    user = User(email=normalize_email(email), display_name=display_name.strip())
    user.set_password(password)
    return admit(user=user, invite=invite, now=now, request_meta=request_meta)


def check_may_register(*, invite: str, now: datetime) -> None:
    """Refuse where registration is closed, or open to the invited only and the invite is not good."""
    state = registration_state()
    if invite:
        if _open_invite(invite, now=now) is None:
            raise InviteRefusedError
        return
    if state is not Registration.OPEN:
        raise RegistrationClosedError


@transaction.atomic
def admit(*, user: User, invite: str, now: datetime, request_meta: RequestMeta) -> User:
    """Store a new person whose password is set already, with the role that is due to them."""
    hold_ownership()
    check_may_register(invite=invite, now=now)
    user.role = Role.MEMBER if User.objects.owners().exists() else Role.OWNER
    used = _open_invite(invite, now=now) if invite else None
    if used is not None and user.role is not Role.OWNER:
        user.role = Role(used.role)
    _store(user, verified=False, now=now)
    if used is not None:
        used.used_at, used.used_by = now, user
        used.save(update_fields=["used_at", "used_by"])
    record_audit(
        actor=user, action="account.registered", now=now, detail={"role": str(user.role)}, request_meta=request_meta
    )
    order_mail(kind=MailKind.VERIFY, user=user, address=user.email, now=now)
    publish(UserRegistered(user_id=user.pk))
    return user


@transaction.atomic
def create_person(
    *,
    email: str,
    password: str,
    role: Role,
    display_name: str = "",
    now: datetime,
    is_demo: bool = False,
    actor: User | None = None,
    request_meta: RequestMeta = NO_REQUEST,
) -> User:
    """Make an account for somebody else, as set-up and the commands do; no mail is sent."""
    user = User(email=normalize_email(email), role=role, display_name=display_name, is_demo=is_demo)
    user.set_password(password)
    _store(user, verified=True, now=now)
    record_audit(
        actor=actor,
        subject=user,
        action="account.created",
        now=now,
        detail={"role": str(role)},
        request_meta=request_meta,
    )
    publish(UserRegistered(user_id=user.pk))
    return user


def make_invite(*, actor: User, role: Role, note: str, now: datetime, request_meta: RequestMeta) -> tuple[Invite, str]:
    """Make an invite for one person; return it with the token that its link carries."""
    if not actor.runs_instance or (role is Role.ADMIN and actor.role != Role.OWNER) or role is Role.OWNER:
        raise DeniedError("Only the owner may invite an admin; nobody can be invited as owner.")
    invite = Invite.objects.create(created_by=actor, role=role, note=note, created_at=now, expires_at=now + INVITE_AGE)
    record_audit(
        actor=actor,
        action="invite.created",
        target=str(invite.pk),
        now=now,
        detail={"role": str(role)},
        request_meta=request_meta,
    )
    return invite, signing.dumps(str(invite.pk), salt=_INVITE_SALT)


def revoke_invite(*, actor: User, invite_id: UUID, now: datetime, request_meta: RequestMeta) -> None:
    """Take back an invite that nobody has used."""
    if not Invite.objects.open(now=now).filter(pk=invite_id).update(revoked_at=now):
        raise NotFoundError
    record_audit(actor=actor, action="invite.revoked", target=str(invite_id), now=now, request_meta=request_meta)


def _store(user: User, *, verified: bool, now: datetime) -> None:
    if User.objects.with_email(user.email).exists() or EmailAddress.objects.is_verified(user.email):
        raise EmailTakenError
    user.created_at = now
    user.save(force_insert=True)
    Preferences.objects.create(user=user)
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=verified)


def _open_invite(token: str, *, now: datetime) -> Invite | None:
    try:
        invite_id = signing.loads(token, salt=_INVITE_SALT, max_age=INVITE_AGE)
    except signing.BadSignature:
        return None
    invites = Invite.objects.open(now=now).filter(pk=invite_id)
    return invites.select_for_update(of=("self",)).first() if connection.in_atomic_block else invites.first()
