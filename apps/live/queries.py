"""What the sockets ask the database: whose sign-in is still good, and the rows of a snapshot."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils.crypto import constant_time_compare

from apps.accounts.models import PersonalToken, RefreshFamily, User
from apps.core import jobs
from apps.core.api.times import iso_z
from apps.core.models.work import LeasedWork
from apps.core.money import plain
from apps.live.domain.bonds import Bond, SignIn, Viewer
from apps.live.domain.news import Row
from apps.markets.models import Instrument
from apps.portfolios.models import Portfolio, PortfolioValue

OPEN_JOBS = 100
FINISHED_JOBS = 20
_READING_SCOPES = frozenset({"read", "write", "admin"})

#: Sign-ins that are good, by reference and person: whether the person runs the instance.
_Good: TypeAlias = dict[tuple[str, UUID], bool]


# --- Sign-ins -------------------------------------------------------------------------------------------------------
def viewers_of(*, bonds: Collection[Bond], now: datetime) -> dict[Bond, Viewer]:
    """Return the person behind each bond that is still good; four questions at most, however many there are."""
    by_kind: defaultdict[SignIn, set[str]] = defaultdict(set)
    for bond in bonds:
        by_kind[bond.sign_in].add(bond.reference)
    good = {kind: _GOOD[kind](references, now=now) for kind, references in by_kind.items()}
    return {
        bond: Viewer(user_id=bond.user_id, runs_instance=good[bond.sign_in][bond.reference, bond.user_id])
        for bond in bonds
        if (bond.expires_at is None or bond.expires_at > now) and (bond.reference, bond.user_id) in good[bond.sign_in]
    }


def session_reference(*, session_key: str) -> str | None:
    """Return the id under which a browser session stands in the person's list of sessions."""
    found = UserSession.objects.filter(session_key=session_key).values_list("pk", flat=True).first()
    return None if found is None else str(found)


def _good_sessions(references: Collection[str], *, now: datetime) -> _Good:
    listed = UserSession.objects.filter(pk__in={int(reference) for reference in references}, user__is_active=True)
    by_key = {row.session_key: row for row in listed.select_related("user")}
    stored = Session.objects.filter(session_key__in=by_key, expire_date__gt=now)
    signed_in = [by_key[row.session_key] for row in stored if _is_signed_in(row, by_key[row.session_key].user)]
    return {(str(row.pk), row.user_id): row.user.runs_instance for row in signed_in}


def _is_signed_in(row: Session, user: User) -> bool:
    """Tell whether the stored session still signs this person in: a new password makes it worthless."""
    data = row.get_decoded()
    same_person = data.get(SESSION_KEY) == str(user.pk)
    return same_person and constant_time_compare(data.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


def _good_families(references: Collection[str], *, now: datetime) -> _Good:
    rows = RefreshFamily.objects.open(now=now).filter(pk__in=references, user__is_active=True)
    return {
        (str(pk), user_id): _runs_instance(role)
        for pk, user_id, role in rows.values_list("pk", "user_id", "user__role")
    }


def _good_tokens(references: Collection[str], *, now: datetime) -> _Good:
    kept = PersonalToken.objects.kept().filter(pk__in=references, expires_at__gt=now, user__is_active=True)
    rows = kept.values_list("pk", "user_id", "scopes", "user__role")
    return {
        (str(pk), user_id): _runs_instance(role)
        for pk, user_id, scopes, role in rows
        if _READING_SCOPES.intersection(scopes.split())
    }


@lru_cache(maxsize=16)
def _runs_instance(role: str) -> bool:
    return User(role=role).runs_instance


_GOOD = {SignIn.SESSION: _good_sessions, SignIn.FAMILY: _good_families, SignIn.PERSONAL_TOKEN: _good_tokens}


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


def own_portfolios(*, viewer: Viewer, keys: Sequence[str]) -> list[str]:
    """Return which of these ids are portfolios of the person's."""
    wanted = {key: found for key in keys if (found := _uuid(key)) is not None}
    mine = set(Portfolio.objects.filter(owner=viewer.user_id, pk__in=wanted.values()).values_list("pk", flat=True))
    return [key for key, found in wanted.items() if found in mine]


def portfolios_for(*, viewer: Viewer, keys: Sequence[str]) -> list[Row]:
    """Return what these portfolios of the person's are worth, as they were valued last."""
    rows = PortfolioValue.objects.filter(portfolio__owner=viewer.user_id, pk__in=[UUID(key) for key in keys])
    columns = ("pk", "version", "booked_version", "currency", "total", "valued_at")
    return [
        portfolio_row(
            portfolio_id=pk, version=version, booked=booked, currency=currency, total=total, as_of=iso_z(valued_at)
        )
        for pk, version, booked, currency, total, valued_at in rows.values_list(*columns)
    ]


def portfolio_row(*, portfolio_id: UUID, version: int, booked: int, currency: str, total: str, as_of: str) -> Row:
    """Return the worth of a portfolio as the socket shows it."""
    fields = {
        "id": str(portfolio_id),
        "version": version,
        "booked": booked,
        "currency": currency,
        "total": total,
        "as_of": as_of,
    }
    return Row(key=str(portfolio_id), fields=fields)


def _uuid(text: str) -> UUID | None:
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None


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
