"""What has to be true before the processes start: tables up to date, static files collected."""

import hashlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from apps.core.errors import ProductError, UnavailableError

_logger = logging.getLogger(__name__)
_MIGRATION_LOCK = 0x636F_696E  # "coin": one number for every start on the same database
_DATABASE_PATIENCE = 30.0
_PAUSE = 0.5


class DatabaseAwayError(UnavailableError):
    """The database does not answer."""

    code = "database_away"


class MigrationFailedError(ProductError):
    """A migration failed; it was rolled back, so the tables are as the last good one left them."""

    code = "migration_failed"


def bring_tables_up_to_date() -> bool:
    """Run what migrations are missing, one starter at a time; return whether there were any."""
    _await_database()
    with _alone():
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        try:
            call_command("migrate", interactive=False, verbosity=1)
        except Exception as error:
            _logger.exception("a migration failed")
            words = str(error).strip().splitlines() or [type(error).__name__]
            raise MigrationFailedError(f"A migration failed and was rolled back: {words[0]}") from error
    return True


def collect_static_files() -> bool:
    """Collect static files unless none has changed since the last time; return whether it was done."""
    stamp, wanted = Path(settings.STATIC_ROOT).with_suffix(".sha256"), _static_hash()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(wanted, encoding="utf-8")
    return True


def _await_database() -> None:
    deadline = time.monotonic() + _DATABASE_PATIENCE
    while True:
        try:
            connection.ensure_connection()
        except OperationalError as error:
            refused = "authentication" in str(error) or "does not exist" in str(error)
            if refused or time.monotonic() > deadline:
                place = f"{connection.settings_dict['HOST']}:{connection.settings_dict['PORT']}"
                reason = str(error).strip().splitlines()[0]
                raise DatabaseAwayError(f"The database at {place} cannot be used: {reason}") from error
            time.sleep(_PAUSE)
        else:
            return


@contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock in the database, so that a second starter waits and then finds nothing to do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])


def _static_hash() -> str:
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for path, storage in sorted(finder.list([]), key=lambda found: found[0]):
            digest.update(path.encode())
            digest.update(Path(storage.path(path)).read_bytes())
    return digest.hexdigest()
