"""The ledger in a real browser: import a file with bad lines, book it, match a transfer, change the rules, undo."""

from typing import cast

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import OpenPage, signed_in
from tests.journeys.product import Product, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.journey]

PHONE = 390
WELL_LIMIT = 120.0
#: Two purchases at different prices and a sale, so that methods differ; the two sides of a transfer; three bad lines.
FILE = """ts,type,account,asset,amount,value,fee,fee_asset,id
2023-01-05T10:00:00Z,buy,Kraken,BTC,1,20000,10,USD,j-1
2023-03-01T10:00:00Z,buy,Kraken,BTC,1.000000000000000001,30000,,,j-2
2023-04-01T10:00:00Z,purchase,Kraken,BTC,1,1,,,j-3
2023-04-02T10:00:00Z,buy,Kraken,BTC,twelve,1,,,j-4
2023-13-02T10:00:00Z,buy,Kraken,BTC,1,1,,,j-5
2024-05-05T10:00:00Z,sell,Kraken,BTC,0.5,32000,,,j-6
2024-06-01T10:00:00Z,withdrawal,Kraken,BTC,0.2,,,,j-7
2024-06-01T10:20:00Z,deposit,Cold wallet,BTC,0.1999,,,,j-8
2024-07-01T10:00:00Z,buy,Kraken,NOTRADED,1,43020,,,j-9
"""
LINES_WITH_A_PROBLEM = ["4", "5", "6"]


@pytest.fixture
def product(shared_product: Product) -> Product:
    """The product that some journeys share, well."""
    wait_for(shared_product.is_well, seconds=WELL_LIMIT, what="every process to be well")
    return shared_product


@pytest.fixture
def page(open_page: OpenPage, product: Product) -> Page:
    """Return a page on which the owner is signed in."""
    return signed_in(open_page(), product)


def read_file(page: Page, base: str) -> None:
    """Hand the file in and come to its preview."""
    page.goto(f"{base}/imports/")
    page.set_input_files("#id_file", {"name": "journey.csv", "mimeType": "text/csv", "buffer": FILE.encode()})
    page.get_by_role("button", name="Read it and show the effect").click()
    expect(page.get_by_role("heading", name="What it would change")).to_be_visible()


def book_it(page: Page) -> None:
    """Look at the preview and book what can be booked."""
    expect(page.locator("td.pf-line")).to_have_text(LINES_WITH_A_PROBLEM)
    page.get_by_role("button", name="Book 6, leave 3 out").click()
    expect(page.get_by_role("heading", name="What it changed")).to_be_visible()


def look_at_a_coin_that_nobody_trades(page: Page, base: str) -> None:
    """Open the page of a coin without any price: its chart has nothing to draw, and says so."""
    page.goto(f"{base}/portfolio/holdings/NOTRADED/")
    expect(page.locator(".hd-chart.is-empty #holding-state")).to_be_visible()
    page.goto(f"{base}/portfolio/holdings/BTC/")
    expect(page.locator("#holding-chart canvas").first).to_be_visible()


def match_the_transfer(page: Page, base: str) -> None:
    """Say that the two sides are one transfer, unless that was beyond doubt."""
    page.goto(f"{base}/transfers/")
    page.get_by_role("button", name="Same transfer").click()
    expect(page.get_by_role("heading", name="Matched")).to_be_visible()
    expect(page.get_by_text("Kraken to Cold wallet")).to_be_visible()


def change_the_method(page: Page, base: str) -> None:
    """See what another method would change, book by it, and go back."""
    page.goto(f"{base}/portfolio/settings/")
    for method in ("hifo", "fifo"):
        page.select_option("select[name=method]", method)
        page.get_by_role("button", name="Book by these rules").click()
        expect(page.locator("select[name=method]")).to_have_value(method)


def test_a_file_is_imported_looked_at_and_undone(page: Page, product: Product, open_page: OpenPage) -> None:
    base = str(product.facts["url"])
    read_file(page, base)
    book_it(page)
    imported = page.url

    look_at_a_coin_that_nobody_trades(page, base)
    page.goto(f"{base}/portfolio/")
    expect(page.get_by_text("Net worth").first).to_be_visible()
    expect(page.locator("[data-i='BTC'], tr:has-text('Bitcoin')").first).to_be_visible()
    match_the_transfer(page, base)
    change_the_method(page, base)

    read_file(page, base)
    expect(page.get_by_role("button", name="Book")).to_have_count(0)
    page.get_by_role("button", name="Discard").click()

    other = open_page()
    demo = cast("dict[str, str]", product.facts["demo"])
    other.goto(f"{base}/account/login/")
    other.fill("input[name=login]", demo["email"])
    other.fill("input[name=password]", demo["password"])
    other.get_by_role("button", name="Sign in", exact=True).click()
    expect(other.get_by_role("heading", name="Overview")).to_be_visible()
    assert (answer := other.goto(imported)) is not None
    assert answer.status == 404

    page.goto(imported)
    page.get_by_role("button", name="Undo", exact=True).click()
    page.get_by_role("button", name="Undo the import").click()
    page.goto(f"{base}/transactions/")
    expect(page.get_by_text("Nothing has been booked yet")).to_be_visible()


def test_ledger_pages_fit_a_phone(page: Page, product: Product) -> None:
    page.set_viewport_size({"width": PHONE, "height": 844})
    paths = ["/portfolio/", "/transactions/", "/transactions/new/", "/imports/", "/transfers/", "/reconciliation/"]
    widths = {}
    for path in [*paths, "/tax/", "/portfolio/settings/"]:
        page.goto(f"{product.facts['url']}{path}")
        widths[path] = page.evaluate("document.documentElement.scrollWidth")
    assert {path: width for path, width in widths.items() if width > PHONE} == {}
