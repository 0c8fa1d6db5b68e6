"""Says in short lines what an importer made of a file, so that tests read as tables."""

from decimal import Decimal
from pathlib import Path
from typing import Final

from apps.core.money import plain
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing import ImportedFile, read_file
from apps.portfolios.domain.transactions import EntryType, moment_text

_GOLDEN: Final = Path(__file__).parent / "data" / "imports"


def golden(name: str) -> str:
    """Return one of the exports that were written for the tests."""
    return (_GOLDEN / name).read_text(encoding="utf-8")


def told(text: str | bytes, **choices: object) -> list[str]:
    """Read a file and return one short line per outcome."""
    data = text.encode() if isinstance(text, str) else text
    return told_of(read_file(data=data, **choices))  # type: ignore[arg-type]


def told_of(found: ImportedFile) -> list[str]:
    """Return one short line per outcome: an entry, `!` and a code for a problem, `~` and a word for a note."""
    lines = []
    for row in found.rows:
        if row.draft is not None:
            lines.append(f"{row.line} {_entry(row.draft)}")
        else:
            lines.append(f"{row.line} ! {row.error.code}" if row.error else f"{row.line} ~ {row.note}")
    return lines


def _entry(draft: EntryDraft) -> str:
    words = [moment_text(draft.at_us), draft.type.value]
    if draft.type is EntryType.TRADE:
        words += [_number(draft.out_amount), str(draft.out_asset), "->", _number(draft.in_amount), str(draft.in_asset)]
    else:
        words += [_number(draft.amount), str(draft.asset)]
    if draft.type is EntryType.TRANSFER:
        words += [f"{draft.from_account} -> {draft.to_account}"]
    if draft.received is not None:
        words.append(f"received {_number(draft.received)}")
    words += [draft.kind] if draft.kind else []
    words += [f"= {_number(draft.value)}"] if draft.value is not None else []
    words += [f"@ {_number(draft.price)}"] if draft.price is not None else []
    if draft.fee is not None:
        words += ["fee", _number(draft.fee), str(draft.fee_asset)]
    if draft.fee_value is not None:
        words += [f"fee = {_number(draft.fee_value)}"]
    return " ".join([*words, *([f"on {draft.fee_on}"] if draft.fee_on == "out" else [])])


def _number(number: Decimal | None) -> str:
    return "?" if number is None else plain(number)
