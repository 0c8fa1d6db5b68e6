"""The booking engine: transactions and a policy in; disposals, lots, holdings and problems out. Exact and pure."""

from apps.portfolios.domain.booking.engine import State
from apps.portfolios.domain.booking.lines import Line, line_of
from apps.portfolios.domain.booking.records import (
    Booking,
    Charged,
    Disposal,
    Match,
    OpenLot,
    Problem,
    Received,
    Shortfall,
    Sink,
    Term,
    Totals,
)
from apps.portfolios.domain.booking.running import DEFAULT_QUOTE, book, book_lines, outcome, repeated, start, walked
from apps.portfolios.domain.booking.scaled import SCALE, scaled, text

__all__ = [
    "DEFAULT_QUOTE",
    "SCALE",
    "Booking",
    "Charged",
    "Disposal",
    "Line",
    "Match",
    "OpenLot",
    "Problem",
    "Received",
    "Shortfall",
    "Sink",
    "State",
    "Term",
    "Totals",
    "book",
    "book_lines",
    "line_of",
    "outcome",
    "repeated",
    "scaled",
    "start",
    "text",
    "walked",
]
