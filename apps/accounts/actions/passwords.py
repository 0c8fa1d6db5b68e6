"""Passwords: changed by who is signed in, or set anew with the link from a mail."""

from datetime import datetime
from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.utils import url_str_to_user_pk
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.actions.attempts import charge
from apps.accounts.actions.audit import record_audit
from apps.accounts.actions.mail import order_mail, order_notice
from apps.accounts.actions.registration import check_new_password
from apps.accounts.actions.sessions import end_everything
from apps.accounts.actions.sign_in import prove_identity
from apps.accounts.domain.budgets import reset_budgets
from apps.accounts.domain.mail import MailKind
from apps.accounts.domain.origin import RequestMeta
from apps.accounts.models import User
from apps.accounts.models.people import normalize_email
from apps.core.api.throttles import network_of
from apps.core.errors import InvalidError


class ResetKeyRefusedError(InvalidError):
    """The link for a new password was used before, is too old, or is not one of ours."""

    code = "reset_key_refused"
    title = "This link is not valid any more"
    default_detail = "Ask for a new password again; the newest mail has the link that works."


def change_password(
    *,
    user: User,
    current: str,
    password: str,
    family_id: UUID | None,
    session_key: str,
    now: datetime,
    request_meta: RequestMeta,
) -> None:
    """Set a new password for who is signed in and knows the present one, and end every other session of theirs."""
    prove_identity(user=user, password=current, code="", now=now, request_meta=request_meta)
    check_new_password(password=password, user=user, field="new_password")
    user.set_password(password)
    with transaction.atomic():
        user.save(update_fields=["password"])
        end_everything(user=user, reason="password", but_family=family_id, but_session=session_key, now=now)
        record_audit(actor=user, action="password.changed", now=now, request_meta=request_meta)
        order_notice(user=user, notice="password_changed", now=now, request_meta=request_meta)


def request_password_reset(*, email: str, now: datetime, request_meta: RequestMeta) -> None:
    """Order the mail with the link; the same work is done whether there is such an account or not."""
    email = normalize_email(email)
    network = network_of(request_meta.network_address)
    charge(budgets=reset_budgets(email=email, network_address=network), now=now)
    with transaction.atomic():
        user = User.objects.active().with_email(email).first()
        record_audit(actor=None, subject=user, action="password.reset_requested", now=now, request_meta=request_meta)
        order_mail(kind=MailKind.PASSWORD_RESET, user=user, address=email, now=now)


def reset_password(*, key: str, password: str, now: datetime, request_meta: RequestMeta) -> User:
    """Set a new password with the key from the mail, and end every session of the person."""
    user = person_of_reset_key(key=key)
    if user is None:
        raise ResetKeyRefusedError
    check_new_password(password=password, user=user, field="new_password")
    user.set_password(password)
    with transaction.atomic():
        present = User.objects.get_queryset().select_for_update().filter(pk=user.pk).first()
        if present is None or person_of_reset_key(key=key) is None:  # spent by another request while we hashed
            raise ResetKeyRefusedError
        user.save(update_fields=["password"])
        note_password_reset(user=user, now=now, request_meta=request_meta)
    return user


def note_password_reset(*, user: User, now: datetime, request_meta: RequestMeta) -> None:
    """End every session after a password was set with a link, and write it down."""
    end_everything(user=user, reason="password", now=now)
    record_audit(actor=user, action="password.reset", now=now, request_meta=request_meta)
    order_notice(user=user, notice="password_reset", now=now, request_meta=request_meta)


def person_of_reset_key(*, key: str) -> User | None:
    """Return the person whom the key from a mail belongs to, if it is good."""
    text, _, token = key.partition("-")
    try:
        user_id = url_str_to_user_pk(text)
    except (ValueError, OverflowError, ValidationError):
        return None
    user = User.objects.active().filter(pk=user_id).first()
    return user if user is not None and default_token_generator.check_token(user, token) else None
