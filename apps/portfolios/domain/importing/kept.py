"""Choices that are kept for the next file of the same kind, and the head line by which such a file is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from apps.portfolios.domain.importing.files import AUTO
from apps.portfolios.domain.importing.layouts import header_of, normalized
from apps.portfolios.domain.importing.mapper import ColumnMapping
from apps.portfolios.domain.importing.numbers import NumberStyle
from apps.portfolios.domain.importing.problems import LineError
from apps.portfolios.domain.importing.table import first_rows, whole_lines
from apps.portfolios.domain.importing.times import DateStyle

#: So much of a file is enough to find its head line.
HEAD_BYTES: Final = 64 * 1024
#: How well a file fits: its head line is the one that was kept, or all columns that are named are in it.
BY_HEAD: Final = 2
BY_COLUMNS: Final = 1


@dataclass(frozen=True, slots=True)
class Choices:
    """How a file is to be read, and into which account."""

    format: str = AUTO
    account: str = ""
    mapping: ColumnMapping = ColumnMapping()  # noqa: RUF009 - immutable


def filled(said: Choices, kept: Choices) -> Choices:
    """Return what was said, and what is kept where nothing was said."""
    mine, theirs = said.mapping, kept.mapping
    return Choices(
        format=kept.format if said.format == AUTO else said.format,
        account=said.account or kept.account,
        mapping=ColumnMapping(
            columns=mine.columns or theirs.columns,
            constants=mine.constants or theirs.constants,
            kinds=mine.kinds or theirs.kinds,
            numbers=theirs.numbers if mine.numbers is NumberStyle.AUTO else mine.numbers,
            dates=theirs.dates if mine.dates is DateStyle.AUTO else mine.dates,
            time_zone=theirs.time_zone if mine.time_zone == "UTC" else mine.time_zone,
        ),
    )


def beginning(data: bytes) -> bytes:
    """Return as much of a file as is looked at to know it: whole lines, if there is more of it."""
    return data if len(data) < HEAD_BYTES else whole_lines(data[:HEAD_BYTES])


def heads_of(data: bytes) -> list[tuple[str, ...]]:
    """Return the rows of the beginning of a file that could be its head line, or raise `ImportRefusedError`."""
    found = []
    for row in first_rows(beginning(data)):
        try:
            found.append(header_of(row.cells).names)
        except LineError:
            continue
    return found


def fit(heads: Sequence[tuple[str, ...]], *, head: Sequence[str], choices: Choices) -> int:
    """Return how well a file with these possible head lines fits choices that were kept; zero where it does not."""
    if head and tuple(head) in heads:
        return BY_HEAD
    wanted = {normalized(name) for name in choices.mapping.columns.values()}
    return BY_COLUMNS if wanted and any(wanted <= {*names} for names in heads) else 0
