"""Second factors and passkeys, on the authenticators of allauth; the secrets are sealed by its adapter."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp_auth
from allauth.mfa.webauthn.internal import auth as webauthn_auth
from cryptography.exceptions import InvalidSignature
from django.core.exceptions import ValidationError
from django.db import transaction
from fido2.webauthn import ResidentKeyRequirement, UserVerificationRequirement

from apps.accounts.actions.attempts import spend_once
from apps.accounts.domain.budgets import spent_code_budget
from apps.accounts.domain.factors import Passkey
from apps.accounts.models import User
from apps.core import vault

_owner: ContextVar[UUID | None] = ContextVar("owner_of_new_authenticator", default=None)

#: What fido2 raises on an answer that a browser would not send.
_BAD_ANSWER = (ValueError, TypeError, KeyError, AttributeError, IndexError, InvalidSignature, ValidationError)


def authenticator_of_code(*, user: User, code: str, now: datetime) -> int | None:
    """Return what the code came from, an authenticator app or the recovery codes, and spend it; nothing if wrong."""
    mine = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN).order_by("-type")
    for authenticator in mine:
        if code and authenticator.wrap().validate_code(code):
            if authenticator.type == Authenticator.Type.TOTP and not spend_totp(user=user, code=code, now=now):
                return None
            authenticator.record_usage()
            return int(authenticator.pk)
    return None


def spend_totp(*, user: User, code: str, now: datetime) -> bool:
    """Remember the code longer than it is right: allauth forgets it after one period, and two more accept it."""
    budget = spent_code_budget(user_id=str(user.pk), code=normalize_user_code(code))
    return spend_once(budget=budget, now=now)


# --- Authenticator app and recovery codes ---------------------------------------------------------------------------
def new_totp_secret() -> str:
    """Return a fresh secret for an authenticator app."""
    return str(totp_auth.generate_totp_secret())


def totp_uri(*, user: User, secret: str) -> str:
    """Return what the QR code holds."""
    return str(get_adapter().build_totp_url(user, secret))


def sealed(*, user_id: UUID, secret: str) -> str:
    """Return the secret as it may be stored; it opens for this person only."""
    sealed = vault.seal(ring=vault.key_ring(), secret=vault.Secret(secret), place=_place(user_id))
    return base64.b64encode(sealed).decode()


def unsealed(*, user_id: UUID, text: str) -> str:
    """Return the secret that `sealed` hid for this person."""
    return vault.unseal(ring=vault.key_ring(), sealed=base64.b64decode(text), place=_place(user_id)).reveal()


def _place(user_id: UUID) -> vault.Place:
    return vault.Place(owner=str(user_id), record="authenticator", field="secret")


def owner_at_hand() -> UUID | None:
    """Return the person whose authenticator one of our actions is making at the moment."""
    return _owner.get()


@contextmanager
def _making_for(user: User) -> Iterator[None]:
    """Let allauth, whose hook is given the secret alone, seal it for this person."""
    token = _owner.set(user.pk)
    try:
        yield
    finally:
        _owner.reset(token)


def totp_matches(*, secret: str, code: str) -> bool:
    """Tell whether an authenticator app with this secret shows this code now."""
    return bool(totp_auth.validate_totp_code(secret, code))


@transaction.atomic
def turn_on_totp(*, user: User, secret: str) -> None:
    """Let the person sign in with the authenticator app from now on, instead of an earlier one."""
    Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).delete()
    with _making_for(user):
        totp_auth.TOTP.activate(user, secret)


@transaction.atomic
def turn_off_totp(*, user: User) -> bool:
    """Forget the authenticator app; false when there is none."""
    gone = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).delete()[0]
    _drop_codes_without_factor(user)
    return bool(gone)


def ensure_recovery_codes(*, user: User) -> list[str]:
    """Make recovery codes if there are none; return the new ones."""
    if Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).exists():
        return []
    return _new_recovery_codes(user)


@transaction.atomic
def renew_recovery_codes(*, user: User) -> list[str]:
    """Replace the recovery codes by new ones."""
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    return _new_recovery_codes(user)


def _new_recovery_codes(user: User) -> list[str]:
    with _making_for(user):
        return list(RecoveryCodes.activate(user).get_unused_codes())


def _drop_codes_without_factor(user: User) -> None:
    mine = Authenticator.objects.filter(user=user)
    if not mine.exclude(type=Authenticator.Type.RECOVERY_CODES).exists():
        mine.delete()


# --- Passkeys -------------------------------------------------------------------------------------------------------
def begin_passkey(*, user: User) -> tuple[dict[str, Any], str]:
    """Return the options with which a browser makes a passkey, and the state to check its answer with."""
    options, state = webauthn_auth.get_server().register_begin(
        user=webauthn_auth.build_user_payload(user),
        credentials=webauthn_auth.get_credentials(user),
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
        extensions=webauthn_auth.EXTENSIONS,
    )
    return dict(options), json.dumps(state)


def add_passkey(*, user: User, state: str, credential: Mapping[str, Any], name: str) -> Passkey | None:
    """Store the passkey that a browser made; nothing when its answer is not right."""
    try:
        webauthn_auth.parse_registration_response(dict(credential))
        webauthn_auth.get_server().register_complete(json.loads(state), dict(credential))
    except _BAD_ANSWER:
        return None
    shown = name or get_adapter().generate_authenticator_name(user, Authenticator.Type.WEBAUTHN)
    row = webauthn_auth.WebAuthn.add(user, shown, dict(credential)).instance
    return Passkey(str(row.pk), shown, row.created_at, row.last_used_at)


@transaction.atomic
def remove_passkey(*, user: User, passkey_id: str) -> bool:
    """Forget a passkey; false when the person has no such one."""
    if not passkey_id.isascii() or not passkey_id.isdecimal() or len(passkey_id) > 9:
        return False
    mine = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    gone = mine.filter(pk=int(passkey_id)).delete()[0]
    _drop_codes_without_factor(user)
    return bool(gone)


def begin_passkey_proof(*, user: User) -> tuple[dict[str, Any], str]:
    """Return the options with which a browser proves that it holds one of the person's passkeys."""
    options, state = webauthn_auth.get_server().authenticate_begin(
        credentials=webauthn_auth.get_credentials(user), user_verification=UserVerificationRequirement.PREFERRED
    )
    return dict(options), json.dumps(state)


def begin_passkey_sign_in() -> tuple[dict[str, Any], str]:
    """Return the options with which a browser offers any passkey for this place."""
    options, state = webauthn_auth.get_server().authenticate_begin(
        credentials=[], user_verification=UserVerificationRequirement.REQUIRED
    )
    return dict(options), json.dumps(state)


def passkey_of_answer(*, user: User, state: str, credential: Mapping[str, Any]) -> int | None:
    """Return which of the person's passkeys the browser's answer comes from, or nothing if from none."""
    if not state:
        return None
    credentials = webauthn_auth.get_credentials(user)
    try:
        webauthn_auth.parse_authentication_response(dict(credential))
        used = webauthn_auth.get_server().authenticate_complete(json.loads(state), credentials, dict(credential))
    except _BAD_ANSWER:
        return None
    authenticator = webauthn_auth.get_authenticator_by_credential_id(user, used.credential_id)
    if authenticator is None:
        return None
    authenticator.record_usage()
    return int(authenticator.pk)


def person_of_passkey(*, state: str, credential: Mapping[str, Any]) -> User | None:
    """Return whose passkey answered, or nobody when the answer is not right."""
    try:
        user = webauthn_auth.extract_user_from_response(dict(credential))
    except _BAD_ANSWER:
        return None
    if not isinstance(user, User):
        return None
    used = passkey_of_answer(user=user, state=state, credential=credential)
    return None if used is None else user
