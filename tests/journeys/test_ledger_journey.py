"""The ledger in a real browser: a file with bad lines, a transfer, other rules, a year that is frozen, and the undo."""

import re
from typing import Any, cast

import pytest
from playwright.sync_api import Locator, Page, expect

from apps.portfolios.urls import api_urlpatterns
from tests.journeys.conftest import OpenPage, signed_in
from tests.journeys.product import Product, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.journey]

PHONE = 390
WELL_LIMIT = 120.0
#: Two purchases at different prices and a sale, so that methods differ; the two sides of a transfer; three bad lines.
FILE = """ts,type,account,asset,amount,value,fee,fee_asset,id
2022-01-05T10:00:00Z,buy,Kraken,BTC,1,20000,10,USD,j-1
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
HISTORY_MS = 90_000
MOVES_WITHIN = 60.0
FIRST_DAY = re.compile(r"5 Jan 2022.*\$[1-9]", re.DOTALL)
_FIELD = re.compile(r"<\w+:(\w+)>")


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


def see_the_chart(page: Page, base: str) -> None:
    """See the value drawn from the first purchase on, not from the day of the import."""
    page.goto(f"{base}/portfolio/")
    expect(page.locator("#value-chart canvas").first).to_be_visible(timeout=HISTORY_MS)
    readout = page.locator("#value-readout")

    def is_there() -> bool:
        page.locator("#value-chart").press("Home")
        return FIRST_DAY.search(readout.inner_text()) is not None

    wait_for(is_there, seconds=HISTORY_MS / 1000, what="the value of the first day")


def choose_method(page: Page, method: str) -> None:
    """Choose another method, see what it would change, and book by it."""
    page.select_option("select[name=method]", method)
    book_by_these(page)
    expect(page.locator("select[name=method]")).to_have_value(method)


def book_by_these(page: Page) -> None:
    """Read what the rules that are chosen would change, and book by them."""
    expect(page.locator("#consequences tfoot")).to_contain_text("Cost left")
    page.get_by_role("button", name="Book by these rules").click()


def change_the_method(page: Page, base: str) -> None:
    """See what another method would change, book by it, and go back."""
    page.goto(f"{base}/portfolio/settings/")
    for method in ("hifo", "fifo"):
        choose_method(page, method)


def watch_on(page: Page, base: str) -> tuple[Page, list[str]]:
    """Open the portfolio, empty, in a second tab, which stays open; what goes wrong in it is listed."""
    tab, errors = page.context.new_page(), list[str]()
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(f"{base}/portfolio/")
    expect(tab.locator("[data-live-badge]")).to_have_text("Live")
    return tab, errors


def see_it_move(tab: Page) -> None:
    """See what was booked in the other tab, and its value move with the prices."""
    value, worth = tab.locator("tr[data-holding='BTC'] [data-cell='value']"), tab.locator("#worth")
    expect(value).to_contain_text("$")
    before = value.inner_text(), worth.inner_text()
    wait_for(lambda: value.inner_text() != before[0], seconds=MOVES_WITHIN, what="the value of a holding moves")
    wait_for(lambda: worth.inner_text() != before[1], seconds=MOVES_WITHIN, what="the total moves")
    tab.get_by_role("button", name="Net worth", exact=True).focus()
    tab.evaluate("window.isStillThere = true")


def see_it_go(tab: Page) -> None:
    """See that what was undone in the other tab is gone, on the very same page, which kept its focus."""
    expect(tab.locator("tr[data-holding]")).to_have_count(0)
    expect(tab.get_by_role("button", name="Net worth", exact=True)).to_be_focused()
    assert tab.evaluate("window.isStillThere")


def periods_of(page: Page) -> Locator:
    """Return the rows that say which rules hold from when on."""
    return page.get_by_role("table", name="Which rules hold from when on").locator("tbody tr")


def change_the_rules_at_a_date(page: Page, base: str) -> None:
    """Let other rules hold from a day on; what was sold before keeps its result."""
    page.goto(f"{base}/portfolio/settings/?period=new")
    page.fill("input[name=from_at]", "2024-01-01T00:00")
    choose_method(page, "hifo")
    expect(periods_of(page)).to_have_count(2)
    expect(periods_of(page).last).to_contain_text("HIFO")


def take_the_change_back(page: Page, base: str) -> None:
    """Let the first rules hold throughout again."""
    page.goto(f"{base}/portfolio/settings/")
    page.get_by_role("button", name="Remove this change").click()
    page.locator("#consequences, main").get_by_role("button", name="Remove the change").click()
    expect(periods_of(page)).to_have_count(1)


def freeze_the_year(page: Page, base: str) -> str:
    """Freeze the year of the sale, and return its gain."""
    page.goto(f"{base}/tax/2024/")
    gain = page.locator(".tile .v").first.inner_text()
    page.get_by_role("button", name="Freeze 2024").click()
    dialog = page.get_by_role("dialog", name="Freeze 2024")
    for accepted in dialog.get_by_label("Freeze it all the same").all():
        accepted.check()
    dialog.get_by_role("button", name="Freeze 2024").click()
    expect(page.get_by_role("heading", name="2024 is frozen")).to_be_visible()
    return gain


def see_the_difference_and_unlock(page: Page, base: str, gain: str) -> None:
    """See that the frozen year keeps its gain while the ledger has it otherwise, then let it follow again."""
    page.goto(f"{base}/tax/2024/")
    expect(page.locator(".tile .v").first).to_have_text(gain)
    differs = page.get_by_role("region", name="The ledger has this year otherwise today")
    expect(differs.locator("tr", has_text="BTC").first).to_contain_text("gone")
    differs.get_by_role("button", name="Unlock the year").click()
    dialog = page.get_by_role("dialog", name="Unlock this year")
    dialog.get_by_label("Why").fill("The journey is over")
    dialog.get_by_role("button", name="Unlock the year").click()
    expect(page.get_by_text("Nothing to report for 2024")).to_be_visible()


def addresses_of(page: Page, base: str, imported: str) -> list[str]:
    """Return every address of the ledger in the API, and those of its pages that name a thing of it."""

    def first(path: str) -> dict[str, Any]:
        return cast("dict[str, Any]", page.request.get(f"{base}/api/v1/{path}").json()["results"][0])

    one = f"portfolios/{first('portfolios')['id']}"
    entry = first(f"{one}/transactions")["id"]
    ids = {
        "portfolio_id": one.removeprefix("portfolios/"),
        "account_id": first(f"{one}/accounts")["id"],
        "transaction_id": entry,
        "batch_id": first(f"{one}/batches")["id"],
        "import_id": first(f"{one}/imports")["id"],
        "year": "2024",
    }
    routes = [str(address.pattern) for address in api_urlpatterns]
    inside = [
        _FIELD.sub(lambda field: ids.get(field[1], entry), route) for route in routes if ":portfolio_id>" in route
    ]
    story = f"{base}/transactions/{entry}/"
    return [
        *(f"{base}/api/v1/{path}" for path in inside),
        imported,
        *(f"{imported}{verb}/" for verb in ("commit", "undo")),
        story,
        f"{story}correct/",
    ]


def ask(page: Page, address: str) -> int:
    """Read an address, and where there is nothing to read, write to it; return the status of the answer."""
    answer = page.request.get(address, max_redirects=0)
    if answer.status != 405:
        return answer.status
    verb = next(one for one in answer.headers["allow"].split(", ") if one not in {"GET", "HEAD", "OPTIONS"})
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "coinsphere_csrf")
    headers = {"X-CSRFToken": token, "Referer": address}
    return page.request.fetch(address, method=verb, data={}, headers=headers, max_redirects=0).status


def find_nothing_of_it(other: Page, product: Product, addresses: list[str]) -> None:
    """Sign somebody else in: none of the addresses leads them anywhere."""
    base, demo = product.facts["url"], cast("dict[str, str]", product.facts["demo"])
    other.goto(f"{base}/account/login/")
    other.fill("input[name=login]", demo["email"])
    other.fill("input[name=password]", demo["password"])
    other.get_by_role("button", name="Sign in", exact=True).click()
    expect(other.get_by_role("heading", name="Overview")).to_be_visible()
    assert {address: status for address in addresses if (status := ask(other, address)) != 404} == {}


def undo_it(page: Page, imported: str) -> None:
    """Take the import back; it says first which frozen year that would change."""
    page.goto(imported)
    expect(page.get_by_text("Undoing this would change the frozen year 2024")).to_be_visible()
    page.get_by_role("button", name="Undo", exact=True).click()
    page.get_by_role("button", name="Undo the import").click()
    expect(page.get_by_role("button", name="Undo", exact=True)).to_have_count(0)


def test_a_file_is_imported_looked_at_and_undone(page: Page, product: Product, open_page: OpenPage) -> None:
    base = str(product.facts["url"])
    tab, errors = watch_on(page, base)
    read_file(page, base)
    book_it(page)
    imported = page.url
    see_it_move(tab)

    look_at_a_coin_that_nobody_trades(page, base)
    see_the_chart(page, base)
    expect(page.get_by_text("Net worth").first).to_be_visible()
    expect(page.locator("[data-i='BTC'], tr:has-text('Bitcoin')").first).to_be_visible()
    match_the_transfer(page, base)
    change_the_method(page, base)
    change_the_rules_at_a_date(page, base)
    gain = freeze_the_year(page, base)

    read_file(page, base)
    expect(page.get_by_role("button", name="Book")).to_have_count(0)
    page.get_by_role("button", name="Discard").click()

    find_nothing_of_it(open_page(), product, addresses_of(page, base, imported))

    undo_it(page, imported)
    see_it_go(tab)
    assert errors == []
    see_the_difference_and_unlock(page, base, gain)
    take_the_change_back(page, base)
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
