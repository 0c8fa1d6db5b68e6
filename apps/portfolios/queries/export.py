"""A whole portfolio as a file: portable JSON, a table, or beancount, row by row as the ledger is read."""

import csv
from collections.abc import Iterator
from typing import Any, Final

import orjson

from apps.portfolios.domain.beancount import beancount_lines
from apps.portfolios.domain.drafts import AMOUNTS, NAMES, REMARKS
from apps.portfolios.domain.policy import policy_as_portable
from apps.portfolios.domain.timeline import changes_as_portable
from apps.portfolios.domain.transactions import entry_as_portable
from apps.portfolios.models import Account, Portfolio, Transaction
from apps.portfolios.queries.ledger import ledger_entries, told_entries
from apps.portfolios.queries.portfolios import accounts_of, timeline_of

_BESIDES: Final = ("external_id", "sequence", "source", *REMARKS)
COLUMNS: Final = ("id", "ts", "type", "account", "from_account", "to_account", *NAMES, *AMOUNTS, *_BESIDES)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_WORDS: Final = frozenset({"account", "from_account", "to_account", "kind", "note", "address"})


def export_json(*, portfolio: Portfolio) -> Iterator[bytes]:
    """Yield the portfolio in the portable format, which `book` and an import read."""
    head = {
        "portfolio": portfolio.name,
        "quote": portfolio.currency,
        "accounts": [_account(row) for row in accounts_of(portfolio=portfolio)],
        **_rules(portfolio),
    }
    yield orjson.dumps(head)[:-1] + b',"transactions":['
    for place, row in enumerate(_rows(portfolio)):
        yield (b"," if place else b"") + b"\n" + orjson.dumps(row)
    yield b"\n]}\n"


def _rules(portfolio: Portfolio) -> dict[str, object]:
    """Return the policy of the beginning, and its changes where there are any."""
    timeline = timeline_of(portfolio=portfolio)
    policy: dict[str, object] = {"policy": policy_as_portable(timeline.first)}
    return {**policy, "policy_changes": changes_as_portable(timeline)} if timeline.changes else policy


def export_csv(*, portfolio: Portfolio) -> Iterator[str]:
    """Yield the portfolio as a table with the names of the portable format; no cell of words is a formula."""
    writer = csv.DictWriter(_Line(), COLUMNS, extrasaction="ignore", lineterminator="\r\n")
    yield str(writer.writerow(dict(zip(COLUMNS, COLUMNS, strict=True))))
    for row in _rows(portfolio):
        told = {"quote": portfolio.currency, **row}
        yield str(writer.writerow({name: _cell(name, value) for name, value in told.items()}))


def export_beancount(*, portfolio: Portfolio) -> Iterator[str]:
    """Yield the portfolio as a beancount file."""
    entries = ledger_entries(portfolio=portfolio)
    for line in beancount_lines(entries, money=portfolio.currency, title=portfolio.name):
        yield f"{line}\n"


def _rows(portfolio: Portfolio) -> Iterator[dict[str, Any]]:
    besides = Transaction.objects.filter(portfolio=portfolio).standing().values_list("pk", *_BESIDES)
    remarks = {str(row[0]): row[1:] for row in besides.iterator(chunk_size=5_000)}
    for entry in told_entries(portfolio=portfolio):
        beside = remarks.get(entry.id, ())
        found = {name: value for name, value in zip(_BESIDES, beside, strict=False) if value}
        yield {**entry_as_portable(entry), **found}


def _account(row: Account) -> dict[str, str]:
    return {"name": row.name, "kind": row.kind, "exchange": row.exchange}


def _cell(name: str, value: object) -> object:
    """Put a quote before words that a spreadsheet would take for a formula."""
    if name in _WORDS and isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


class _Line:
    """Hands a written line back."""

    def write(self, text: str) -> str:
        """Return what is written."""
        return text
