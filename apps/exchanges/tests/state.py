"""What a sync leaves behind, as one hash: the ledger, how far each stream is read, and the rows as they came."""

import hashlib
import json
from typing import Any

from apps.exchanges.models import Connection, StoredRow, StreamState
from apps.portfolios.domain.drafts import AMOUNTS, NAMES
from apps.portfolios.models import Transaction
from apps.portfolios.models.observed import ObservedBalance

_FACTS = ("external_id", "at", "type", "sequence", *AMOUNTS, *NAMES, "note", "tx_hash", "address")


def ledger_of(connection: Connection) -> list[Any]:
    """Return every entry that counts in the connection's account, in an order that only their content decides."""
    rows = Transaction.objects.standing().filter(account=connection.account_id).values_list(*_FACTS)
    return sorted([[str(fact) for fact in row] for row in rows])


def state_hash(connection: Connection) -> str:
    """Return the hash of everything that must come out the same, whatever happened on the way."""
    rows = StoredRow.objects.filter(connection=connection)
    streams = StreamState.objects.filter(connection=connection)
    told = {
        "ledger": ledger_of(connection),
        "rows": sorted(
            [stream, symbol, external_id, bytes(digest).hex(), state]
            for stream, symbol, external_id, digest, state in rows.values_list(
                "stream", "symbol", "external_id", "payload_hash", "state"
            )
        ),
        "streams": sorted(
            [stream, symbol, state, str(begin), count, cursor]
            for stream, symbol, state, begin, count, cursor in streams.values_list(
                "stream", "symbol", "state", "covered_from", "rows", "cursor"
            )
        ),
        "balances": sorted(
            [asset, str(amount.normalize())]
            for asset, amount in ObservedBalance.objects.filter(account=connection.account_id).values_list(
                "asset", "amount"
            )
        ),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
