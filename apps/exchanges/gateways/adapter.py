"""The one shape of every venue: what a key consists of, and what can be read while it is lent. Nothing can be written.

A session reads the venue in pages. `page` makes one request, or the fewest that make sense of each other. With no
cursor it begins at `since_ms` (0: at the very beginning of the account) and reads up to `until_ms`; with the cursor of
the page before it goes on, and after the last page the same cursor, with a later `until_ms`, reads what is new since.
`covered_to_ms` never claims more than was read: what is promised complete is everything from `since_ms` up to it.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from apps.core.vault import Secret
from apps.exchanges.domain.reading import Cursor, KeyRights, Page, StreamKey, VenueBalance
from apps.exchanges.gateways.errors import ClockOffError, meaning_of
from apps.markets.actions.venue_clients import Loan, PrivateClient, Read, lend_client

if TYPE_CHECKING:
    from collections.abc import Iterator

API_KEY: Final = "api_key"
API_SECRET: Final = "api_secret"  # noqa: S105 - the name of a field
PASSPHRASE: Final = "passphrase"  # noqa: S105 - the name of a field


class Session(Protocol):
    """What can be asked of a venue while a key is lent; only reading."""

    @property
    def requests(self) -> int:
        """How many requests were made so far."""

    def account(self) -> str:
        """Return the venue's own id of the account that the key opens; nothing where it is not told."""

    def server_time(self) -> int:
        """Return the venue's clock in milliseconds."""

    def rights(self) -> KeyRights:
        """Return what the key may do."""

    def balances(self) -> tuple[VenueBalance, ...]:
        """Return what is held in every kind of wallet, held orders included, zeros left out."""

    def streams(self, *, hints: Collection[str]) -> tuple[StreamKey, ...]:
        """Return the streams to read now; hints are coins or pairs (BTC/USDT) that the account is known to have."""

    def sweep(self) -> tuple[StreamKey, ...]:
        """Return further streams that may hold something, likely ones first, to be read little by little."""

    def page(self, *, key: StreamKey, cursor: Cursor | None, since_ms: int, until_ms: int) -> Page:
        """Return the next page of a stream."""


class VenueAdapter(Protocol):
    """A venue as the rest of the app sees it."""

    @property
    def exchange(self) -> str:
        """The venue's id."""

    @property
    def name(self) -> str:
        """The venue's name as people write it."""

    @property
    def fields(self) -> tuple[str, ...]:
        """What a key consists of."""

    @property
    def certified(self) -> bool:
        """Whether this venue is read by code of its own, tested against its answers."""

    @property
    def limits(self) -> tuple[str, ...]:
        """What cannot be read here, in codes that the pages put into words."""

    def clean(self, *, fields: Mapping[str, str]) -> dict[str, str]:
        """Return the parts of a key as the venue wants them, whatever became of them on the way."""

    def lend(self, *, secrets: Mapping[str, Secret], now: datetime) -> AbstractContextManager[Session]:
        """Lend a session that works with this key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """A venue, made of the calls that may be made there and of the session that makes them."""

    exchange: str
    name: str
    reads: Mapping[str, Read]
    session: Callable[[PrivateClient], Session]
    fields: tuple[str, ...] = (API_KEY, API_SECRET)
    certified: bool = True
    limits: tuple[str, ...] = ()
    key_rate: tuple[float, float] | None = None

    def clean(self, *, fields: Mapping[str, str]) -> dict[str, str]:
        """Return the parts of a key without what copying them has added: blanks, quotes, line ends written out."""
        return {name: _bare(fields.get(name, "")) for name in self.fields}

    @contextmanager
    def lend(self, *, secrets: Mapping[str, Secret], now: datetime) -> "Iterator[Session]":
        """Lend a session that works with this key."""
        told = self.clean(fields={name: secret.reveal() for name, secret in secrets.items()})
        loan = Loan(
            exchange=self.exchange,
            key=told,
            reads=self.reads,
            judge=meaning_of,
            clock_errors=(ClockOffError,),
            key_rate=self.key_rate,
            key_name=_mark(self.exchange, told),
        )
        with lend_client(loan=loan, now=now) as client:
            yield self.session(client)


def _bare(text: str) -> str:
    text = text.strip().strip("\"'").replace("\\r", "").replace("\\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    if "-----BEGIN" in text:
        return "\n".join(line.strip() for line in text.split("\n") if line.strip()) + "\n"
    return "".join(text.split())


def _mark(exchange: str, told: Mapping[str, str]) -> str:
    """Return a name of the key that does not tell it."""
    return f"{exchange}:{hashlib.blake2b(told[API_KEY].encode(), digest_size=12).hexdigest()}"
