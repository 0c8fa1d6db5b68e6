"""The one table that a benchmark prints."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, with its peer and its budget where there are any."""

    what: str
    figure: str
    peer: str = ""
    ratio: str = ""
    budget: str = ""
    met: bool | None = None


HEAD = Row(what="What", figure="Figure", peer="Peer", ratio="Ratio", budget="Budget")


def _cells(row: Row) -> list[str]:
    verdict = {None: "", True: "met", False: "MISSED"}[row.met]
    return [row.what, row.figure, row.peer, row.ratio, row.budget, verdict]


def as_text(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table, padded so that it reads well in a terminal too."""
    table = [_cells(HEAD), *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in table
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
