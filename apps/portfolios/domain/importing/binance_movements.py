"""Binance: the histories of deposits and withdrawals, which name the hash and the address that other files leave out.

The newer ones tell themselves apart by their columns. The older ones have the same columns both ways: one with a fee in
any line, or named after withdrawals, is of withdrawals; deposits cost nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import shapes
from apps.portfolios.domain.importing.layouts import Layout
from apps.portfolios.domain.importing.problems import LineError
from apps.portfolios.domain.importing.reading import ImportedRow, Line, Reading, line_by_line
from apps.portfolios.domain.importing.shapes import Leg, Origin
from apps.portfolios.domain.importing.times import DateStyle

_DONE: Final = frozenset({"", "completed", "success", "successful"})
_FEES: Final = ("fee", "transactionfee")


def read_deposit(reading: Reading, line: Line) -> list[EntryDraft]:
    """Read a line of the deposits; one that has not arrived needs no entry."""
    if line.text("status").lower() not in _DONE:
        return []
    leg, origin = _event(reading, line, "in")
    return [shapes.arrived(reading, origin, leg)]


def read_withdrawal(reading: Reading, line: Line) -> list[EntryDraft]:
    """Read a line of the withdrawals; the fee left in addition to the amount."""
    if line.text("status").lower() not in _DONE:
        return []
    leg, origin = _event(reading, line, "out")
    return [shapes.left(reading, origin, leg, reading.optional(line, *_FEES))]


def read_either(reading: Reading, lines: Sequence[Line]) -> list[ImportedRow]:
    """Return what became of the lines of an older history, of whichever kind it is."""
    leaves = "withdraw" in reading.file_name.lower() or any(_costs(reading, line) for line in lines)
    return (_WITHDRAWALS if leaves else _DEPOSITS)(reading, lines)


def _costs(reading: Reading, line: Line) -> bool:
    try:
        return bool(reading.optional(line, *_FEES))
    except LineError:
        return False


def _event(reading: Reading, line: Line, way: str) -> tuple[Leg, Origin]:
    reading = replace(reading, dates=reading.dates if reading.dates is not DateStyle.AUTO else DateStyle.YMD)
    leg = Leg(reading.asset(line, "coin"), reading.positive(line, "amount"))
    at_us = reading.moment(line, *(name for name in ("date", "time") if name in line.columns))
    tx_hash, address = line.text("txid"), line.text("address")
    external_id = reading.fingerprint(way, at_us, leg.asset, leg.amount, tx_hash)
    return leg, Origin(at_us, external_id, reading.account, line.text("network"), tx_hash, address)


_DEPOSITS: Final = line_by_line(read_deposit)
_WITHDRAWALS: Final = line_by_line(read_withdrawal)
_COLUMNS: Final = ("coin", "amount", "address", "txid", "status")
LAYOUTS: Final = tuple(
    layout
    for time in ("date", "time")
    for layout in (
        Layout("binance", "deposits", (time, *_COLUMNS), _DEPOSITS),
        Layout("binance", "withdrawals", (time, *_COLUMNS, "fee"), _WITHDRAWALS),
        Layout("binance", "deposits or withdrawals", (time, *_COLUMNS, "transactionfee"), read_either),
    )
)
