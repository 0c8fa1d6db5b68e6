"""Work out performance figures of a file, exactly and offline: no database, no network. Needs no services."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.portfolios.domain.measures import MeasureFileError, measure


class Command(BaseCommand):
    """Reads the file, prints the figures as JSON."""

    help = "Print the performance figures of a JSON file with days, flows or returns."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help='JSON with "days", "flows" or "returns"')

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Print one JSON object; a file that cannot be measured is said in one sentence."""
        try:
            figures = measure(_document(options["file"]))
        except MeasureFileError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(figures, indent=2))


def _document(path: Path) -> object:
    """Read a file's JSON; its numbers are read as they are written."""
    try:
        return json.loads(path.read_bytes(), parse_float=Decimal, parse_constant=_refused)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} is no JSON file: {error}.") from error


def _refused(word: str) -> object:
    raise MeasureFileError(f"{word} is no number that can be measured.")
