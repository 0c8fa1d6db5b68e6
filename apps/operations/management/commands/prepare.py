"""`prepare`: tables, static files and first accounts; what `up` runs before any process starts."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from apps.core import clock
from apps.core.errors import ProductError
from apps.operations.actions import preparation
from apps.operations.actions.first_people import ensure_first_people


class Command(BaseCommand):
    """Safe to repeat and to run twice at once: what is done already is left alone."""

    help = "Bring tables and static files up to date and make the first accounts."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the options."""
        parser.add_argument("--with-demo", action="store_true", help="make a demo account if there is none")
        parser.add_argument("--tables-only", action="store_true", help="run migrations and nothing else")

    def handle(self, *_args: object, **options: object) -> None:
        """Do what is missing, and say in one sentence why it cannot be done."""
        try:
            preparation.bring_tables_up_to_date()
            if not options["tables_only"]:
                preparation.collect_static_files()
                ensure_first_people(with_demo=bool(options["with_demo"]), now=clock.now())
        except ProductError as error:
            raise CommandError(str(error)) from error
