"""The market in a real browser: search, a chart, a year back, a watchlist, a moving price, the line cut and healed."""

import os
import re
import signal
import time
from collections import deque

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.journeys.conftest import OpenPage, signed_in
from tests.journeys.product import Product, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.journey]

PAGES = ("/markets/", "/assets/BTC/", "/watchlists/")
PHONE = 390
YEAR_MS = 365 * 86_400_000
HISTORY_MS = 90_000
BACK_MS = 60_000
WELL_LIMIT = 120.0


@pytest.fixture
def product(shared_product: Product) -> Product:
    """The product that some journeys share, well."""
    wait_for(shared_product.is_well, seconds=WELL_LIMIT, what="every process to be well")
    return shared_product


@pytest.fixture
def page(open_page: OpenPage, product: Product) -> Page:
    """Return a page on which the owner is signed in."""
    return signed_in(open_page(), product)


class Wire:
    """The last things that happened on a page's sockets, with their times."""

    def __init__(self, page: Page) -> None:
        self.events: deque[str] = deque(maxlen=40)
        page.on("websocket", self._follow)

    def _follow(self, socket: WebSocket) -> None:
        self._note("opened", "")
        socket.on("framesent", lambda frame: self._note("said", frame))
        socket.on("framereceived", lambda frame: self._note("heard", frame))
        socket.on("close", lambda _socket: self._note("closed", ""))

    def _note(self, what: str, frame: str | bytes) -> None:
        self.events.append(f"{time.time():.2f} {what} {str(frame)[:200]}")


def see_change(page: Page, selector: str, *, what: str, wire: Wire | None = None) -> None:
    """Wait until the text of an element is another one; what the page showed and heard instead is told."""
    before = page.locator(selector).first.inner_text()
    try:
        wait_for(lambda: page.locator(selector).first.inner_text() != before, seconds=60, what=what)
    except AssertionError as failed:
        shown = {name: page.locator(name).all_inner_texts()[:4] for name in ("[data-live-badge]", "[data-age]")}
        heard = "\n".join(wire.events if wire else ())
        pytest.fail(f"{failed}\nstill {before}; the page shows {shown}\nthe socket's last events:\n{heard}")


def test_a_market_is_found_opened_watched_and_moves(page: Page, product: Product) -> None:
    page.goto(f"{product.facts['url']}/markets/")
    expect(page.locator("#market-rows tr[data-i]").first).to_be_visible(timeout=HISTORY_MS)
    expect(page.locator("[data-live-badge]")).to_have_text("Live")
    expect(page.get_by_text("Simulated", exact=True).first).to_be_visible()
    expect(page.locator("#market-rows .tick").first).to_be_attached(timeout=BACK_MS)

    page.keyboard.press("/")
    page.keyboard.type("bitcoin usdt binance")
    row = page.locator('#market-rows tr[data-i="binance:BTC/USDT"]')
    expect(page.locator("#market-rows tr[data-i='binance:ETH/USDT']")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    row.locator("a.asset").focus()
    page.keyboard.press("w")
    expect(row.locator(".star")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/markets/binance:BTC-USDT/")
    see_change(page, ".price [data-price]", what="the price moves")

    page.goto(f"{product.facts['url']}/watchlists/")
    expect(page.locator("[data-item]")).to_have_count(1)
    see_change(page, "[data-item] [data-price]", what="the watched price moves")


def test_a_chart_changes_its_length_and_goes_back_a_year(page: Page, product: Product) -> None:
    page.goto(f"{product.facts['url']}/markets/binance:BTC-USDT/")
    page.get_by_role("button", name="1d", exact=True).click()
    close = page.locator("[data-of='c']")
    expect(close).to_have_text(re.compile(r"\d"), timeout=HISTORY_MS)
    page.get_by_role("button", name="1h", exact=True).click()
    expect(page.get_by_role("button", name="1h", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="1Y", exact=True).click()
    expect(page.get_by_role("button", name="1d", exact=True)).to_have_attribute("aria-pressed", "true")
    page.locator("#candle-table summary").click()
    page.locator("#chart").focus()

    def is_a_year_back() -> bool:
        for _press in range(20):
            page.keyboard.press("ArrowLeft")
        first = page.locator("#candle-table tbody th").last
        when = page.evaluate("text => Date.parse(text)", first.inner_text()) if first.count() else None
        return when is not None and page.evaluate("Date.now()") - when > YEAR_MS

    wait_for(is_a_year_back, seconds=60, what="candles of a year ago")


def test_a_cut_line_is_said_and_heals(page: Page, product: Product) -> None:
    wire = Wire(page)
    page.goto(f"{product.facts['url']}/markets/binance:BTC-USDT/")
    badge = page.locator("[data-live-badge]")
    expect(badge).to_have_text("Live")
    os.kill(product.process("live"), signal.SIGKILL)
    expect(badge).to_have_text("Reconnecting", timeout=BACK_MS)
    expect(badge).to_have_text("Live", timeout=BACK_MS)
    see_change(page, ".price [data-price]", what="the price moves again", wire=wire)


def test_market_pages_fit_a_phone_and_ask_no_third_party(page: Page, product: Product) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": PHONE, "height": 844})
    widths = {}
    for path in PAGES:
        page.goto(f"{product.facts['url']}{path}")
        expect(page.locator("[data-live-badge]")).to_have_text("Live")
        widths[path] = page.evaluate("document.documentElement.scrollWidth")
    assert {path: width for path, width in widths.items() if width > PHONE} == {}
    hosts = (f"http://localhost:{product.port}/", "data:", "blob:")
    assert [url for url in asked if not url.startswith(hosts)] == []
