"""Golden payloads: rows as the venues document them, and what each comes to, on one line an entry."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from apps.core.money import plain
from apps.exchanges.domain.normalize import normalize
from apps.exchanges.domain.reading import Stream, VenueRow
from apps.portfolios.domain.drafts import AMOUNTS, NAMES, EntryDraft, checked_draft

DATA: Final = Path(__file__).parent / "data"
#: The portfolio's money in these cases.
MONEY: Final = "EUR"


def cases_of(exchange: str) -> list[dict[str, Any]]:
    """Return the cases of a venue."""
    found: list[dict[str, Any]] = json.loads((DATA / f"{exchange}.json").read_text(encoding="utf-8"))
    return found


def row_of(case: Mapping[str, Any]) -> VenueRow:
    """Return the row of a case."""
    return VenueRow(
        stream=Stream(case["stream"]),
        external_id=case["id"],
        at_ms=case["at_ms"],
        payload=case["payload"],
        symbol=case["symbol"],
    )


def told(exchange: str, case: Mapping[str, Any]) -> list[str]:
    """Return what a case comes to: its entries, or the code of its problem."""
    found = normalize(exchange=exchange, rows=[row_of(case)], account="Home", currency=MONEY)
    return [*map(line_of, found.drafts), *(f"problem {one.code}" for one in found.problems)]


def line_of(draft: EntryDraft) -> str:
    """Return an entry on one line."""
    entry = checked_draft(draft)
    parts = [entry.type.value]
    if entry.type.value == "transfer":
        parts += [" > ".join(entry.sides)]
    for name in (*NAMES, *AMOUNTS):
        value = getattr(entry, name)
        if value is not None:
            parts.append(f"{name}={value if isinstance(value, str) else plain(value)}")
    parts += [f"hash={entry.tx_hash}"] * bool(entry.tx_hash) + [f"address={entry.address}"] * bool(entry.address)
    return " ".join([*parts, f"id={entry.external_id}"])
