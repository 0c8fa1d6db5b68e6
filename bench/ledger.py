"""The ledger: booking, and what is built on it."""

from bench import ledger_booking, ledger_import, ledger_pages, ledger_posting
from bench.table import Row


def rows(*, quick: bool = False) -> list[Row]:
    """Run every part and return its figures."""
    booking = [*ledger_booking.rows(quick=quick), *ledger_posting.rows(quick=quick)]
    return [*booking, *ledger_import.rows(), *ledger_pages.rows(quick=quick)]
