"""Signing in: the one way in for pages and programs. Nothing here tells a stranger who has an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from prometheus_client import Counter

from apps.accounts.actions import authenticators
from apps.accounts.actions.attempts import charge, give_back
from apps.accounts.actions.audit import record_audit
from apps.accounts.actions.ceremonies import begin_ceremony, ceremony_of, spend_ceremony
from apps.accounts.actions.program_sessions import TokenPair, open_family
from apps.accounts.domain.budgets import proof_budgets, second_factor_budgets, sign_in_budgets
from apps.accounts.domain.factors import PASSKEY, RECOVERY_CODE
from apps.accounts.domain.origin import RequestMeta
from apps.accounts.gateways import device_tokens
from apps.accounts.models import User
from apps.accounts.models.people import normalize_email
from apps.accounts.models.sign_in import Ceremony, CeremonyKind
from apps.accounts.queries import factors_of
from apps.core.api.throttles import network_of
from apps.core.errors import FieldProblem, InvalidError, UnauthenticatedError

failures = Counter("coinsphere_sign_in_failures_total", "Sign-ins that failed, by what was wrong.", ["step"])


class CredentialsRefusedError(UnauthenticatedError):
    """The e-mail address and the password do not belong together, or there is no such account."""

    code = "credentials_refused"
    title = "Not signed in"
    default_detail = "The e-mail address or the password is not right. Try again, or ask for a new password."


class CodeRefusedError(UnauthenticatedError):
    """The second factor is wrong, used, or too late."""

    code = "code_refused"
    title = "Not signed in"
    default_detail = "The code is not right or too old. Enter the present one, or sign in again."


class ProofRefusedError(InvalidError):
    """The password or code with which a signed-in person proves who they are is wrong."""

    code = "proof_refused"
    title = "Not confirmed"
    default_detail = "The password or the code is not right. Try again."


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A program has signed in."""

    user: User
    tokens: TokenPair
    device_token: str


@dataclass(frozen=True, slots=True)
class SecondFactorNeeded:
    """The password was right; a second factor is asked for."""

    ticket: str
    methods: tuple[str, ...]
    passkey_options: Mapping[str, Any] | None


def check_password(*, email: str, password: str, now: datetime, request_meta: RequestMeta) -> User:
    """Return the person with this address and password, at the same cost whether there is one or not."""
    email = normalize_email(email)
    device_id = device_tokens.device_id_for(request_meta.device_token, email=email)
    network = network_of(request_meta.network_address)
    charged = charge(budgets=sign_in_budgets(email=email, network_address=network, device_id=device_id), now=now)
    user = User.objects.with_email(email).first()
    if not _is_right(user, password) or user is None or not _may_sign_in(user):
        failures.labels(step="password").inc()
        record_audit(actor=None, subject=user, action="sign_in.failed", now=now, request_meta=request_meta)
        raise CredentialsRefusedError
    give_back(charged=charged)
    return user


def sign_in_program(
    *, email: str, password: str, now: datetime, request_meta: RequestMeta
) -> SignedIn | SecondFactorNeeded:
    """Sign a program in, or ask for the second factor that the person has set up."""
    user = check_password(email=email, password=password, now=now, request_meta=request_meta)
    methods = factors_of(user=user)
    if methods <= {RECOVERY_CODE}:
        return admit_program(user=user, via="password", now=now, request_meta=request_meta)
    options, state = None, ""
    if PASSKEY in methods:
        options, state = authenticators.begin_passkey_proof(user=user)
    ticket = begin_ceremony(kind=CeremonyKind.SECOND_FACTOR, user=user, state=state, now=now)
    return SecondFactorNeeded(ticket=ticket, methods=tuple(sorted(methods)), passkey_options=options)


def verify_second_factor(
    *, ticket: str, code: str, credential: Mapping[str, Any] | None, now: datetime, request_meta: RequestMeta
) -> SignedIn:
    """Finish a program's sign-in with a code or a passkey."""
    ceremony = ceremony_of(ticket=ticket, kind=CeremonyKind.SECOND_FACTOR, now=now)
    if ceremony is None or ceremony.user is None or not _may_sign_in(ceremony.user):
        failures.labels(step="ticket").inc()
        raise CodeRefusedError
    user = ceremony.user
    check_second_factor(
        user=user, code=code, ceremony=ceremony, credential=credential, now=now, request_meta=request_meta
    )
    if not spend_ceremony(ceremony=ceremony):
        raise CodeRefusedError
    return admit_program(user=user, via="second_factor", now=now, request_meta=request_meta)


def check_second_factor(
    *,
    user: User,
    code: str,
    now: datetime,
    request_meta: RequestMeta,
    ceremony: Ceremony | None = None,
    credential: Mapping[str, Any] | None = None,
) -> int:
    """Accept a code of the authenticator app, a recovery code or a passkey's answer; return what it came from."""
    charged = charge(budgets=second_factor_budgets(user_id=str(user.pk)), now=now)
    if credential is not None and ceremony is not None:
        used = authenticators.passkey_of_answer(user=user, state=ceremony.state, credential=credential)
    else:
        used = authenticators.authenticator_of_code(user=user, code=code, now=now)
    if used is None:
        failures.labels(step="second_factor").inc()
        record_audit(actor=None, subject=user, action="sign_in.code_failed", now=now, request_meta=request_meta)
        raise CodeRefusedError
    give_back(charged=charged)
    return used


def begin_passkey_sign_in(*, now: datetime) -> tuple[str, Mapping[str, Any]]:
    """Start a sign-in with a passkey alone; return the ticket and the options for the browser."""
    options, state = authenticators.begin_passkey_sign_in()
    return begin_ceremony(kind=CeremonyKind.PASSKEY_SIGN_IN, user=None, state=state, now=now), options


def sign_in_with_passkey(
    *, ticket: str, credential: Mapping[str, Any], now: datetime, request_meta: RequestMeta
) -> SignedIn:
    """Finish a program's sign-in with a passkey, which is both factors in one."""
    ceremony = ceremony_of(ticket=ticket, kind=CeremonyKind.PASSKEY_SIGN_IN, now=now)
    if ceremony is None or not spend_ceremony(ceremony=ceremony):
        raise CodeRefusedError
    user = authenticators.person_of_passkey(state=ceremony.state, credential=credential)
    if user is None or not _may_sign_in(user):
        failures.labels(step="passkey").inc()
        record_audit(actor=None, subject=user, action="sign_in.passkey_failed", now=now, request_meta=request_meta)
        raise CodeRefusedError
    return admit_program(user=user, via="passkey", now=now, request_meta=request_meta)


def admit_program(*, user: User, via: str, now: datetime, request_meta: RequestMeta) -> SignedIn:
    """Give a program its tokens after every check has passed."""
    tokens = open_family(user=user, now=now, request_meta=request_meta)
    User.objects.filter(pk=user.pk).update(last_login=now)
    note_sign_in(user=user, via=via, door="api", now=now, request_meta=request_meta)
    return SignedIn(
        user=user, tokens=tokens, device_token=device_tokens.mark(request_meta.device_token, email=user.email)
    )


def note_sign_in(*, user: User, via: str, door: str, now: datetime, request_meta: RequestMeta) -> None:
    """Write down that a person has signed in."""
    record_audit(
        actor=user, action="sign_in.succeeded", now=now, detail={"via": via, "door": door}, request_meta=request_meta
    )


def prove_identity(*, user: User, password: str, code: str, now: datetime, request_meta: RequestMeta) -> None:
    """Let a signed-in person prove again who they are, with their password or a code."""
    charged = charge(budgets=proof_budgets(user_id=str(user.pk)), now=now)
    if code:
        right = authenticators.authenticator_of_code(user=user, code=code, now=now) is not None
    else:
        right = user.check_password(password)
    if not right:
        failures.labels(step="proof").inc()
        record_audit(actor=user, action="identity.proof_failed", now=now, request_meta=request_meta)
        field = "code" if code else "password"
        raise ProofRefusedError(problems=[FieldProblem(field, "proof_refused", ProofRefusedError.default_detail)])
    give_back(charged=charged)
    record_audit(actor=user, action="identity.proved", now=now, request_meta=request_meta)


def _is_right(user: User | None, password: str) -> bool:
    if user is None:
        make_password(password)
        return False
    return user.check_password(password)


def _may_sign_in(user: User) -> bool:
    return user.is_active and (settings.LISTENS_ON_LOOPBACK or not user.is_demo)
