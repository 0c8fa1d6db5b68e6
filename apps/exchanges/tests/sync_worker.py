"""A worker process for tests: works off a sync at a venue in memory, and tells how far it is."""

import os
import sys
import threading
import time
from uuid import UUID

import django


def main(what: str, run_id: str, pause: float) -> None:
    """Do one sync, or with `five` be told of it five times at once when a line comes in."""
    from django.conf import settings  # late, all of these: Django is set up by now
    from django.db import connection

    from apps.exchanges.actions import syncing
    from apps.exchanges.tests.fake_venue import FakeVenue, full_venue

    settings.JOB_LEASE_SECONDS = float(os.environ["TEST_LEASE_SECONDS"])
    venue = full_venue(trades=int(os.environ.get("TEST_TRADES", "25")))

    def before_page(_venue: FakeVenue, key: object, start: int) -> None:
        say(f"page {key.symbol or key.stream.value} {start}")  # type: ignore[attr-defined]
        if what == "die":
            os.kill(os.getpid(), 9)
        time.sleep(pause)

    venue.before_page = before_page
    setattr(syncing, "venue", lambda _exchange: venue)  # noqa: B010 - assigned, it would have to be a real one
    if what != "five":
        deliver(run_id)
        connection.close()
        return
    say("ready")
    sys.stdin.readline()
    threads = [threading.Thread(target=deliver, args=(run_id,)) for _delivery in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def deliver(run_id: str) -> None:
    """Act on one message as the task does."""
    from django.db import connection

    from apps.core import clock, jobs
    from apps.exchanges.actions import syncing

    done = syncing.run_sync(run_id=UUID(run_id), worker=jobs.this_worker(), read_clock=clock.now)
    say("succeeded" if done else "left")
    connection.close()


def say(text: str) -> None:
    """Tell the test how far this worker is."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
