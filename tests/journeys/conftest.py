"""A Chromium for the journeys; where there is none they are skipped, unless COINSPHERE_REQUIRE_BROWSER is 1."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.journeys.product import WITH_MARKET, Product, running

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

OpenPage = Callable[[], Page]

PATIENCE_MS = 30_000  # a page is drawn in less than one second; on a busy machine it takes several


def _chromium() -> str:
    return next((found for name in _NAMES if (found := shutil.which(name))), "")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let those who share the running product come last, together, in whatever order they are: it uses the machine."""
    items.sort(key=lambda item: "shared_product" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def shared_product() -> Iterator[Product]:
    """A product with its market for the journeys that leave it as well as they found it."""
    with running("shared", options=WITH_MARKET) as started:
        yield started


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Start a browser for one test."""
    path = _chromium()
    if not path:
        reason = "No Chromium is installed: a journey through the pages needs one."
        if os.environ.get("COINSPHERE_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    # Playwright keeps an event loop in this thread; the test's own queries are still synchronous and alone in it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(_QUIET))
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Return how a test opens a page in a browser profile of its own; an error on any of them fails the test."""
    expect.set_options(timeout=PATIENCE_MS)
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def opened() -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en")
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def signed_in(page: Page, product: Product) -> Page:
    """Sign the owner of a product in."""
    owner = cast("dict[str, str]", product.facts["admin"])
    page.goto(f"{product.facts['url']}/account/login/")
    page.fill("input[name=login]", owner["email"])
    page.fill("input[name=password]", owner["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return page
