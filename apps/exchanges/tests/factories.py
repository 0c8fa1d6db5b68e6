"""Makes connections for tests."""

import itertools
from collections.abc import Mapping
from datetime import datetime

from apps.accounts.models import User
from apps.core import clock
from apps.core.vault import Secret
from apps.exchanges.actions.keeping import Draft, Probed, keep_connection
from apps.exchanges.domain.reading import KeyRights
from apps.exchanges.models import Connection
from apps.portfolios.models import Portfolio
from apps.portfolios.tests.factories import make_default

READ_ONLY = KeyRights(read=True, trade=False, transfer=False, withdraw=False)
_numbers = itertools.count(1)


def make_secrets(*, api_key: str | None = None) -> dict[str, Secret]:
    """Return the fields of a key that no exchange knows."""
    return {
        "api_key": Secret(api_key or f"canary-key-{next(_numbers):06d}"),
        "api_secret": Secret(f"canary-secret-{next(_numbers):06d}"),
    }


def make_connection(
    *,
    user: User | None = None,
    portfolio: Portfolio | None = None,
    exchange: str = "binance",
    label: str = "",
    secrets: Mapping[str, Secret] | None = None,
    rights: KeyRights = READ_ONLY,
    venue_account: str = "",
    is_simulated: bool = True,
    now: datetime | None = None,
) -> Connection:
    """Keep a connection with its sealed key, asking no exchange."""
    home = portfolio or make_default(user=user)
    return keep_connection(
        user=home.owner,
        draft=Draft(exchange=exchange, secrets=secrets or make_secrets(), label=label, portfolio=home),
        probed=Probed(rights=rights, venue_account=venue_account, is_simulated=is_simulated),
        now=now or clock.now(),
    )
