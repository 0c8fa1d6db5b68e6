"""`./coinsphere manage forget-keys`: every exchange key of everybody is deleted; the history stays."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.exchanges.actions.parting import forget_all_keys


class Command(BaseCommand):
    """The answer to a stolen machine or backup."""

    help = "Delete every stored exchange key at once; connections and history stay, and wait for new keys."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do it: deleted keys cannot be brought back")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Delete, or say what would happen."""
        if not options["yes"]:
            raise CommandError("Deleted keys cannot be brought back. Run it again with --yes to delete them all.")
        done = forget_all_keys(now=clock.now())
        self.stdout.write(
            f"The keys of {done.connections} connections are forgotten. Delete them at the exchanges too."
        )
