"""Personal access tokens: made, shown once, revoked."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from apps.accounts.actions.audit import record_audit
from apps.accounts.actions.mail import order_notice
from apps.accounts.domain.grants import Scope, scopes_text
from apps.accounts.domain.origin import RequestMeta
from apps.accounts.domain.secrets import new_personal_secret
from apps.accounts.events import AccessEnded
from apps.accounts.models import PersonalToken, User
from apps.core.errors import ConflictError, DeniedError, FieldProblem, InvalidError, NotFoundError
from apps.core.events import publish

LONGEST_LIFE = timedelta(days=366)
MOST_TOKENS = 50


class TooManyTokensError(ConflictError):
    """The person keeps more tokens than anybody can keep an eye on."""

    code = "too_many_tokens"
    title = "Too many tokens"
    default_detail = "Revoke tokens that you no longer use, then make a new one."


def make_personal_token(
    *,
    user: User,
    name: str,
    scopes: Iterable[Scope],
    expires_at: datetime,
    now: datetime,
    request_meta: RequestMeta,
) -> tuple[PersonalToken, str]:
    """Make a token; its text is returned this once and stored nowhere."""
    if not now < expires_at <= now + LONGEST_LIFE:
        problem = FieldProblem("expires_at", "out_of_range", "Choose a time from now to a year from now.")
        raise InvalidError(problems=[problem])
    chosen = set(scopes)
    if Scope.ADMIN in chosen and not user.runs_instance:
        raise DeniedError("Only those who run the instance can make a token with the admin scope.")
    if PersonalToken.objects.for_user(user).kept().count() >= MOST_TOKENS:
        raise TooManyTokensError
    secret = new_personal_secret()
    token = PersonalToken.objects.create(
        user=user,
        name=name,
        scopes=scopes_text(chosen),
        lookup=secret.lookup,
        secret_hash=secret.hash,
        created_at=now,
        expires_at=expires_at,
    )
    record_audit(
        actor=user,
        action="token.created",
        target=str(token.pk),
        now=now,
        detail={"scopes": token.scopes},
        request_meta=request_meta,
    )
    order_notice(user=user, notice="token_created", now=now, request_meta=request_meta)
    return token, secret.text


def revoke_personal_token(*, user: User, token_id: UUID, now: datetime, request_meta: RequestMeta) -> None:
    """End a token; whoever sends it from now on is refused."""
    if not PersonalToken.objects.for_user(user).kept().filter(pk=token_id).update(revoked_at=now):
        raise NotFoundError
    record_audit(actor=user, action="token.revoked", target=str(token_id), now=now, request_meta=request_meta)
    publish(AccessEnded(user_id=user.pk, family_id=token_id))


def revoke_all_personal_tokens(*, user: User, now: datetime) -> int:
    """End every token of a person."""
    return PersonalToken.objects.for_user(user).kept().update(revoked_at=now)


def note_use(*, token_id: UUID, now: datetime) -> None:
    """Write down when a token was last used; asked at most once a minute per token."""
    PersonalToken.objects.filter(pk=token_id).update(last_used_at=now)
