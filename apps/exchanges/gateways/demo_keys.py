"""The keys of the simulator's accounts, for whoever wants to try without an exchange; they open nothing real."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from apps.core.http import Limits, client
from apps.exchanges.gateways.errors import VenueUnavailableError


@dataclass(frozen=True, slots=True)
class DemoKey:
    """One account of the simulator with its key."""

    label: str
    rights: str
    fields: dict[str, str | None] = field(repr=False)


def demo_keys(*, address: str) -> tuple[DemoKey, ...]:
    """Return the accounts of one simulated exchange, or raise `VenueUnavailableError`."""
    own = urlsplit(address).netloc
    try:
        with client(limits=Limits(deadline=5.0), private_hosts=(own,)) as web:
            answer = web.get(f"{address}/_sim/accounts")
            answer.raise_for_status()
            rows: list[dict[str, Any]] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise VenueUnavailableError from error
    names = ("api_key", "api_secret", "passphrase")
    return tuple(DemoKey(row["label"], row["rights"], {name: row[name] for name in names}) for row in rows)
