"""The market of a running product as a program sees it, and the simulated world that it must agree with."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any, cast
from urllib.parse import quote, urlsplit

from websockets.sync.client import ClientConnection, connect

from apps.simulator.domain.world import World
from tests.journeys.product import Product

#: Prices travel in steps of a second at one venue and of some seconds at others.
SLACK_MS = 5_000
MINUTE_MS = 60_000
LENGTHS = {"1m": MINUTE_MS, "5m": 5 * MINUTE_MS, "1h": 60 * MINUTE_MS, "1d": 24 * 60 * MINUTE_MS}
#: Where they stand in a candle.
HIGH, LOW = 2, 3
_SEED = 1

Row = dict[str, Any]


def now_ms() -> int:
    """Return the time that exchange, product and test share."""
    return time.time_ns() // 1_000_000


class Truth:
    """The same world as the simulator's, made once more: it knows no faults."""

    def __init__(self) -> None:
        self._world = World(_SEED)

    def knows(self, ticker: Row) -> bool:
        """Tell whether the price shown was paid at the venue it is said to come from, then or at this moment."""
        venue, symbol = ticker["source"], ticker["instrument"].partition(":")[2]
        price = Decimal(ticker["price"])
        return any(price in self._paid(venue, symbol, moment) for moment in (ticker["ts"], now_ms()))

    def _paid(self, venue: str, symbol: str, moment: int) -> set[Decimal]:
        before = self._world.ticker(venue, symbol, moment - SLACK_MS).last
        since = self._world.trades(venue, symbol, moment - SLACK_MS, moment + SLACK_MS, 100_000)
        return {Decimal(before), *(Decimal(trade.price) for trade in since)}

    def candles(self, instrument: str, timeframe: str, from_ms: int, to_ms: int) -> list[list[float]]:
        """Return the closed candles that open in `[from, to)`, as the API writes them."""
        venue, symbol = instrument.split(":")
        found = self._world.candles(venue, symbol, LENGTHS[timeframe], from_ms, to_ms, now_ms())
        return [[one.ts, *(float(one[part]) for part in range(1, 6))] for one in found]


@dataclass(frozen=True)
class Answer:
    """What came back from the product or from an exchange."""

    status: int
    body: Any


def send(address: str, method: str, path: str, data: object = None, *, token: str = "") -> Answer:
    """Ask a server of this machine for something, in JSON."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection = HTTPConnection(str(urlsplit(address).hostname), urlsplit(address).port, timeout=20)
    try:
        connection.request(method, path, None if data is None else json.dumps(data), headers)
        response = connection.getresponse()
        text = response.read()
        return Answer(response.status, json.loads(text) if text else None)
    finally:
        connection.close()


class Exchange:
    """The control side of one simulated exchange."""

    def __init__(self, address: str) -> None:
        self._address = address

    def spoil(self, fault: str, **options: object) -> None:
        """Turn a fault on."""
        answer = send(self._address, "POST", "/_sim/faults", {"fault": fault, **options})
        assert answer.status == 200, answer

    def heal(self) -> None:
        """Turn every fault off."""
        assert send(self._address, "DELETE", "/_sim/faults").status == 200

    def faults(self) -> list[Row]:
        """Return the faults that are on."""
        return cast("list[Row]", send(self._address, "GET", "/_sim/faults").body)

    def asked(self, beginning: str) -> int:
        """Return how many requests for such paths have ended."""
        paths = send(self._address, "GET", "/_sim/stats").body["paths"]
        return sum(count for path, count in paths.items() if path.startswith(beginning))


class Socket:
    """A program's end of the live socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def say(self, **frame: object) -> None:
        """Send a frame."""
        self._connection.send(json.dumps(frame))

    def hear(self, *, seconds: float = 10) -> Row:
        """Return the next frame."""
        frame: Row = json.loads(self._connection.recv(timeout=seconds))
        return frame

    def hear_op(self, *ops: str, seconds: float = 10) -> Row:
        """Return the next frame of these kinds, past all others."""
        until = time.monotonic() + seconds
        while True:
            frame = self.hear(seconds=max(0.01, until - time.monotonic()))
            if frame["op"] in ops:
                return frame

    def subscribe(self, *instruments: str) -> list[Row]:
        """Listen to prices and return those of the snapshot."""
        self.say(op="subscribe", id=1, channel="market_data", keys=list(instruments))
        while (frame := self.hear_op("snapshot"))["channel"] != "market_data":
            pass  # another channel's comes first where one was asked for
        return cast("list[Row]", frame["data"]["tickers"])


class Market:
    """A running product with its simulated exchanges, and a program that is signed in."""

    def __init__(self, product: Product) -> None:
        self.product, self.truth = product, Truth()
        self.address = f"http://127.0.0.1:{product.port}"
        simulated = cast("dict[str, str]", product.facts["simulator"])
        self.exchanges = {venue: Exchange(address) for venue, address in simulated.items()}
        self._token = ""

    def sign_in(self) -> None:
        """Get a token as the person who runs the instance."""
        answer = send(self.address, "POST", "/api/v1/auth/login", self.product.facts["admin"])
        assert answer.status == 200, answer
        self._token = answer.body["access"]

    def ask(self, method: str, path: str, data: object = None) -> Answer:
        """Ask the product."""
        return send(self.address, method, f"/api/v1/{path}", data, token=self._token)

    def tickers(self, *instruments: str) -> dict[str, Row]:
        """Return what is shown of these instruments."""
        answer = self.ask("GET", f"tickers?instruments={quote(','.join(instruments))}")
        assert answer.status == 200, answer
        return {row["instrument"]: row for row in answer.body["results"]}

    def candles(self, instrument: str, timeframe: str, *, limit: int = 100) -> Row:
        """Return the newest candles."""
        answer = self.ask("GET", f"candles?instrument={quote(instrument)}&timeframe={timeframe}&limit={limit}")
        assert answer.status == 200, answer
        page: Row = answer.body
        return page

    def venue(self, name: str) -> str:
        """Return what /health says of a venue's prices."""
        rows = cast("Sequence[Row]", self.product.health().get("prices", []))
        return next((str(row["state"]) for row in rows if row["venue"] == name), "")

    def are_true(self, page: Row) -> bool:
        """Tell whether each candle of a page is the exchange's own."""
        rows = page["results"]
        if not rows:
            return True
        length = LENGTHS[page["timeframe"]]
        own = self.truth.candles(page["instrument"], page["timeframe"], rows[0][0], rows[-1][0] + length)
        return all(row in own for row in rows)

    @contextmanager
    def socket(self) -> Iterator[Socket]:
        """Open the live socket."""
        ticket = self.ask("POST", "live/ticket").body
        with connect(f"{ticket['url']}?ticket={ticket['ticket']}", proxy=None) as connection:
            opened = Socket(connection)
            assert opened.hear()["op"] == "welcome"
            yield opened
