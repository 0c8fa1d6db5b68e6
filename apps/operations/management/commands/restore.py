"""`./coinsphere restore FILE`: puts a backup in place of what the instance holds now."""

import getpass
import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from apps.core import clock
from apps.core.errors import ProductError
from apps.operations import actions, queries
from apps.operations.management.commands.backup import NOBODY_TO_ASK


class Command(BaseCommand):
    """Restores the instance."""

    help = "Read and prove a backup, then put it in place of the database and the keys."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the backup")
        parser.add_argument("--yes", action="store_true", help="do not ask before the present data is replaced")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        source: Path = options["file"].absolute()
        if not source.is_file():
            raise CommandError(f"{source} is not there. Check the path.")
        _refuse_while_running()
        _confirm(given=options["yes"])
        try:
            manifest = actions.restore(source=source, passphrase=_passphrase(), now=clock.now())
        except ProductError as error:
            raise CommandError(error.detail) from error
        except OSError as error:
            raise CommandError(
                f"{error.filename or source}: {error.strerror}. Restore again once that is mended."
            ) from error
        made = manifest.created_at[:16].replace("T", " ")
        self.stderr.write(f"Restored the backup of {made} UTC, version {manifest.version}. Start with ./coinsphere up.")


def _refuse_while_running() -> None:
    try:
        alive = queries.living_processes(now=clock.now())
    except DatabaseError:
        return  # an empty database has no table of processes yet, so nothing runs on it
    if alive:
        raise CommandError(f"Coinsphere is running ({', '.join(alive)}). Stop it first, then restore.")


def _confirm(*, given: bool) -> None:
    if given or not sys.stdin.isatty():
        return
    if input("This replaces everything the instance holds now. Type yes to go on: ").strip().lower() != "yes":
        raise CommandError("Nothing was changed.")


def _passphrase() -> str:
    given = os.environ.get("BACKUP_PASSPHRASE")
    if given:
        return given
    if not sys.stdin.isatty():
        raise CommandError(NOBODY_TO_ASK)
    try:
        return getpass.getpass("Passphrase of the backup: ")
    except EOFError as error:
        raise CommandError(NOBODY_TO_ASK) from error
