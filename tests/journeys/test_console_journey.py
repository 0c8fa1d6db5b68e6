"""The owner's console in a real browser on a running product: live badge, a job's progress, admin, phone."""

import os
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import OpenPage, signed_in
from tests.journeys.product import Product, running

pytestmark = [pytest.mark.browser, pytest.mark.journey]

PAGES = ["/", "/account/", "/account/security/", "/account/preferences/", "/account/activity/"]
PAGES += ["/operations/", "/operations/jobs/"]
RECONNECTED_MS = 30_000
CHECKED_MS = 60_000
PHONE = 390


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    """A product without a market, whose history would fill the list of jobs."""
    with running("console") as started:
        yield started


@pytest.fixture
def page(open_page: OpenPage, product: Product) -> Page:
    """Return a page on which the owner is signed in."""
    return signed_in(open_page(), product)


def test_a_self_check_runs_and_its_findings_appear(page: Page, product: Product) -> None:
    page.goto(f"{product.facts['url']}/operations/")
    expect(page.locator("[data-live-badge]")).to_have_text("Live")
    page.get_by_role("button", name="Run a self-check").click()
    expect(page.locator("#self-check")).to_contain_text("PostgreSQL 18 answers.", timeout=CHECKED_MS)
    expect(page.locator("#self-check")).to_contain_text("checks", timeout=CHECKED_MS)
    page.goto(f"{product.facts['url']}/operations/jobs/")
    expect(page.get_by_role("row", name="self-check")).to_contain_text("done")


def test_the_badge_tells_when_the_socket_goes_and_comes_back(page: Page, product: Product) -> None:
    badge = page.locator("[data-live-badge]")
    expect(badge).to_have_text("Live")
    os.kill(product.process("live"), signal.SIGKILL)
    expect(badge).to_have_text("Reconnecting", timeout=RECONNECTED_MS)
    expect(badge).to_have_text("Live", timeout=RECONNECTED_MS)


def test_the_admin_works_under_its_policy(page: Page, product: Product) -> None:
    page.goto(f"{product.facts['url']}/admin/")
    expect(page.get_by_role("link", name="People").first).to_be_visible()
    expect(page.get_by_placeholder("Type to search")).to_be_hidden()


def test_no_page_scrolls_sideways_on_a_phone_or_asks_a_third_party(page: Page, product: Product) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": 390, "height": 844})
    widths = {}
    for path in PAGES:
        page.goto(f"{product.facts['url']}{path}")
        widths[path] = page.evaluate("document.documentElement.scrollWidth")
    assert {path: width for path, width in widths.items() if width > PHONE} == {}
    hosts = (f"http://localhost:{product.port}/", "data:", "blob:")
    assert asked
    assert [url for url in asked if not url.startswith(hosts)] == []
