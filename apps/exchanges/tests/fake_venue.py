"""A venue in memory for tests of the engine: rows in the words of Binance, small pages, and whatever goes wrong."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from apps.core.vault import Secret
from apps.exchanges.domain.reading import Cursor, KeyRights, Page, Stream, StreamKey, VenueBalance, VenueRow

BTC = StreamKey(stream=Stream.TRADES, symbol="BTC/USDT")
ETH = StreamKey(stream=Stream.TRADES, symbol="ETH/USDT")
DEPOSITS = StreamKey(stream=Stream.DEPOSITS)
WITHDRAWALS = StreamKey(stream=Stream.WITHDRAWALS)
START_MS = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000

Hook = Callable[["FakeVenue", StreamKey, int], None]


def trade(number: int, *, symbol: str = "BTC/USDT", at_ms: int | None = None, amount: str = "0.5") -> VenueRow:
    """Return a purchase of some coin at a hundred dollars, with a fee in BNB."""
    payload = {
        "isBuyer": True,
        "qty": amount,
        "quoteQty": str(Decimal(amount) * 100),
        "commission": "0.001",
        "commissionAsset": "BNB",
    }
    at = START_MS + number * 60_000 if at_ms is None else at_ms
    return VenueRow(stream=Stream.TRADES, external_id=str(number), at_ms=at, payload=payload, symbol=symbol)


def deposit(number: int, *, coin: str = "USDT", amount: str = "1000", status: int = 1) -> VenueRow:
    """Return coins that came from outside."""
    payload = {"coin": coin, "amount": amount, "status": status, "txId": f"hash{number}", "address": "somewhere"}
    return VenueRow(stream=Stream.DEPOSITS, external_id=f"d{number}", at_ms=START_MS - 60_000 + number, payload=payload)


@dataclass
class FakeVenue:
    """What the venue knows, and what was asked of it."""

    rows: dict[StreamKey, list[VenueRow]] = field(default_factory=dict)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    page_rows: int = 10
    before_page: Hook | None = None
    before_balances: Callable[["FakeVenue"], None] | None = None
    more: tuple[StreamKey, ...] = ()
    asked: list[tuple[StreamKey, int]] = field(default_factory=list)
    lent: int = 0
    requests: int = 0
    exchange: str = "binance"
    name: str = "Binance"
    fields: tuple[str, ...] = ("api_key", "api_secret")
    certified: bool = True
    limits: tuple[str, ...] = ()

    # --- as an adapter ---------------------------------------------------------------------------------------------
    def clean(self, *, fields: Mapping[str, str]) -> dict[str, str]:
        """Return the parts of a key as they are."""
        return dict(fields)

    @contextmanager
    def lend(self, *, secrets: Mapping[str, Secret], now: datetime) -> Iterator["FakeVenue"]:
        """Lend itself; requests are counted from zero, as a session does."""
        assert secrets
        assert now.tzinfo
        self.lent += 1
        self.requests = 0
        yield self

    # --- as a session ----------------------------------------------------------------------------------------------
    def server_time(self) -> int:
        """Return a moment."""
        return START_MS

    def rights(self) -> KeyRights:
        """Return what a read-only key may do."""
        return KeyRights(read=True, trade=False, transfer=False, withdraw=False)

    def balances(self) -> tuple[VenueBalance, ...]:
        """Return what is held."""
        self.requests += 1
        if self.before_balances is not None:
            self.before_balances(self)
        return tuple(VenueBalance(asset=asset, wallet="spot", amount=amount) for asset, amount in self.amounts.items())

    def streams(self, *, hints: Collection[str]) -> tuple[StreamKey, ...]:
        """Return what there is to read."""
        assert hints is not None
        return tuple(self.rows)

    def sweep(self) -> tuple[StreamKey, ...]:
        """Return what nobody has named."""
        return self.more

    def page(self, *, key: StreamKey, cursor: Cursor | None, since_ms: int, until_ms: int) -> Page:
        """Return the next rows after the cursor, oldest first."""
        self.requests += 1
        start = 0 if cursor is None else int(cursor["place"])
        self.asked.append((key, start))
        if self.before_page is not None:
            self.before_page(self, key, start)
        rows = sorted(self.rows.get(key, []), key=lambda row: (row.at_ms, row.external_id))
        within = [row for row in rows if since_ms <= row.at_ms <= until_ms]
        some = within[start : start + self.page_rows]
        is_last = start + self.page_rows >= len(within)
        reached = until_ms if is_last else some[-1].at_ms
        return Page(rows=tuple(some), cursor={"place": start + len(some)}, covered_to_ms=reached, is_last=is_last)


def full_venue(*, trades: int = 25) -> FakeVenue:
    """Return a venue with a deposit and some purchases of two coins, and the balances that they lead to."""
    venue = FakeVenue(
        rows={
            DEPOSITS: [deposit(1, amount="100000"), deposit(2, coin="BNB", amount="10")],
            BTC: [trade(number) for number in range(1, trades + 1)],
            ETH: [trade(number, symbol="ETH/USDT", amount="2") for number in range(1001, 1001 + trades)],
        }
    )
    balance(venue)
    return venue


def balance(venue: FakeVenue) -> None:
    """Let the balances be what the rows lead to."""
    sums: dict[str, Decimal] = {}
    for row in venue.rows.get(DEPOSITS, []):
        if row.payload["status"] == 1:
            _add(sums, row.payload["coin"], row.payload["amount"])
    for key, rows in venue.rows.items():
        for row in rows if key.stream is Stream.TRADES else ():
            _add(sums, key.symbol.split("/")[0], row.payload["qty"])
            _add(sums, "USDT", f"-{row.payload['quoteQty']}")
            _add(sums, "BNB", f"-{row.payload['commission']}")
    venue.amounts = {asset: amount for asset, amount in sums.items() if amount}


def _add(sums: dict[str, Decimal], asset: str, amount: str) -> None:
    sums[asset] = sums.get(asset, Decimal(0)) + Decimal(amount)
