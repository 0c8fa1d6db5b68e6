"""The self-check: a person starts it from the console, a worker runs it under a lease."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.core import jobs
from apps.operations.actions.checks import CHECKS
from apps.operations.domain.findings import Finding, summary
from apps.operations.models import SelfCheck


def check_everything(*, read_clock: Callable[[], datetime]) -> list[Finding]:
    """Look at every subject at once and return what was found."""
    return [check(read_clock()) for check in CHECKS]


@transaction.atomic
def start_self_check(*, now: datetime) -> SelfCheck:
    """Queue a self-check of the instance; while one is under way, return that one."""
    running = SelfCheck.rows().open().select_for_update().first()
    if isinstance(running, SelfCheck):
        return running
    check = SelfCheck()
    jobs.enqueue(work=check, now=now)
    return check


def run_self_check(*, work_id: UUID, worker: str, read_clock: Callable[[], datetime]) -> bool:
    """Take the self-check up if it waits, and carry it through."""
    lease = jobs.claim(model=SelfCheck, work_id=work_id, worker=worker, now=read_clock())
    return jobs.run(lease=lease, handler=lambda held: _carry_through(held, read_clock))


def _carry_through(lease: jobs.Lease[SelfCheck], read_clock: Callable[[], datetime]) -> None:
    findings: list[Finding] = []
    for done, check in enumerate(CHECKS, start=1):
        finding = check(read_clock())
        findings.append(finding)
        lease.advance(
            progress=jobs.fraction(done=done, total=len(CHECKS)),
            note=finding.title,
            findings=[known.as_dict() for known in findings],
        )
    lease.succeed(progress_note=summary(findings=findings)[:200])
