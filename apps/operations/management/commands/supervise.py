"""`supervise`: start the product and keep it running (what `./coinsphere up` calls)."""

import os
import sys
from argparse import ArgumentParser
from typing import NoReturn

from django.core.management.base import BaseCommand

from apps.operations.supervisor.__main__ import add_up_arguments


class Command(BaseCommand):
    """Hands over to the supervisor proper, which runs without Django and stays small."""

    help = "Start every process of the product and keep it running until Ctrl-C or SIGTERM."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the options."""
        add_up_arguments(parser)

    def handle(self, *_args: object, **_options: object) -> NoReturn:
        """Become the supervisor, with the words we were called with."""
        words = sys.argv[sys.argv.index("supervise") :]
        os.execv(sys.executable, [sys.executable, "-m", "apps.operations.supervisor", *words])  # noqa: S606 - ourselves
