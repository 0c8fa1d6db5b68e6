"""A worker process for tests: claims chores and works through their pages; started by `test_jobs_processes.py`."""

import os
import sys
import time

import django


def main(what: str, chore_id: str, pause: float) -> None:
    """Do one chore, page by page, the way a real handler does."""
    from django.conf import settings  # late: Django is set up by now
    from django.db import connection

    from apps.core import clock, jobs
    from apps.core.tests.chores import Chore, Effect

    settings.JOB_LEASE_SECONDS = float(os.environ["TEST_LEASE_SECONDS"])

    def handler(lease: "jobs.Lease[Chore]") -> None:
        say(f"page {lease.work.cursor}")
        if what == "die":
            os.kill(os.getpid(), 9)
        for page in range(lease.work.cursor, 5):
            time.sleep(pause)
            with lease.fenced():
                Effect.objects.create(chore_id=lease.work.pk, page=page, worker=jobs.this_worker())
                lease.advance(progress=jobs.fraction(done=page + 1, total=5), cursor=page + 1)
            say(f"done {page}")

    def say(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    lease = jobs.claim(model=Chore, work_id=chore_id, worker=jobs.this_worker(), now=clock.now())
    say("claimed" if lease else "refused")
    say("succeeded" if jobs.run(lease=lease, handler=handler) else "left")
    connection.close()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
