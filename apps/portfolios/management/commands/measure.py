"""Work out performance figures of a file, exactly and offline: no database, no network. Needs no services."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.money import AmountError, parse_amount
from apps.portfolios.domain.measures import MeasureFileError, measure
from apps.portfolios.domain.names import shown


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
        return json.loads(
            path.read_bytes(),
            parse_float=_number,
            parse_int=_number,
            parse_constant=_refused,
            object_pairs_hook=_named_once,
        )
    except MeasureFileError:
        raise
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise CommandError(f"{path} is no JSON file: {error.msg}, {place}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is no JSON file: it is not UTF-8 text.") from error
    except RecursionError as error:
        raise CommandError(f"{path} cannot be read: it is nested too deeply.") from error


def _number(text: str) -> Decimal:
    """Return a number exactly as it is written, or refuse one that no amount of money can be."""
    try:
        return parse_amount(text)
    except AmountError as error:
        raise MeasureFileError(f"The number {shown(text)} cannot be measured: {error.message}") from error


def _refused(word: str) -> object:
    raise MeasureFileError(f"The file holds {word}, which is no number. Leave it out, or give a number.")


def _named_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MeasureFileError(f"An object of the file names {shown(twice)} twice.")
    return found
