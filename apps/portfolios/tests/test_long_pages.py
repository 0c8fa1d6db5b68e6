"""Long tables: a page shows a part of them, says so, leads to the rest, and its sums count all."""

import re
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Preferences, User
from apps.accounts.tests.factories import make_user
from apps.markets.tests.factories import make_instrument, make_price
from apps.portfolios.models import Portfolio
from apps.portfolios.queries.overview_pages import FEW, SHOWN
from apps.portfolios.queries.parts import page_asked, part_of
from apps.portfolios.tests.factories import make_default, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

COINS = SHOWN + FEW + 1
ROW = re.compile(r'<tr data-holding="(\w+)"')


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def browser(user: User) -> Client:
    """Return a browser in which the person is signed in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def portfolio(user: User) -> Portfolio:
    """Return a ledger of many coins, each bought, sold once, and sold once more elsewhere without a purchase."""
    made = make_default(user=user)
    for number in range(COINS):
        make_instrument(f"kraken:C{number:02}/USD")
        make_price(f"kraken:C{number:02}/USD", str(100 + number))
    coins = [f"C{number:02}" for number in range(COINS)]
    shapes = (
        {"type": "buy", "ts": "2024-01-02", "amount": "4", "price": "10", "account": "Kraken"},
        {"type": "sell", "ts": "2024-02-02", "amount": "1", "price": "20", "account": "Kraken"},
        {"type": "sell", "ts": "2023-02-02", "amount": "2", "price": "7", "account": "Lost"},
    )
    for shape in shapes:
        post(made, *[{**shape, "asset": coin} for coin in coins])
    return made


def test_the_largest_holdings_come_first_and_the_others_when_asked_for(
    browser: Client, user: User, portfolio: Portfolio
) -> None:
    first = browser.get(reverse("portfolios:overview"))
    assert ROW.findall(first.text) == [f"C{number:02}" for number in range(COINS - 1, COINS - 1 - SHOWN, -1)]
    rest = re.search(r'data-rest="([^"]+)"', first.text)
    assert rest is not None
    assert [one.split("|")[3] for one in rest[1].split(" ")] == [f"kraken:C{n:02}/USD" for n in range(FEW, -1, -1)]
    whole = browser.get(reverse("portfolios:overview"), {"all": "1"}, headers={"HX-Request": "true"})
    assert "<html" not in whole.text
    assert len(ROW.findall(whole.text)) == COINS
    assert "data-rest" not in whole.text
    assert first.context["page"].total == whole.context["page"].total == sum(100 + number for number in range(COINS))
    Preferences.objects.update_or_create(user=user, defaults={"private": True})
    assert "data-rest" not in browser.get(reverse("portfolios:overview")).text


def test_how_far_a_portfolio_is_spread_stands_beside_what_it_is(browser: Client, portfolio: Portfolio) -> None:
    spread = browser.get(reverse("portfolios:overview")).context["page"].spread
    assert (spread.largest, f"{spread.share:.4f}") == (f"C{COINS - 1:02}", f"{Decimal(160) / 7930:.4f}")
    assert 50 < spread.equal_parts < COINS
    assert f"The largest is C{COINS - 1:02}" in browser.get(reverse("portfolios:overview")).text


def test_a_year_comes_in_parts_and_its_print_has_all(browser: Client, portfolio: Portfolio) -> None:
    address = reverse("portfolios:tax_year", args=[2024])
    pages = [browser.get(address, asked) for asked in ({}, {"disposals": "2"}, {"disposals": "99"}, {"whole": "1"})]
    assert [page.text.count("data-lots>") for page in pages] == [50, COINS - 50, COINS - 50, COINS]
    assert {page.context["page"].realised for page in pages} == {Decimal(10 * COINS)}
    assert {page.context["page"].proceeds for page in pages} == {Decimal(20 * COINS)}
    assert [page.text.count("data-print-now") for page in pages] == [0, 0, 0, 1]
    assert "?disposals=2#disposals-title" in pages[0].text


def test_what_is_missing_comes_in_parts(browser: Client, portfolio: Portfolio) -> None:
    address = reverse("portfolios:reconciliation")
    first, second = browser.get(address), browser.get(address, {"purchases": "2"})
    shown = [row.asset for page in (first, second) for row in page.context["page"].purchases]
    assert sorted(shown) == [f"C{number:02}" for number in range(COINS)]
    assert shown[0] == f"C{COINS - 1:02}", "the dearest of all stands first"
    assert f"1 to 50 of {COINS}" in first.text


@pytest.mark.parametrize(("text", "number"), [("2", 2), ("", 1), ("0", 1), ("-3", 1), ("x", 1), ("9" * 40, 1)])
def test_a_part_that_makes_no_sense_is_the_first(text: str, number: int) -> None:
    assert page_asked(text=text) == number


def test_a_part_knows_what_stands_around_it() -> None:
    rows = list(range(1, 121))
    parts = [part_of(rows=rows, number=number, length=50) for number in (1, 2, 3, 9)]
    assert [(one.first, one.last, one.before, one.after) for one in parts] == [
        (1, 50, None, 2), (51, 100, 1, 3), (101, 120, 2, None), (101, 120, 2, None),
    ]  # fmt: skip
    assert not part_of(rows=[], number=1, length=50)
