"""What the sockets ask the database: whose sign-in is still good, and the rows of a snapshot."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils.crypto import constant_time_compare

from apps.accounts.models import PersonalToken, RefreshFamily, User
from apps.core import jobs
from apps.core.models.work import LeasedWork
from apps.core.money import plain
from apps.live.domain.bonds import Bond, SignIn, Viewer
from apps.live.domain.news import Row
from apps.markets.models import Instrument

OPEN_JOBS = 100
FINISHED_JOBS = 20
_READING_SCOPES = frozenset({"read", "write", "admin"})


# --- Sign-ins -------------------------------------------------------------------------------------------------------
def viewers_of(*, bonds: Collection[Bond], now: datetime) -> dict[Bond, Viewer]:
    """Return the person behind each bond that is still good; five questions however many there are."""
    by_kind: defaultdict[SignIn, set[str]] = defaultdict(set)
    for bond in bonds:
        by_kind[bond.sign_in].add(bond.reference)
    users = User.objects.filter(is_active=True).in_bulk({bond.user_id for bond in bonds})
    good = {
        SignIn.SESSION: _good_sessions(by_kind[SignIn.SESSION], users=users, now=now),
        SignIn.FAMILY: _good_families(by_kind[SignIn.FAMILY], now=now),
        SignIn.PERSONAL_TOKEN: _good_tokens(by_kind[SignIn.PERSONAL_TOKEN], now=now),
    }
    return {
        bond: Viewer(user_id=bond.user_id, runs_instance=users[bond.user_id].runs_instance)
        for bond in bonds
        if bond.user_id in users
        and (bond.expires_at is None or bond.expires_at > now)
        and (bond.reference, bond.user_id) in good[bond.sign_in]
    }


def session_reference(*, session_key: str) -> str | None:
    """Return the id under which a browser session stands in the person's list of sessions."""
    found = UserSession.objects.filter(session_key=session_key).values_list("pk", flat=True).first()
    return None if found is None else str(found)


def _good_sessions(references: Iterable[str], *, users: dict[UUID, User], now: datetime) -> set[tuple[str, UUID]]:
    wanted = {int(reference) for reference in references}
    if not wanted:
        return set()
    listed = UserSession.objects.filter(pk__in=wanted).values_list("session_key", "pk", "user_id")
    by_key = {key: (str(pk), user_id) for key, pk, user_id in listed}
    stored = Session.objects.filter(session_key__in=by_key, expire_date__gt=now)
    return {by_key[row.session_key] for row in stored if _is_signed_in(row, users.get(by_key[row.session_key][1]))}


def _is_signed_in(row: Session, user: User | None) -> bool:
    """Tell whether the stored session still signs this person in: a new password makes it worthless."""
    if user is None:
        return False
    data = row.get_decoded()
    same_person = data.get(SESSION_KEY) == str(user.pk)
    return same_person and constant_time_compare(data.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


def _good_families(references: Iterable[str], *, now: datetime) -> set[tuple[str, UUID]]:
    rows = RefreshFamily.objects.open(now=now).filter(pk__in=set(references)).values_list("pk", "user_id")
    return {(str(pk), user_id) for pk, user_id in rows}


def _good_tokens(references: Iterable[str], *, now: datetime) -> set[tuple[str, UUID]]:
    kept = PersonalToken.objects.kept().filter(pk__in=set(references), expires_at__gt=now)
    rows = kept.values_list("pk", "user_id", "scopes")
    return {(str(pk), user_id) for pk, user_id, scopes in rows if _READING_SCOPES.intersection(scopes.split())}


# --- Snapshots ------------------------------------------------------------------------------------------------------
def jobs_for(*, viewer: Viewer) -> Sequence[Row]:
    """Return the open and the latest finished jobs of a person; with those of the instance for who runs it."""
    whose = Q(owner=viewer.user_id)
    if viewer.runs_instance:
        whose |= Q(owner=None)
    found: list[LeasedWork] = []
    for model in jobs.job_models():
        rows = model.rows().filter(whose).order_by("-id")
        found += [*rows.open()[:OPEN_JOBS], *rows.over()[:FINISHED_JOBS]]
    newest = sorted(found, key=lambda work: work.id, reverse=True)
    still_open = [work for work in newest if not work.is_over][:OPEN_JOBS]
    return [_row_of(work) for work in (*still_open, *[work for work in newest if work.is_over][:FINISHED_JOBS])]


def instrument_names() -> frozenset[str]:
    """Return the names of all instruments of this instance's world, also of those that are no longer traded."""
    rows = Instrument.objects.here().values_list("venue", "symbol")
    return frozenset(f"{venue}:{symbol}" for venue, symbol in rows)


def _row_of(work: LeasedWork) -> Row:
    return job_row(
        job_id=work.id,
        kind=work.kind,
        title=work.title,
        state=str(work.state),
        progress=work.progress,
        note=work.progress_note,
    )


def job_row(*, job_id: UUID, kind: str, title: str, state: str, progress: Decimal, note: str) -> Row:
    """Return a job as the socket shows it."""
    fields = {
        "id": str(job_id),
        "kind": kind,
        "title": title,
        "state": state,
        "progress": plain(progress),
        "note": note,
    }
    return Row(key=str(job_id), fields=fields)
