"""Rows of a venue become entries of the ledger, and balances of its wallets sums per coin. Pure.

A row that makes no sense is a problem beside the others, never a reason to lose them. A move between two wallets of one
venue changes nothing: all of them are one account of the ledger.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from apps.exchanges.domain.normalize import binance, coinbase, kraken, kucoin, unified
from apps.exchanges.domain.normalize.shaping import Desk, Reader
from apps.exchanges.domain.reading import Stream, VenueBalance, VenueRow
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.importing.numbers import exact_sum
from apps.portfolios.domain.importing.problems import LineError
from apps.portfolios.domain.importing.reading import Reading

_READERS: Final[Mapping[str, Mapping[Stream, Reader]]] = {
    "binance": binance.READERS,
    "coinbase": coinbase.READERS,
    "kraken": kraken.READERS,
    "kucoin": kucoin.READERS,
}
_COIN_OF: Final[Mapping[str, Callable[[str], str]]] = {"kraken": kraken.coin_of}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """A row that could not become an entry, and why; `detail` says what to do."""

    stream: Stream
    external_id: str
    symbol: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized:
    """What rows mean to the ledger.

    `of` names the row of a draft where the two have different ids. `spare` has another id for each draft: a venue may
    use a number once per pair, and where the first id is taken by something else the second one is meant.
    """

    drafts: tuple[EntryDraft, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    of: Mapping[str, str] = field(default_factory=dict)
    spare: Mapping[str, str] = field(default_factory=dict)


def normalize(
    *,
    exchange: str,
    rows: Sequence[VenueRow],
    account: str,
    currency: str,
    names: Mapping[str, str] | None = None,
) -> Normalized:
    """Return the entries that rows of a venue are; `names` has our word for coins that the venue calls otherwise."""
    desk = Desk(Reading(source=exchange, account=account, currency=currency), names or {})
    drafts: list[EntryDraft] = []
    problems: list[RowProblem] = []
    of: dict[str, str] = {}
    spare: dict[str, str] = {}
    for row in rows:
        try:
            found = _reader(exchange, row)(desk, row)
        except LineError as error:
            problems.append(_problem(row, error))
            continue
        for draft in found:
            told = draft.external_id or row.external_id
            spare[told] = f"{told}:{row.symbol or row.stream.value}"
            if told != row.external_id:
                of[told] = row.external_id
        drafts += found
    return Normalized(drafts=tuple(drafts), problems=tuple(problems), of=of, spare=spare)


def held(
    *, exchange: str, balances: Iterable[VenueBalance], names: Mapping[str, str] | None = None
) -> dict[str, Decimal]:
    """Return what a venue says is held of each coin, all wallets and flavors together, zeros left out."""
    coin_of = _COIN_OF.get(exchange, _as_told)
    sums: defaultdict[str, list[Decimal]] = defaultdict(list)
    for balance in balances:
        code = coin_of(balance.asset)
        sums[(names or {}).get(code, code)].append(balance.amount)
    totals = {asset: exact_sum(amounts) for asset, amounts in sums.items()}
    return {asset: total for asset, total in totals.items() if total}


def _reader(exchange: str, row: VenueRow) -> Reader:
    readers = _READERS.get(exchange, unified.READERS)
    if row.stream not in readers:
        raise LineError("stream_unknown", f"Rows of {row.stream.value} are not read from this exchange yet.")
    return readers[row.stream]


def _problem(row: VenueRow, error: LineError) -> RowProblem:
    return RowProblem(
        stream=row.stream, external_id=row.external_id, symbol=row.symbol, code=error.code, detail=error.message
    )


def _as_told(code: str) -> str:
    return code.upper()
