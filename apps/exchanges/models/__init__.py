"""Tables of the exchanges: who is connected with what, by which sealed keys."""

from apps.exchanges.models.connections import (
    Connection,
    ConnectionQuerySet,
    ConnectionState,
    KeyUse,
    SealedSecret,
    UsePurpose,
    VenueAccount,
)
from apps.exchanges.models.rows import RowState, StoredRow
from apps.exchanges.models.runs import AWAITED, SyncRun, SyncTrigger
from apps.exchanges.models.streams import StreamProgress, StreamState

__all__ = [
    "AWAITED",
    "Connection",
    "ConnectionQuerySet",
    "ConnectionState",
    "KeyUse",
    "RowState",
    "SealedSecret",
    "StoredRow",
    "StreamProgress",
    "StreamState",
    "SyncRun",
    "SyncTrigger",
    "UsePurpose",
    "VenueAccount",
]
