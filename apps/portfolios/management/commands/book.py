"""Books a portable file offline and prints the result as JSON. Needs no services."""

import gc
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.portfolios.domain.booking import Disposal, Line, Problem, Sink, book_lines, outcome, repeated
from apps.portfolios.domain.booking.quick import LineReader
from apps.portfolios.domain.booking.reading import Document, Repeated, UnreadableError, read_value
from apps.portfolios.domain.policy import PolicyError
from apps.portfolios.domain.result import RowWriter, closing
from apps.portfolios.domain.timeline import Timeline, parse_timeline
from apps.portfolios.domain.transactions import EntryError

_CHUNK: Final = 1 << 18
_ROWS_A_WRITE: Final = 2_000


class Command(BaseCommand):
    """Reads, books, prints."""

    help = "Book a file of transactions by a policy, without a database, and print the result as JSON."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="the portable file, JSON")
        parser.add_argument("--policy", type=Path, metavar="FILE", help="settings that stand above the file's own")

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Read all of the file before the first word of the result, so that half a result is never printed."""
        collecting = gc.isenabled()
        gc.disable()
        try:
            self._book(options["file"], options["policy"])
        except UnreadableError as error:
            raise CommandError(str(error)) from error
        finally:
            if collecting:
                gc.enable()

    def _book(self, file: Path, policy_file: Path | None) -> None:
        document = Document(_chunks(file))
        sink = _Printer(self)
        lines = _lines(document.transactions(), sink)
        settings, changes = _settings(document.rest, policy_file)
        quote = _quote(document.rest.get("quote"), sink)
        try:
            sink.timeline = parse_timeline(settings, changes)
        except PolicyError as error:
            sink.problems.insert(0, Problem(None, error.code, error.message, field=error.field))
            lines.clear()
        sink.finish(outcome_of=lines, quote=quote)


class _Printer(Sink):
    """Prints disposals as they are made, so that a million of them need no memory."""

    def __init__(self, command: Command) -> None:
        super().__init__()
        self.timeline = Timeline()
        self._rows = RowWriter(timeline=self.timeline)
        self._out = command.stdout
        self._waiting: list[str] = []
        self._separator = '{"disposals":['

    def disposal(self, record: Disposal) -> None:
        """Print a disposal."""
        self._waiting.append(self._rows.disposal(record))
        if len(self._waiting) >= _ROWS_A_WRITE:
            self._flush()

    def income(self, record: object) -> None:
        """Leave an income to the totals."""

    def charge(self, record: object) -> None:
        """Leave a fee to the totals."""

    def finish(self, *, outcome_of: list[Line], quote: str | None) -> None:
        """Book the lines and print what is known at the end."""
        self._rows = RowWriter(timeline=self.timeline)
        booking = outcome(book_lines(outcome_of, self.timeline, quote=quote, sink=self), self.timeline)
        for record in booking.disposals:
            self.disposal(record)
        self._flush()
        rest = json.dumps(closing(booking), separators=(",", ":"))
        opening = "" if self._separator == "," else self._separator
        self._out.write(f"{opening}],{rest[1:]}")

    def _flush(self) -> None:
        if self._waiting:
            self._out.write(self._separator + ",".join(self._waiting), ending="")
            self._separator = ","
            self._waiting.clear()


def _lines(items: Iterable[object], sink: Sink) -> list[Line]:
    reader, seen = LineReader(), set()
    lines: list[Line] = []
    for index, raw in enumerate(items):
        try:
            line = reader.line(raw, index=index)
        except EntryError as error:
            sink.problems.append(Problem(_identity(raw), error.code, error.message, place=index, field=error.field))
            continue
        if line.id in seen:
            sink.problems.append(repeated(line.id, index=index))
            continue
        seen.add(line.id)
        lines.append(line)
    return lines


def _identity(raw: object) -> str | None:
    values = raw.values if isinstance(raw, Repeated) else raw
    identity = values.get("id") if isinstance(values, Mapping) else None
    return str(identity) if isinstance(identity, str) and identity else None


def _settings(rest: Mapping[str, object], file: Path | None) -> tuple[object, object]:
    """Return the policy and its changes; settings above the file's own hold for all time unless they change too."""
    own, changes = rest.get("policy"), rest.get("policy_changes")
    if own is None:
        own = {}
    if file is None:
        return own, changes
    above = read_value("".join(_chunks(file)))
    changes = above.get("policy_changes") if isinstance(above, dict) else None
    if isinstance(above, dict):
        above = above["policy"] if isinstance(above.get("policy"), dict) else _without_changes(above)
    if isinstance(own, dict) and isinstance(above, dict):
        return {**own, **above}, changes
    return (above if isinstance(own, dict) else own), changes


def _without_changes(above: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in above.items() if name != "policy_changes"}


def _quote(given: object, sink: Sink) -> str | None:
    if given is None or (type(given) is str and given):
        return given
    sink.problems.append(Problem(None, "field_invalid", "quote is the name of the money of account.", field="quote"))
    return None


def _chunks(file: Path) -> Iterator[str]:
    try:
        with file.open(encoding="utf-8-sig") as text:
            while chunk := text.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise UnreadableError(f"{file} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{file} cannot be read: it is not UTF-8 text.") from error
