"""Reads what people have: the exports of exchanges and of other trackers, and any table whose columns they name.

Pure: bytes in; drafts, and a problem for every line that could not be read, out. Nothing is guessed and nothing is
skipped in silence: a line becomes entries, or a problem with its number, or a note why it needs no entry
(`internal`: a move inside one account; `money`: the portfolio's own money came or went, which is not held here;
`pending`: not settled yet; `nothing_to_book`: an amount of zero). Of an event of several lines all are read or none.
"""

from apps.portfolios.domain.importing.files import (
    AUTO,
    FORMATS,
    LAYOUTS,
    Columns,
    ImportedFile,
    columns_of,
    read_file,
)
from apps.portfolios.domain.importing.kept import HEAD_BYTES, Choices, beginning, filled, fit, heads_of
from apps.portfolios.domain.importing.layouts import normalized
from apps.portfolios.domain.importing.mapper import ColumnMapping, parse_mapping
from apps.portfolios.domain.importing.problems import ImportRefusedError, Problem
from apps.portfolios.domain.importing.reading import ImportedRow
from apps.portfolios.domain.importing.rules import FileRules
from apps.portfolios.domain.importing.table import MAX_BYTES, MAX_ROWS

__all__ = [
    "AUTO",
    "FORMATS",
    "HEAD_BYTES",
    "LAYOUTS",
    "MAX_BYTES",
    "MAX_ROWS",
    "Choices",
    "ColumnMapping",
    "Columns",
    "FileRules",
    "ImportRefusedError",
    "ImportedFile",
    "ImportedRow",
    "Problem",
    "beginning",
    "columns_of",
    "filled",
    "fit",
    "heads_of",
    "normalized",
    "parse_mapping",
    "read_file",
]
