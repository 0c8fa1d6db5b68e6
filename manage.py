#!/usr/bin/env python3
"""Django's command line for this project."""

import os
import sys
from importlib import import_module
from typing import Any

from django.core.management import ManagementUtility
from django.core.management.base import BaseCommand, CommandError, CommandParser

#: Commands that say themselves, in a sentence, what they did; their log says no more than warnings.
_SPOKEN = {"backup", "doctor", "forget_keys", "restore", "rotate_keys"}

#: Commands that read a file and print: no settings, apps, database or log are made ready for them.
_OF_A_FILE = {name: f"apps.portfolios.management.commands.{name}" for name in ("book", "measure")}


class Plainly(BaseCommand):
    """Another command, whose expected failures are a sentence and not the name of a class."""

    def __init__(self, command: BaseCommand) -> None:
        super().__init__()
        self._command = command

    def create_parser(self, *names: str, **options: Any) -> CommandParser:  # noqa: ANN401 - Django's own
        """Return the other command's own words."""
        return self._command.create_parser(*names, **options)

    def run_from_argv(self, argv: list[str]) -> None:
        """Run it; `--traceback` shows where a failure comes from."""
        if "--traceback" in argv or "--" in argv:
            self._command.run_from_argv(argv)
            return
        try:
            self._command.run_from_argv([*argv, "--traceback"])  # so that the failure comes here
        except CommandError as error:
            self.stderr.write(str(error))
            sys.exit(error.returncode)


class CommandLine(ManagementUtility):
    """Django's, with failures in plain words."""

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """Return the command of this name; `rotate-keys` is the way people write `rotate_keys`."""
        return Plainly(super().fetch_command(subcommand.replace("-", "_")))


def main() -> None:
    """Run one management command."""
    if len(sys.argv) > 1 and sys.argv[1] in _OF_A_FILE:
        Plainly(import_module(_OF_A_FILE[sys.argv[1]]).Command()).run_from_argv(sys.argv)
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if len(sys.argv) > 1 and sys.argv[1].replace("-", "_") in _SPOKEN:
        os.environ.setdefault("LOG_LEVEL", "WARNING")
    CommandLine(sys.argv).execute()


if __name__ == "__main__":
    main()
