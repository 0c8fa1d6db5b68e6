"""What is read at a venue: streams of rows, page by page, balances, and what a key may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

#: Where reading goes on; only the adapter that made it knows what is in it. It is kept as JSON.
Cursor = Mapping[str, Any]


class Stream(StrEnum):
    """A kind of rows that a venue tells about an account."""

    TRADES = "trades"
    DEPOSITS = "deposits"
    WITHDRAWALS = "withdrawals"
    REWARDS = "rewards"
    CONVERSIONS = "conversions"
    DUST = "dust"
    FIAT = "fiat"
    LEDGER = "ledger"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamKey:
    """One stream of a connection; a venue that tells its trades pair by pair has one stream a pair."""

    stream: Stream
    symbol: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueRow:
    """One row as the venue sent it; its id is the venue's own and never changes."""

    stream: Stream
    external_id: str
    at_ms: int
    payload: Mapping[str, Any]
    symbol: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer: its rows, where to go on, and up to when the stream is complete once the rows are kept."""

    rows: tuple[VenueRow, ...]
    cursor: Cursor
    covered_to_ms: int
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueBalance:
    """What the venue says is held of a coin in one kind of wallet, held orders included; codes are the venue's own."""

    asset: str
    wallet: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRights:
    """What a key may do; None where the venue does not tell, and then nobody may take it for No."""

    read: bool | None
    trade: bool | None
    transfer: bool | None
    withdraw: bool | None
    is_bound_to_addresses: bool | None = None
    expires_at_ms: int | None = None
    #: What the venue told besides that we do not know the meaning of.
    unknown: tuple[str, ...] = ()
