"""What tests ask of the simulated exchanges besides what any client may ask: keys, truth, trades and faults."""

import json
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.core import clock
from apps.core.vault import Secret
from apps.exchanges.domain.reading import Page, StreamKey, VenueRow
from apps.exchanges.gateways import Session


class Simulated:
    """The control routes of the four exchanges."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self.addresses = addresses

    def ask(self, exchange: str, path: str, method: str = "GET", body: object = None) -> Any:
        """Ask a control route."""
        address = f"{self.addresses[exchange]}/_sim/{path}"
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(address, method=method, data=data)  # noqa: S310 - our own
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own
            return json.loads(answer.read())

    def secrets(self, exchange: str, label: str) -> dict[str, Secret]:
        """Return the parts of an account's key."""
        found = next(one for one in self.ask(exchange, "accounts") if one["label"] == label)
        names = ("api_key", "api_secret", "passphrase")
        return {name: Secret(found[name]) for name in names if found[name] is not None}

    def truth(self, exchange: str, label: str) -> dict[str, Any]:
        """Return what an account really holds and did."""
        told: dict[str, Any] = self.ask(exchange, f"truth/{label}")
        return told | {"balances": {asset: Decimal(amount) for asset, amount in told["balances"].items()}}

    def fault(self, exchange: str, fault: str, **more: object) -> None:
        """Turn a fault on."""
        self.ask(exchange, "faults", "POST", {"fault": fault, **more})

    def clear(self) -> None:
        """Turn all faults off."""
        for exchange in self.addresses:
            self.ask(exchange, "faults", "DELETE")


def milliseconds(at: datetime | None = None) -> int:
    """Return a moment, or the present one, in milliseconds."""
    return int((at or clock.now()).timestamp() * 1000)


def pages_of(session: Session, key: StreamKey, *, since_ms: int = 0, until_ms: int) -> list[Page]:
    """Return all pages of one pass over a stream; what is promised complete never shrinks."""
    pages: list[Page] = []
    cursor = None
    while not pages or not pages[-1].is_last:
        pages.append(session.page(key=key, cursor=cursor, since_ms=since_ms, until_ms=until_ms))
        cursor = json.loads(json.dumps(pages[-1].cursor))
        assert len(pages) < 5_000
    covered = [page.covered_to_ms for page in pages]
    assert covered == sorted(covered)
    assert covered[-1] == until_ms
    return pages


def rows_of(session: Session, key: StreamKey, *, until_ms: int, since_ms: int = 0) -> list[VenueRow]:
    """Return every row of a stream once."""
    pages = pages_of(session, key, since_ms=since_ms, until_ms=until_ms)
    found = {row.external_id: row for page in pages for row in page.rows}
    return list(found.values())
