"""Second factors and passkeys: set up, renewed, removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.accounts.actions import authenticators
from apps.accounts.actions.attempts import charge, give_back
from apps.accounts.actions.audit import record_audit
from apps.accounts.actions.ceremonies import begin_ceremony, ceremony_of, spend_ceremony
from apps.accounts.actions.mail import order_notice
from apps.accounts.domain.budgets import second_factor_budgets
from apps.accounts.domain.factors import RECOVERY_CODE, Passkey
from apps.accounts.domain.origin import RequestMeta
from apps.accounts.models import User
from apps.accounts.models.sign_in import CeremonyKind
from apps.accounts.queries import factors_of, unused_recovery_codes
from apps.core.errors import ConflictError, FieldProblem, InvalidError, NotFoundError


class SetUpRefusedError(InvalidError):
    """The code or the passkey's answer does not fit, or the ticket is too old."""

    code = "set_up_refused"
    title = "Not set up"
    default_detail = "The answer does not fit. Start again and enter the present code."


class NoSecondFactorError(ConflictError):
    """Recovery codes stand in for a second factor, and there is none."""

    code = "no_second_factor"
    title = "There is no second factor"
    default_detail = "Set up an authenticator app or a passkey first."


@dataclass(frozen=True, slots=True)
class TotpOffer:
    """What an authenticator app is set up with."""

    ticket: str
    secret: str
    uri: str

    def __repr__(self) -> str:
        return "TotpOffer(***)"


def offer_totp(*, user: User, now: datetime) -> TotpOffer:
    """Make a secret for an authenticator app; it counts once a code has been shown."""
    secret = authenticators.new_totp_secret()
    state = authenticators.sealed(user_id=user.pk, secret=secret)
    ticket = begin_ceremony(kind=CeremonyKind.TOTP_NEW, user=user, state=state, now=now)
    return TotpOffer(ticket=ticket, secret=secret, uri=authenticators.totp_uri(user=user, secret=secret))


def confirm_totp(*, user: User, ticket: str, code: str, now: datetime, request_meta: RequestMeta) -> list[str]:
    """Turn the authenticator app on; return new recovery codes where there were none."""
    ceremony = ceremony_of(ticket=ticket, kind=CeremonyKind.TOTP_NEW, user=user, now=now)
    charged = charge(budgets=second_factor_budgets(user_id=str(user.pk)), now=now)
    if ceremony is None:
        raise SetUpRefusedError(problems=[FieldProblem("ticket", "expired", "Start again.")])
    secret = authenticators.unsealed(user_id=user.pk, text=ceremony.state)
    if not authenticators.totp_matches(secret=secret, code=code) or not authenticators.spend_totp(
        user=user, code=code, now=now
    ):
        raise SetUpRefusedError(problems=[FieldProblem("code", "wrong_code", "Enter the code that the app shows now.")])
    give_back(charged=charged)
    with transaction.atomic():
        if not spend_ceremony(ceremony=ceremony):
            raise SetUpRefusedError
        authenticators.turn_on_totp(user=user, secret=secret)
        codes = authenticators.ensure_recovery_codes(user=user)
        _note(user, "totp_turned_on", now=now, request_meta=request_meta)
    return codes


def turn_off_totp(*, user: User, now: datetime, request_meta: RequestMeta) -> None:
    """Forget the authenticator app."""
    with transaction.atomic():
        if not authenticators.turn_off_totp(user=user):
            raise NotFoundError
        _note(user, "totp_turned_off", now=now, request_meta=request_meta)


def show_recovery_codes(*, user: User, now: datetime, request_meta: RequestMeta) -> list[str]:
    """Return the recovery codes that are left; that they were looked at is written down."""
    codes = unused_recovery_codes(user=user)
    record_audit(actor=user, action="second_factor.recovery_codes_viewed", now=now, request_meta=request_meta)
    return codes


def renew_recovery_codes(*, user: User, now: datetime, request_meta: RequestMeta) -> list[str]:
    """Replace the recovery codes; the old ones are worth nothing from now on."""
    if factors_of(user=user) <= {RECOVERY_CODE}:
        raise NoSecondFactorError
    with transaction.atomic():
        codes = authenticators.renew_recovery_codes(user=user)
        _note(user, "recovery_codes_renewed", now=now, request_meta=request_meta)
    return codes


def offer_passkey(*, user: User, now: datetime) -> tuple[str, Mapping[str, Any]]:
    """Start making a passkey; return the ticket and the options for the browser."""
    options, state = authenticators.begin_passkey(user=user)
    return begin_ceremony(kind=CeremonyKind.PASSKEY_NEW, user=user, state=state, now=now), options


def add_passkey(
    *,
    user: User,
    ticket: str,
    credential: Mapping[str, Any],
    name: str,
    now: datetime,
    request_meta: RequestMeta,
) -> tuple[Passkey, list[str]]:
    """Store the passkey that the browser made; return it with new recovery codes where there were none."""
    ceremony = ceremony_of(ticket=ticket, kind=CeremonyKind.PASSKEY_NEW, user=user, now=now)
    if ceremony is None or not spend_ceremony(ceremony=ceremony):
        raise SetUpRefusedError(problems=[FieldProblem("ticket", "expired", "Start again.")])
    with transaction.atomic():
        passkey = authenticators.add_passkey(user=user, state=ceremony.state, credential=credential, name=name)
        if passkey is None:
            problem = FieldProblem("credential", "wrong_answer", "The browser's answer does not fit.")
            raise SetUpRefusedError(problems=[problem])
        codes = authenticators.ensure_recovery_codes(user=user)
        _note(user, "passkey_added", target=passkey.id, now=now, request_meta=request_meta)
    return passkey, codes


def remove_passkey(*, user: User, passkey_id: str, now: datetime, request_meta: RequestMeta) -> None:
    """Forget a passkey."""
    with transaction.atomic():
        if not authenticators.remove_passkey(user=user, passkey_id=passkey_id):
            raise NotFoundError
        _note(user, "passkey_removed", target=passkey_id, now=now, request_meta=request_meta)


def _note(user: User, what: str, *, now: datetime, request_meta: RequestMeta, target: str = "") -> None:
    record_audit(actor=user, action=f"second_factor.{what}", target=target, now=now, request_meta=request_meta)
    order_notice(user=user, notice=what, now=now, request_meta=request_meta)
