"""The page's end of the live socket against a server of the test's own: when it may say Live, and how it heals."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.journeys.conftest import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.journey]

ADDRESS = "http://localhost:9"  # nobody listens there: every answer is the test's
CODE = Path(__file__).resolve().parents[2] / "static"
BTC, ETH = "binance:BTC/USDT", "binance:ETH/USDT"
PAGE = f"""<!doctype html><html lang="en"><body data-now="0">
<span data-live-badge></span>
<b data-price="{BTC}" data-digits="2">1.00</b><i data-price="{ETH}" data-digits="2">1.00</i>
<script type="module">import {{ followAll }} from "/static/js/prices.js"; followAll();</script></body></html>"""
REMEMBER_STATES = """() => {
  window.states = [];
  document.addEventListener("live:state", ({ detail }) => window.states.push(detail.state));
}"""

Frame = dict[str, Any]


class Server:
    """Answers the page as the live process would, but for what a test tells it to do wrong."""

    def __init__(self) -> None:
        self.unknown: list[set[str]] = []  # one of these at each subscription to prices, as long as there are any
        self.closes: list[int] = []
        self.is_mute = False
        self.subscriptions: list[list[str]] = []
        self.opened = 0
        self._watched: list[str] = []
        self._socket: WebSocketRoute | None = None
        self._seq = 0

    def connect(self, socket: WebSocketRoute) -> None:
        self.opened, self._watched, self._seq, self._socket = self.opened + 1, [], 0, socket
        socket.on_message(lambda text: self._hear(json.loads(text)))
        self._say(op="welcome", protocol=1, server_time="2026-01-01T00:00:00.000Z")

    def _say(self, **frame: object) -> None:
        assert self._socket is not None
        self._socket.send(json.dumps(frame))

    def _hear(self, asked: Frame) -> None:
        if asked["op"] == "subscribe" and asked["channel"] == "market_data":
            self._subscribe(asked)
        elif asked["op"] == "subscribe":
            self._say(op="subscribed", id=asked["id"], channel=asked["channel"], keys=[])
            self._say(op="snapshot", channel=asked["channel"], seq=1, data={"jobs": []})

    def _subscribe(self, asked: Frame) -> None:
        self.subscriptions.append(asked["keys"])
        if self.closes:
            assert self._socket is not None
            self._socket.close(code=self.closes.pop())
            return
        if self.is_mute:
            return
        unknown = self.unknown.pop(0) if self.unknown else set()
        for key in sorted(unknown.intersection(asked["keys"])):
            self._say(op="error", id=asked["id"], code="unknown_key", message=key, channel="market_data")
        self._watched += [key for key in asked["keys"] if key not in unknown]
        self._say(op="subscribed", id=asked["id"], channel="market_data", keys=self._watched)
        self.tell("snapshot", "2")

    def tell(self, op: str, price: str) -> None:
        """Send a price of everything that is watched."""
        self._seq += 1
        tickers = [
            {"instrument": key, "price": price, "change_24h": None, "ts": 1, "source": "binance", "age_ms": 0}
            for key in self._watched
        ]
        self._say(op=op, channel="market_data", seq=self._seq, data={"tickers": tickers})


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def page(open_page: OpenPage, server: Server) -> Page:
    """Return a page whose files, ticket and socket come from the test; its clock is the test's."""
    page = open_page()
    page.route(f"{ADDRESS}/**", _serve)
    page.route_web_socket("ws://localhost:9/**", server.connect)
    page.clock.install()
    return page


def _serve(route: Route) -> None:
    path = route.request.url.removeprefix(ADDRESS)
    if path == "/api/v1/live/ticket":
        route.fulfill(json={"ticket": "t", "url": "ws://localhost:9/ws/live?ticket=t", "expires_in": 30})
    elif path.startswith("/static/"):
        route.fulfill(path=CODE / path.removeprefix("/static/"))
    else:
        route.fulfill(content_type="text/html", body=PAGE)


def badge(page: Page) -> str:
    """Return what the badge says."""
    return page.locator("[data-live-badge]").inner_text()


def until(page: Page, *, price: str, of: str = BTC, seconds: int) -> None:
    """Let the page's time pass, a second at once, until it shows a price."""
    for _second in range(seconds):
        if page.locator(f'[data-price="{of}"]').inner_text() == price:
            return
        page.clock.run_for(1000)
    expect(page.locator(f'[data-price="{of}"]')).to_have_text(price, timeout=10_000)


def test_what_the_server_does_not_know_yet_is_asked_for_again(page: Page, server: Server) -> None:
    server.unknown = [{BTC}, {BTC}]
    page.goto(f"{ADDRESS}/")
    until(page, price="2.00", of=ETH, seconds=5)
    until(page, price="2.00", of=BTC, seconds=30)
    assert server.subscriptions == [[BTC, ETH], [BTC], [BTC]]
    assert server.opened == 1
    assert badge(page) == "Live"
    server.tell("update", "3")
    until(page, price="3.00", seconds=5)


def test_sent_away_for_now_it_comes_back_and_never_said_live(page: Page, server: Server) -> None:
    server.closes = [1013, 1013]
    page.goto(f"{ADDRESS}/")
    page.evaluate(REMEMBER_STATES)
    until(page, price="2.00", seconds=30)
    assert server.opened == 3
    seen = page.evaluate("states")
    assert seen[-1] == "live"
    assert "live" not in seen[:-1]


def test_a_subscription_that_nobody_answers_is_not_called_live(page: Page, server: Server) -> None:
    server.is_mute = True
    page.goto(f"{ADDRESS}/")
    page.wait_for_function("document.querySelector('[data-live-badge]')")
    page.clock.run_for(10_000)
    assert server.subscriptions
    assert badge(page) != "Live"
    server.is_mute = False
    until(page, price="2.00", seconds=30)
    assert server.opened == 2
    assert badge(page) == "Live"


def test_a_channel_that_the_server_has_forgotten_is_asked_for_anew(page: Page, server: Server) -> None:
    page.goto(f"{ADDRESS}/")
    until(page, price="2.00", seconds=5)
    server._say(op="error", code="not_subscribed", message="", channel="market_data")
    server.tell("update", "9")
    page.clock.run_for(1000)
    assert server.subscriptions == [[BTC, ETH], [BTC, ETH]]
    server.tell("update", "4")
    until(page, price="4.00", seconds=5)
