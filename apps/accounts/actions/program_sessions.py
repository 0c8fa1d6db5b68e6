"""Sessions of programs: a family of tokens is opened by a sign-in, kept up by refreshing, and ended as a whole."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.accounts.actions.audit import record_audit
from apps.accounts.domain.origin import NO_REQUEST, RequestMeta
from apps.accounts.events import AccessEnded
from apps.accounts.gateways import signed_tokens
from apps.accounts.models import RefreshFamily, User
from apps.core.errors import NotFoundError, UnauthenticatedError
from apps.core.events import publish
from apps.core.ids import uuid7


class RefreshRefusedError(UnauthenticatedError):
    """The refresh token is not valid, or it was used before."""

    code = "refresh_refused"
    title = "Sign in again"
    default_detail = "This refresh token is not accepted. Sign in again to get a new one."


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a program holds: a token to work with, and one to get the next pair with."""

    access: str
    refresh: str

    def __repr__(self) -> str:
        return "TokenPair(***)"


def open_family(*, user: User, now: datetime, request_meta: RequestMeta) -> TokenPair:
    """Open a session for a program that has just signed in."""
    family = RefreshFamily.objects.create(
        user=user,
        live_token=uuid7(),
        network_address=request_meta.network_address[:45],
        device=request_meta.device[:200],
        created_at=now,
        authenticated_at=now,
        last_used_at=now,
        expires_at=now + _life("REFRESH_TOKEN_LIFETIME"),
    )
    return _pair(family, now=now)


def refresh_family(*, refresh: str, now: datetime, request_meta: RequestMeta = NO_REQUEST) -> TokenPair:
    """Exchange a refresh token for a new pair; one that is spent already ends its family."""
    try:
        claims = signed_tokens.read(refresh, kind=signed_tokens.REFRESH, now=now)
    except signed_tokens.TokenRefusedError as error:
        raise RefreshRefusedError from error
    outcome = _rotate(claims, now=now, request_meta=request_meta)
    if outcome is None:
        raise RefreshRefusedError
    return outcome


@transaction.atomic
def _rotate(claims: signed_tokens.Claims, *, now: datetime, request_meta: RequestMeta) -> TokenPair | None:
    families = RefreshFamily.objects.select_related("user").select_for_update(of=("self",)).open(now=now)
    family = families.filter(pk=claims.family_id, user__is_active=True).first()
    if family is None:
        return None
    if family.live_token != claims.token_id:
        _end([family], reason="reuse", now=now)
        record_audit(
            actor=None,
            subject=family.user,
            action="session.reuse_detected",
            target=str(family.pk),
            now=now,
            request_meta=request_meta,
        )
        return None
    family.live_token = uuid7()
    family.last_used_at = now
    family.expires_at = now + _life("REFRESH_TOKEN_LIFETIME")
    family.save(update_fields=["live_token", "last_used_at", "expires_at"])
    return _pair(family, now=now)


@transaction.atomic
def end_family(*, user: User, family_id: UUID, now: datetime, request_meta: RequestMeta) -> None:
    """End one program's session of this person."""
    family = RefreshFamily.objects.for_user(user).open(now=now).select_for_update().filter(pk=family_id).first()
    if family is None:
        raise NotFoundError
    _end([family], reason="revoked", now=now)
    record_audit(actor=user, action="session.ended", target=str(family.pk), now=now, request_meta=request_meta)


def end_by_refresh_token(*, refresh: str, now: datetime, request_meta: RequestMeta) -> None:
    """End the session that a refresh token belongs to; a token that is not valid any more ends nothing."""
    try:
        claims = signed_tokens.read(refresh, kind=signed_tokens.REFRESH, now=now)
    except signed_tokens.TokenRefusedError as error:
        raise RefreshRefusedError from error
    family = RefreshFamily.objects.open(now=now).select_related("user").filter(pk=claims.family_id).first()
    if family is not None:
        end_family(user=family.user, family_id=family.pk, now=now, request_meta=request_meta)


@transaction.atomic
def end_all_families(*, user: User, reason: str, now: datetime, but: UUID | None = None) -> int:
    """End every program's session of this person, save one."""
    found = RefreshFamily.objects.for_user(user).open(now=now).select_for_update()
    families = list(found if but is None else found.exclude(pk=but))
    _end(families, reason=reason, now=now)
    return len(families)


def renew_proof(*, family_id: UUID, now: datetime) -> None:
    """Note that the person behind a program's session has just proved again who they are."""
    RefreshFamily.objects.open(now=now).filter(pk=family_id).update(authenticated_at=now)


def _life(name: str) -> timedelta:
    return cast("timedelta", settings.SIMPLE_JWT[name])


def _end(families: list[RefreshFamily], *, reason: str, now: datetime) -> None:
    for family in families:
        family.ended_at = now
        family.end_reason = reason
    RefreshFamily.objects.bulk_update(families, ["ended_at", "end_reason"])
    for family in families:
        publish(AccessEnded(user_id=family.user_id, family_id=family.pk))


def _pair(family: RefreshFamily, *, now: datetime) -> TokenPair:
    def signed(kind: str, token_id: UUID, expires_at: datetime) -> str:
        return signed_tokens.sign(
            kind=kind,
            user_id=family.user_id,
            family_id=family.pk,
            token_id=token_id,
            now=now,
            expires_at=expires_at,
        )

    return TokenPair(
        access=signed(signed_tokens.ACCESS, uuid7(), now + _life("ACCESS_TOKEN_LIFETIME")),
        refresh=signed(signed_tokens.REFRESH, family.live_token, family.expires_at),
    )
