"""Kraken: trades and ledger lines as entries, read as the lines of Kraken's own exports are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from apps.exchanges.domain.normalize.shaping import Desk, Reader, with_money, word
from apps.exchanges.domain.reading import Stream, VenueRow
from apps.portfolios.domain.drafts import LONGEST_ADDRESS, LONGEST_HASH, EntryDraft
from apps.portfolios.domain.importing import kraken
from apps.portfolios.domain.importing.problems import LineError
from apps.portfolios.domain.importing.reading import Line

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LEDGER_COLUMNS: Final = ("txid", "refid", "type", "subtype", "asset", "amount", "fee", "balance", "time")
_TRADE_COLUMNS: Final = ("txid", "pair", "type", "cost", "fee", "vol", "margin", "time")
#: Lines that the stream of trades tells with price and pair.
_TOLD_ELSEWHERE: Final = frozenset({"trade"})


def coin_of(code: str) -> str:
    """Return the common code of what Kraken calls XXBT, ADA.S or ETH2."""
    return kraken.asset_of(code.upper())


def _trade(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    pair = word(row.payload, "_pair", "pair")
    line = _line({**row.payload, "txid": row.external_id, "pair": pair}, _TRADE_COLUMNS, row.at_ms)
    desk.reading.number_of_line = 0
    return with_money(desk, kraken.read_trade(desk.reading, line))


def _ledger(desk: Desk, row: VenueRow) -> list[EntryDraft]:
    legs: Sequence[Mapping[str, Any]] = row.payload["legs"]
    if all(word(leg, "type").lower() in _TOLD_ELSEWHERE for leg in legs):
        return []
    lines = [_line(leg, _LEDGER_COLUMNS, row.at_ms) for leg in legs]
    drafts = []
    for told in kraken.read_ledgers(desk.reading, lines):
        if told.error is not None:
            raise LineError(told.error.code, told.error.message, field=told.error.field)
        if told.draft is not None:
            drafts.append(_found(replace(told.draft, sequence=0), row.payload.get("status") or {}))
    return with_money(desk, drafts)


def _found(draft: EntryDraft, status: Mapping[str, Any]) -> EntryDraft:
    """Return an entry with the hash and the address that the ledger itself does not have."""
    return replace(draft, tx_hash=word(status, "txid")[:LONGEST_HASH], address=word(status, "info")[:LONGEST_ADDRESS])


def _line(payload: Mapping[str, Any], columns: Sequence[str], at_ms: int) -> Line:
    told = {**payload, "time": (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")}
    cells = [str(told.get(name, "")) for name in columns]
    return Line(1, cells, {name: place for place, name in enumerate(columns)})


READERS: Final[dict[Stream, Reader]] = {Stream.TRADES: _trade, Stream.LEDGER: _ledger}
