"""`./coinsphere manage rotate-keys`: a new master key, and every stored exchange key wrapped by it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.core.errors import ProductError
from apps.exchanges.actions import rotating


class Command(BaseCommand):
    """Rotates, and goes on where an earlier run stopped."""

    help = "Add a new master key and wrap every stored exchange key by it; run again, it goes on where it stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--keep-key", action="store_true", help="add no key: wrap what is still wrapped by an older one"
        )

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Add a key unless an earlier rotation is not finished, then wrap."""
        try:
            if not options["keep_key"] and not rotating.rotation_is_open():
                rotating.add_master_key(now=clock.now())
            done = rotating.rewrap_secrets(now=clock.now())
        except ProductError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"{done.wrapped} secrets are wrapped by version {done.version} of the master key.")
        if done.damaged:
            raise CommandError(
                f"{len(done.damaged)} secrets do not open with any master key at hand and were left as they are. "
                "Their connections need a new key: give them one on the page Exchanges."
            )
