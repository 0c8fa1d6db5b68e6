"""`with_services`: run one command with PostgreSQL and Redis up (what `./coinsphere manage` and `test` call)."""

import os
import sys
from argparse import ArgumentParser
from typing import NoReturn

from django.core.management.base import BaseCommand

from apps.operations.supervisor.__main__ import add_company_arguments


class Command(BaseCommand):
    """Hands over to the supervisor proper, which runs without Django and stays small."""

    help = "Run a command with the services up: with_services [--throwaway] -- command and its arguments"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the options."""
        add_company_arguments(parser)

    def handle(self, *_args: object, **_options: object) -> NoReturn:
        """Become the supervisor, with the words we were called with."""
        words = sys.argv[sys.argv.index("with_services") :]
        os.execv(sys.executable, [sys.executable, "-m", "apps.operations.supervisor", *words])  # noqa: S606 - ourselves
