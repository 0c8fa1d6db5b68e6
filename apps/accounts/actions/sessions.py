"""Sessions of browsers, and the end of every kind of session at once."""

from datetime import datetime
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.db import transaction

from apps.accounts.actions.audit import record_audit
from apps.accounts.actions.ceremonies import forget_ceremonies_of
from apps.accounts.actions.program_sessions import end_all_families, end_family
from apps.accounts.domain.origin import RequestMeta
from apps.accounts.events import AccessEnded
from apps.accounts.models import User
from apps.core.errors import NotFoundError
from apps.core.events import publish


def end_session(*, user: User, session_id: str, now: datetime, request_meta: RequestMeta) -> None:
    """End one session of this person, a browser's or a program's."""
    if session_id.startswith("browser-"):
        _end_browser_session(user, session_id.removeprefix("browser-"), now=now, request_meta=request_meta)
        return
    try:
        family_id = UUID(session_id)
    except ValueError as error:
        raise NotFoundError from error
    end_family(user=user, family_id=family_id, now=now, request_meta=request_meta)


@transaction.atomic
def end_other_sessions(*, user: User, session_key: str, now: datetime, request_meta: RequestMeta) -> None:
    """End every session of this person but the browser's that asks for it."""
    end_everything(user=user, reason="person", but_session=session_key, now=now)
    record_audit(actor=user, action="session.others_ended", now=now, request_meta=request_meta)


@transaction.atomic
def end_everything(
    *, user: User, reason: str, now: datetime, but_family: UUID | None = None, but_session: str = ""
) -> None:
    """End every session of this person, save the one that asks for it."""
    for session in UserSession.objects.filter(user=user).exclude(session_key=but_session):
        session.end()
    forget_ceremonies_of(user=user)
    end_all_families(user=user, reason=reason, but=but_family, now=now)
    publish(AccessEnded(user_id=user.pk, family_id=None))


@transaction.atomic
def _end_browser_session(user: User, number: str, *, now: datetime, request_meta: RequestMeta) -> None:
    if not number.isascii() or not number.isdecimal() or len(number) > 9:
        raise NotFoundError
    session = UserSession.objects.filter(user=user, pk=int(number)).first()
    if session is None:
        raise NotFoundError
    session.end()
    record_audit(actor=user, action="session.ended", target=f"browser-{number}", now=now, request_meta=request_meta)
    publish(AccessEnded(user_id=user.pk, family_id=None))


def note_browser(*, session_key: str, now: datetime) -> None:
    """Write down when a browser was last seen."""
    UserSession.objects.filter(session_key=session_key).update(last_seen_at=now)
