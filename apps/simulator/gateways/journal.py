"""Posted trades in a file of JSON lines, so that a world goes on after a restart where it stopped."""

import json
import os
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from apps.simulator.domain.entries import Posted
from apps.simulator.domain.shapes import Account, Fill, Side, StartError


class Line(NamedTuple):
    """One posted trade and whose it is."""

    venue: str
    label: str
    posted: Posted


class Journal:
    """A file that only grows; a line is whole or, as the last one after a crash, cut away."""

    def __init__(self, path: Path, seed: int) -> None:
        self._path, self._seed = path, seed

    def read(self) -> list[Line]:
        """Return the trades of this seed in the order in which they were posted, and cut a torn last line away."""
        if not self._path.exists():
            return []
        data = self._path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with self._path.open("r+b") as file:
                file.truncate(whole)
        lines = (self._parsed(line) for line in data[:whole].splitlines())
        return [line for line in lines if line]

    def _parsed(self, text: bytes) -> Line | None:
        """Return a line; None for one that belongs to another seed."""
        try:
            row = json.loads(text)
            if row["seed"] != self._seed:
                return None
            amounts = Decimal(row["amount"]), Decimal(row["price"])
            posted = Posted(int(row["ts"]), row["symbol"], Side(row["side"]), *amounts)
            return Line(row["venue"], row["label"], posted)
        except (ValueError, KeyError, TypeError, InvalidOperation) as error:
            raise JournalError(f"{self._path} holds a line that is not a posted trade. Name another file.") from error

    @staticmethod
    def line(account: Account, fill: Fill) -> Line:
        """Return what is to be remembered of a trade."""
        posted = Posted(fill.ts, fill.symbol, fill.side, fill.amount, fill.price)
        return Line(account.venue, account.label, posted)

    def append(self, line: Line) -> None:
        """Write one trade, so that it survives a power cut."""
        posted = line.posted
        row = {
            "seed": self._seed,
            "venue": line.venue,
            "label": line.label,
            "ts": posted.ts,
            "symbol": posted.symbol,
            "side": posted.side.value,
            "amount": str(posted.amount),
            "price": str(posted.price),
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(json.dumps(row).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


class JournalError(StartError):
    """The journal cannot be used; the text says what to do."""
