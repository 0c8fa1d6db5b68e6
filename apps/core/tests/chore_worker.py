"""A worker process for tests: claims a chore and works through its pages; started by `test_jobs_processes.py`."""

import os
import sys
import threading
import time

import django


def main(what: str, chore_id: str, pause: float) -> None:
    """Do one chore, or with `five` be told of it five times at once when a line comes in."""
    from django.conf import settings  # late, all of these: Django is set up by now
    from django.db import connection

    settings.JOB_LEASE_SECONDS = float(os.environ["TEST_LEASE_SECONDS"])
    if what != "five":
        deliver(what, chore_id, pause)
        connection.close()
        return
    say("ready")
    sys.stdin.readline()
    threads = [threading.Thread(target=deliver, args=(what, chore_id, pause)) for _delivery in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def deliver(what: str, chore_id: str, pause: float) -> None:
    """Act on one message, page by page, the way a real handler does."""
    from django.db import connection

    from apps.core import clock, jobs
    from apps.core.tests.chores import Chore, Effect

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

    lease = jobs.claim(model=Chore, work_id=chore_id, worker=jobs.this_worker(), now=clock.now())
    say("claimed" if lease else "refused")
    say("succeeded" if jobs.run(lease=lease, handler=handler) else "left")
    connection.close()


def say(text: str) -> None:
    """Tell the test how far this worker is."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
