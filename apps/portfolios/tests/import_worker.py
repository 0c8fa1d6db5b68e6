"""A worker process for tests: takes up an import and stops in the middle of it; see `test_imports_processes.py`."""

import os
import sys
import time

import django


def main(work_id: str) -> None:
    """Do one import, and wait for ever once everything is written and nothing is committed."""
    from uuid import UUID  # late, all of these: Django is set up by now

    from django.conf import settings

    from apps.core import clock, jobs
    from apps.portfolios import actions
    from apps.portfolios.actions import corrections, posting

    settings.JOB_LEASE_SECONDS = float(os.environ["TEST_LEASE_SECONDS"])
    for room in (posting, corrections):  # the last step before the end of the transaction
        room.ledger_changed = _wait  # type: ignore[attr-defined]
    actions.run_import(work_id=UUID(work_id), worker=jobs.this_worker(), read_clock=clock.now)


def _wait(**_unknown: object) -> None:
    sys.stdout.write("written\n")
    sys.stdout.flush()
    time.sleep(600)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main(sys.argv[1])
