"""Jobs in one process: claiming, fences, outcomes, retries, the reaper."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from pytest_django import Settings

from apps.core import clock, jobs
from apps.core.errors import InvalidError, UnavailableError
from apps.core.events import JobChanged
from apps.core.jobs import sweep
from apps.core.logs import bind_request_id, current_request_id
from apps.core.models import WorkState
from apps.core.testing import CapturedEvents, SentTask, run_on_commit
from apps.core.tests.chores import Chore, Effect

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


def make_chore(**values: Any) -> Chore:
    chore: Chore = Chore.objects.create(**{"next_attempt_at": NOW, "created_at": NOW, **values})
    return chore


def claim(chore: Chore, worker: str = "one", now: datetime = NOW) -> jobs.Lease[Chore]:
    lease = jobs.claim(model=Chore, work_id=chore.pk, worker=worker, now=now)
    assert lease is not None
    return lease


@pytest.mark.usefixtures("chores")
class TestClaim:
    def test_a_claim_takes_the_row_under_a_new_fence(self) -> None:
        chore = make_chore()
        lease = claim(chore)
        chore.refresh_from_db()
        assert (chore.state, chore.leased_by, chore.fence) == (WorkState.RUNNING, "one", 1)
        assert chore.lease_until == NOW + timedelta(seconds=30)
        assert lease.fence == 1

    def test_a_row_is_claimed_once(self) -> None:
        chore = make_chore()
        claim(chore)
        assert jobs.claim(model=Chore, work_id=chore.pk, worker="two", now=NOW) is None

    def test_what_waits_is_not_due_before_its_time(self) -> None:
        make_chore(state=WorkState.WAITING, next_attempt_at=NOW + timedelta(seconds=1))
        assert jobs.claim(model=Chore, worker="one", now=NOW) is None
        assert jobs.claim(model=Chore, worker="one", now=NOW + timedelta(seconds=1)) is not None

    def test_the_longest_due_comes_first(self) -> None:
        make_chore(next_attempt_at=NOW - timedelta(seconds=1))
        first = make_chore(next_attempt_at=NOW - timedelta(seconds=9))
        lease = jobs.claim(model=Chore, worker="one", now=NOW)
        assert lease is not None
        assert lease.work.pk == first.pk

    @pytest.mark.parametrize("state", [WorkState.SUCCEEDED, WorkState.FAILED, WorkState.PARKED, WorkState.CANCELLED])
    def test_what_is_over_is_not_claimed(self, state: WorkState) -> None:
        make_chore(state=state, finished_at=NOW)
        assert jobs.claim(model=Chore, worker="one", now=NOW) is None


@pytest.mark.usefixtures("chores")
class TestConstraints:
    @pytest.mark.parametrize(
        "values",
        [
            {"progress": Decimal("1.5")},
            {"progress": Decimal("-0.1")},
            {"state": "elsewhere"},
            {"state": WorkState.RUNNING},
            {"state": WorkState.SUCCEEDED},
            {"lease_until": NOW},
            {"finished_at": NOW},
            {"attempts": 4},
        ],
    )
    def test_the_database_refuses(self, values: dict[str, Any]) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            make_chore(**values)


@pytest.mark.usefixtures("chores")
class TestFence:
    def test_every_write_of_a_stale_holder_is_refused(self) -> None:
        chore = make_chore()
        stale = claim(chore)
        jobs.reap(now=NOW + timedelta(seconds=31))
        claim(chore, worker="two", now=NOW + timedelta(seconds=32))
        writes = (
            stale.renew,
            stale.succeed,
            stale.give_back,
            stale.crash,
            lambda: stale.save(progress=Decimal("0.9")),
            lambda: stale.advance(progress=Decimal("0.9")),
            lambda: stale.fail(code="x", detail="x"),
            lambda: stale.retry_later(code="x", detail="x"),
        )
        for write in writes:
            with pytest.raises(jobs.LeaseLostError):
                write()
        with pytest.raises(jobs.LeaseLostError), stale.fenced():
            Effect.objects.create(chore_id=chore.pk, page=0, worker="one")
        with pytest.raises(jobs.LeaseLostError):
            stale.check()
        chore.refresh_from_db()
        assert (chore.leased_by, chore.state, chore.progress) == ("two", WorkState.RUNNING, Decimal(0))
        assert not Effect.objects.exists()

    def test_the_holder_may_write_after_its_lease_ran_out_if_nobody_took_over(self) -> None:
        lease = claim(
            make_chore(),
        )
        lease.save(progress=Decimal("0.5"))
        lease.succeed()
        lease.work.refresh_from_db()
        assert lease.work.state == WorkState.SUCCEEDED

    def test_a_cancelled_job_is_fenced_out(self) -> None:
        chore = make_chore()
        lease = claim(chore)
        jobs.cancel(work=chore, now=NOW)
        with pytest.raises(jobs.LeaseLostError):
            lease.save(progress=Decimal("0.5"))
        with pytest.raises(jobs.WorkIsOverError):
            jobs.cancel(work=chore, now=NOW)

    def test_a_frozen_transaction_does_not_keep_its_session(self, settings: Settings) -> None:
        settings.JOB_LEASE_SECONDS = 7
        lease = claim(make_chore())
        with lease.fenced(), connection.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            assert cursor.fetchone() == ("7s",)


@pytest.mark.usefixtures("chores")
class TestOutcome:
    def test_a_handler_that_returns_has_succeeded(self, published: CapturedEvents) -> None:
        chore = make_chore()

        def handler(lease: jobs.Lease[Chore]) -> None:
            lease.save(progress=Decimal("0.25"), note="a quarter", cursor=7)

        assert jobs.run(lease=claim(chore), handler=handler)
        chore.refresh_from_db()
        assert (str(chore.state), chore.progress, chore.cursor, chore.lease_until) == ("succeeded", Decimal(1), 7, None)
        told = [(event.state, event.progress, event.note) for event in published.of(JobChanged)]
        assert told == [
            ("running", 0, ""),
            ("running", Decimal("0.25"), "a quarter"),
            ("succeeded", 1, "a quarter"),
        ]

    def test_without_a_lease_nothing_runs(self) -> None:
        assert not jobs.run(lease=None, handler=lambda _lease: pytest.fail("ran"))

    def test_a_foreseen_error_is_the_end(self) -> None:
        chore = make_chore()

        def handler(_lease: jobs.Lease[Chore]) -> None:
            raise InvalidError("Choose another file.")

        assert not jobs.run(lease=claim(chore), handler=handler)
        chore.refresh_from_db()
        assert (chore.state, chore.problem_code, chore.problem_detail) == ("failed", "invalid", "Choose another file.")
        assert chore.finished_at is not None

    def test_what_is_unavailable_is_tried_again_not_before_it_asked_for(self) -> None:
        chore = make_chore()

        def handler(_lease: jobs.Lease[Chore]) -> None:
            raise UnavailableError(retry_after=120)

        before = clock.now()
        jobs.run(lease=claim(chore), handler=handler)
        chore.refresh_from_db()
        assert (chore.state, chore.retries, chore.attempts) == ("waiting", 1, 0)
        assert chore.next_attempt_at >= before + timedelta(seconds=120)

    def test_waits_double_and_end(self) -> None:
        chore = make_chore(retries=2)
        lease = claim(chore)
        before = clock.now()
        lease.retry_later(code="unavailable", detail="Later.")
        wait = (lease.work.next_attempt_at - before).total_seconds()
        assert 20 <= wait <= 41
        chore = make_chore(retries=Chore.retry_limit)
        lease = claim(chore)
        lease.retry_later(code="unavailable", detail="Later.")
        chore.refresh_from_db()
        assert (chore.state, chore.problem_code) == ("failed", "unavailable")

    def test_an_unforeseen_error_counts_as_a_crash_and_is_raised(self) -> None:
        chore = make_chore()

        def handler(_lease: jobs.Lease[Chore]) -> None:
            raise ZeroDivisionError

        for attempts, state in ((1, "queued"), (2, "queued"), (3, "parked")):
            with pytest.raises(ZeroDivisionError):
                jobs.run(lease=claim(chore, now=clock.now()), handler=handler)
            chore.refresh_from_db()
            assert (chore.attempts, chore.state) == (attempts, state)

    def test_a_service_away_is_not_the_works_fault(self) -> None:
        chore = make_chore()

        def handler(_lease: jobs.Lease[Chore]) -> None:
            raise OperationalError

        with pytest.raises(OperationalError):
            jobs.run(lease=claim(chore), handler=handler)
        chore.refresh_from_db()
        assert (chore.state, chore.attempts) == ("queued", 0)

    def test_a_process_that_ends_gives_its_work_back(self) -> None:
        chore = make_chore()

        def handler(_lease: jobs.Lease[Chore]) -> None:
            raise SystemExit

        with pytest.raises(SystemExit):
            jobs.run(lease=claim(chore), handler=handler)
        chore.refresh_from_db()
        assert (chore.state, chore.attempts) == ("queued", 0)

    def test_the_handler_runs_under_the_request_that_asked_for_it(self) -> None:
        seen: list[str] = []
        jobs.run(lease=claim(make_chore(request_id="asked-here")), handler=lambda _: seen.append(current_request_id()))
        assert seen == ["asked-here"]

    def test_a_step_done_forgets_the_crashes_before_it(self) -> None:
        chore = make_chore(attempts=2, retries=5)
        claim(chore).advance(progress=Decimal("0.1"))
        chore.refresh_from_db()
        assert (chore.attempts, chore.retries) == (0, 0)


@pytest.mark.usefixtures("chores")
class TestQueue:
    def test_new_work_is_woken_after_commit_with_its_request(self, sent_tasks: list[SentTask]) -> None:
        with run_on_commit(), bind_request_id("from-here"):
            chore = Chore()
            jobs.enqueue(work=chore, now=NOW)
            assert sent_tasks == []
        assert sent_tasks == [
            SentTask(
                "core_tests.run_chore", {"work_id": str(chore.pk), "request_id": "from-here"}, "default", "from-here"
            )
        ]
        chore.refresh_from_db()
        assert (chore.request_id, chore.state, chore.woken_at) == ("from-here", "queued", NOW)

    def test_work_parked_may_be_tried_again(self, sent_tasks: list[SentTask]) -> None:
        chore = make_chore(state=WorkState.PARKED, finished_at=NOW, attempts=3, problem_code="parked")
        with run_on_commit():
            jobs.requeue(work=chore, now=NOW)
        chore.refresh_from_db()
        assert (chore.state, chore.attempts, chore.problem_code, chore.finished_at) == ("queued", 0, "", None)
        assert len(sent_tasks) == 1
        with pytest.raises(jobs.WorkIsOverError):
            jobs.requeue(work=chore, now=NOW)


@pytest.mark.usefixtures("chores")
class TestReaper:
    def test_a_lapsed_lease_is_taken_over_and_woken(self, sent_tasks: list[SentTask]) -> None:
        chore = make_chore(woken_at=NOW)
        claim(chore)
        with run_on_commit():
            assert jobs.reap(now=NOW + timedelta(seconds=29)) == jobs.Reaped()
            assert jobs.reap(now=NOW + timedelta(seconds=31)) == jobs.Reaped(taken_over=1, woken=1)
        chore.refresh_from_db()
        assert (chore.state, chore.attempts, chore.fence) == ("queued", 1, 2)
        assert [task.keywords["work_id"] for task in sent_tasks] == [str(chore.pk)]

    def test_poison_is_parked_after_three_crashes(self) -> None:
        chore = make_chore()
        moment = NOW
        for _crash in range(3):
            claim(chore, now=moment)
            moment += timedelta(seconds=31)
            jobs.reap(now=moment)
        chore.refresh_from_db()
        assert (chore.state, chore.problem_code, chore.attempts) == ("parked", "parked", 3)
        assert jobs.claim(model=Chore, work_id=chore.pk, worker="one", now=moment) is None

    def test_lost_messages_are_sent_again_but_not_all_the_time(self, sent_tasks: list[SentTask]) -> None:
        make_chore(woken_at=NOW)
        with run_on_commit():
            assert jobs.reap(now=NOW + timedelta(seconds=15)).woken == 0
            assert jobs.reap(now=NOW + timedelta(seconds=31)).woken == 1
            assert jobs.reap(now=NOW + timedelta(seconds=46)).woken == 0
            assert jobs.reap(now=NOW + timedelta(seconds=62)).woken == 1
        assert len(sent_tasks) == 2

    def test_workers_far_behind_get_no_more_messages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sweep, "MESSAGES_ENOUGH", 0)
        make_chore()
        assert jobs.reap(now=NOW).woken == 0

    def test_one_bad_table_does_not_stop_the_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Broken:
            kind = "broken"

        monkeypatch.setattr(sweep, "job_models", lambda: (Broken, Chore))
        claim(make_chore())
        with pytest.raises(ExceptionGroup):
            jobs.reap(now=NOW + timedelta(seconds=31))
        assert Chore.objects.get().state == "queued"


@pytest.mark.usefixtures("chores")
class TestOverview:
    def test_open_recent_and_counts(self) -> None:
        open_one = make_chore(progress_note="going")
        over = make_chore(state=WorkState.FAILED, finished_at=NOW)
        assert [job.id for job in jobs.open_jobs()] == [open_one.pk]
        assert [job.id for job in jobs.recent_jobs(limit=5)] == [over.pk, open_one.pk]
        assert [job.id for job in jobs.recent_jobs(limit=1)] == [over.pk]
        assert jobs.job_counts() == {("chore", "queued"): 1, ("chore", "failed"): 1}


def test_fractions_stay_between_zero_and_one() -> None:
    assert jobs.fraction(done=1, total=3) == Decimal("0.3333")
    assert jobs.fraction(done=5, total=3) == 1
    assert jobs.fraction(done=-1, total=3) == 0
    assert jobs.fraction(done=1, total=0) == 0


@pytest.mark.usefixtures("committed_chores")
class TestHold:
    def test_a_renewal_while_the_end_is_written_does_not_spoil_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lease = claim(make_chore())
        end = lease.work.end

        def _end_while_renewed(*, state: WorkState, now: datetime) -> None:
            end(state=state, now=now)
            lease.renew()

        monkeypatch.setattr(lease.work, "end", _end_while_renewed)
        lease.succeed()
        assert Chore.objects.get().state == "succeeded"

    def test_the_lease_is_renewed_while_the_handler_works(self, settings: Settings) -> None:
        settings.JOB_LEASE_SECONDS = 0.6
        chore = make_chore()
        lease = claim(chore, now=clock.now())
        until = lease.work.lease_until
        with lease.hold():
            threading.Event().wait(0.9)
        chore.refresh_from_db()
        assert until is not None
        assert chore.lease_until is not None
        assert chore.lease_until > until

    def test_the_holder_learns_that_it_lost_the_lease(self, settings: Settings) -> None:
        settings.JOB_LEASE_SECONDS = 0.3
        chore = make_chore()
        lease = claim(chore, now=clock.now())
        with lease.hold():
            jobs.cancel(work=chore, now=clock.now())
            for _wait in range(50):
                if lease.is_lost:
                    break
                threading.Event().wait(0.05)
        with pytest.raises(jobs.LeaseLostError):
            lease.check()
