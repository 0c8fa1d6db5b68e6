"""`./coinsphere backup FILE`: the whole instance in one file that only a passphrase opens."""

import getpass
import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.core.errors import ProductError
from apps.operations import actions

NOBODY_TO_ASK = "There is no terminal to ask for the passphrase. Set BACKUP_PASSPHRASE and run this again."


class Command(BaseCommand):
    """Backs the instance up."""

    help = "Write the database and the keys, the master key included, into one sealed file."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="where to write the backup")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        target: Path = options["file"].absolute()
        if not os.access(target.parent, os.W_OK):
            raise CommandError(f"{target.parent} cannot be written. Choose another place for the backup.")
        try:
            manifest = actions.back_up(target=target, passphrase=_new_passphrase(), now=clock.now())
        except ProductError as error:
            raise CommandError(error.detail) from error
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error.strerror}. Choose another place.") from error
        size = target.stat().st_size / (1 << 20)
        self.stderr.write(f"{target}: {size:.1f} MB, version {manifest.version}, sealed with your passphrase.")


def _new_passphrase() -> str:
    given = os.environ.get("BACKUP_PASSPHRASE")
    if given:
        return given
    if not sys.stdin.isatty():
        raise CommandError(NOBODY_TO_ASK)
    try:
        first, second = getpass.getpass("Passphrase for this backup: "), getpass.getpass("The same again: ")
    except EOFError as error:
        raise CommandError(NOBODY_TO_ASK) from error
    if first != second:
        raise CommandError("The two passphrases differ. Nothing was written; try again.")
    return first
