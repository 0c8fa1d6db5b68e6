"""The simulator itself, running on free ports in a thread of its own, and real exchange clients pointed at it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

import ccxt
import httpx
import pytest

from apps.simulator.domain.shapes import Account, Market
from apps.simulator.hub import Hub, Wishes, make_world, wall_clock

VENUES = ("binance", "coinbase", "kraken", "kucoin")
#: Nothing here is encrypted, and a client that checks certificates reads all of the machine's first.
SETTINGS = {"number": str, "enableRateLimit": False, "verify": False}


class Running:
    """Four exchanges that answer, and the world behind them."""

    def __init__(self, hub: Hub, addresses: dict[str, str]) -> None:
        self.hub, self.addresses = hub, addresses
        self.world = hub.world
        self._loaded: dict[str, Any] = {}
        self._talk = httpx.Client(verify=False, timeout=30)  # noqa: S501 - plain http; certificates take long to read

    def close(self) -> None:
        """Ask no more."""
        self._talk.close()

    def markets(self, venue: str) -> dict[str, Market]:
        """Return the markets in the list of a venue now."""
        return {market.symbol: market for market in self.world.markets(venue, wall_clock())}

    def account(self, venue: str, label: str) -> Account:
        """Return an account by its label."""
        return next(account for account in self.world.accounts(venue) if account.label == label)

    def point(self, client: Any) -> Any:
        """Point an unmodified client at the simulator: scheme, host and port are replaced, paths are kept."""
        place = urlsplit(self.addresses[client.id]).netloc

        def moved(urls: Any) -> Any:
            if isinstance(urls, dict):
                return {name: moved(url) for name, url in urls.items()}
            parts = urlsplit(urls)
            scheme = "ws" if parts.scheme.startswith("ws") else "http"
            # the client takes a stream for a spot stream by this word in its address
            stream = "/stream" if scheme == "ws" and client.id == "binance" else ""
            return f"{scheme}://{place}{stream}{parts.path}"

        client.urls["api"] = moved({name: url for name, url in _flat(client.urls["api"]).items() if url})
        return client

    def client(self, venue: str, **settings: Any) -> Any:
        """Return the plain client of a venue without a key."""
        return self.point(getattr(ccxt, venue)({**SETTINGS, **settings}))

    def ask(self, venue: str, path: str, method: str = "GET", body: dict[str, Any] | None = None) -> Any:
        """Ask the control routes of a venue."""
        return self._talk.request(method, f"{self.addresses[venue]}/_sim/{path}", json=body).json()

    def loaded(self, venue: str) -> Any:
        """Return a client without a key that knows the markets; one for the whole session."""
        if venue not in self._loaded:
            self._loaded[venue] = self.client(venue)
            self._loaded[venue].load_markets()
        return self._loaded[venue]

    def keyed(self, venue: str, label: str, *, module: Any = ccxt, **changes: Any) -> Any:
        """Return a client of a venue with the key of an account; `changes` replace parts of the credentials."""
        account = self.account(venue, label)
        key = {"apiKey": account.api_key, "secret": account.api_secret, "password": account.passphrase}
        settings = {**SETTINGS, **key, **changes}
        client = self.point(getattr(module, venue)(settings))
        client.set_markets_from_exchange(self.loaded(venue))
        return client


def _flat(urls: Any) -> dict[str, Any]:
    return urls if isinstance(urls, dict) else {"rest": urls}


def _serve(started: "Future[tuple[Running, Callable[[], object]]]") -> None:
    async def main() -> None:
        wishes = Wishes(seed=7, ticks_per_second=20, history_days=30)
        hub = Hub(*make_world(wishes, wall_clock()))
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        try:
            addresses = await hub.open(wishes.host, wishes.ports)
            started.set_result((Running(hub, addresses), lambda: loop.call_soon_threadsafe(stop.set)))
            await stop.wait()
        finally:
            await hub.close()

    asyncio.run(main())


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """Run the four exchanges for the length of the session."""
    started: Future[tuple[Running, Callable[[], object]]] = Future()
    thread = threading.Thread(target=_serve, args=(started,), name="simulator", daemon=True)
    thread.start()
    found, stop = started.result(timeout=60)
    yield found
    found.close()
    stop()
    thread.join(timeout=20)


@pytest.fixture(params=VENUES)
def venue(request: pytest.FixtureRequest) -> str:
    """Name each of the four venues in turn."""
    return str(request.param)


@pytest.fixture
def control(running: Running) -> Iterator[Callable[..., Any]]:
    """Talk to the switches of a venue; every switch is off again afterwards."""
    touched: set[str] = set()

    def ask(venue: str, *words: Any) -> Any:
        touched.add(venue)
        return running.ask(venue, *words)

    yield ask
    for name in touched:
        running.ask(name, "faults", "DELETE")
