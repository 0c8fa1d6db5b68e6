"""What sockets ask the database: snapshots of jobs, and whose sign-in is good."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from apps.accounts.models import Letter
from apps.accounts.tests.factories import make_owner, make_user
from apps.core import clock
from apps.core.models.work import WorkState
from apps.core.testing import assert_queries
from apps.live import queries
from apps.live.domain.bonds import Viewer
from apps.live.tests.factories import make_family_bond, make_session_bond, make_token_bond

pytestmark = pytest.mark.django_db


def make_job(*, owner_id: UUID | None, state: WorkState = WorkState.QUEUED) -> str:
    """Make a job, of the one kind of long work that is below this app."""
    over = state in {WorkState.SUCCEEDED, WorkState.FAILED}
    job = Letter.objects.create(
        about="notice",
        address="person@example.com",
        owner_id=owner_id,
        state=state,
        progress=Decimal("0.5"),
        finished_at=clock.now() if over else None,
    )
    return str(job.pk)


def test_a_member_sees_their_own_jobs_only() -> None:
    user = make_user()
    own, done = make_job(owner_id=user.pk), make_job(owner_id=user.pk, state=WorkState.SUCCEEDED)
    make_job(owner_id=make_user().pk)
    make_job(owner_id=None)
    rows = queries.jobs_for(viewer=Viewer(user_id=user.pk, runs_instance=False))
    assert [row.key for row in rows] == [own, done]
    assert rows[0].fields["progress"] == "0.5"
    assert set(rows[0].fields) == {"id", "kind", "title", "state", "progress", "note"}


def test_who_runs_the_instance_sees_its_jobs_too_and_no_other_persons() -> None:
    owner = make_owner()
    own, of_instance = make_job(owner_id=owner.pk), make_job(owner_id=None)
    make_job(owner_id=make_user().pk)
    rows = queries.jobs_for(viewer=Viewer(user_id=owner.pk, runs_instance=True))
    assert {row.key for row in rows} == {own, of_instance}


def test_open_jobs_are_not_pushed_out_by_finished_ones() -> None:
    user = make_user()
    waiting = make_job(owner_id=user.pk)
    for _ in range(queries.FINISHED_JOBS + 5):
        make_job(owner_id=user.pk, state=WorkState.FAILED)
    rows = queries.jobs_for(viewer=Viewer(user_id=user.pk, runs_instance=False))
    assert rows[0].key == waiting
    assert len(rows) == 1 + queries.FINISHED_JOBS


def test_sign_ins_of_many_sockets_are_checked_with_four_questions() -> None:
    bonds = [make(make_user()) for make in (make_family_bond, make_session_bond, make_token_bond) for _ in range(5)]
    with assert_queries(4):
        good = queries.viewers_of(bonds=bonds, now=clock.now())
    assert set(good) == set(bonds)


def test_a_bond_to_somebody_elses_sign_in_is_worth_nothing() -> None:
    bond = replace(make_family_bond(make_user()), user_id=make_user().pk)
    assert queries.viewers_of(bonds=[bond], now=clock.now()) == {}
