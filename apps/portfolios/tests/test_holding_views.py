"""The page of one asset: its chart with what was bought and sold, what it made, and what stays hidden."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Preferences, User
from apps.accounts.tests.factories import make_user
from apps.core import clock
from apps.core.api.times import iso_z, milliseconds
from apps.markets import actions as markets
from apps.markets.domain.candles import from_rows
from apps.markets.domain.timeframes import DAY_MS, Timeframe
from apps.markets.models import Backfill
from apps.markets.models.candles import CandleSource
from apps.markets.tests.factories import make_instrument, make_price
from apps.portfolios.models import Portfolio
from apps.portfolios.tests.factories import make_default, post, raw_buy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

TODAY = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
FIRST = TODAY - timedelta(days=10)
PAGE, CHART = "portfolios:holding", "portfolios:holding_chart"


@pytest.fixture
def person() -> User:
    """Somebody who keeps a ledger."""
    return make_user()


@pytest.fixture
def portfolio(person: User) -> Portfolio:
    """Return their default portfolio."""
    return make_default(user=person)


@pytest.fixture
def client(person: User) -> Client:
    """Return a browser in which they are signed in."""
    browser = Client()
    browser.force_login(person)
    return browser


def at(day: int) -> str:
    """Return noon of a day since the first."""
    return iso_z(FIRST + timedelta(days=day, hours=12))


def stamp(day: int) -> int:
    """Return the beginning of a day since the first, in milliseconds."""
    return milliseconds(FIRST) + day * DAY_MS


def keep_days(name: str, *closes: float, price: str) -> None:
    """Make a market with closes since the first day, and its price of now."""
    instrument, now = make_instrument(name), clock.now()
    rows = [(stamp(day), *[close] * 4, 1.0) for day, close in enumerate(closes)]
    markets.store_candles(
        instrument=instrument, timeframe=Timeframe.D1, candles=from_rows(rows), source=CandleSource.VENUE, now=now
    )
    make_price(name, price, now=now)


def chart_of(client: Client, asset: str = "BTC") -> Any:
    """Return the chart as the page's script reads it."""
    return client.get(reverse(CHART, args=[asset])).json()


def test_the_chart_has_prices_average_cost_and_trades_with_every_digit(client: Client, portfolio: Portfolio) -> None:
    keep_days("kraken:BTC/USD", *[100.0 + day for day in range(10)], price="150")
    post(
        portfolio,
        raw_buy(ts=at(0), amount="1.000000000000000001", price="100"),
        raw_buy(ts=at(2), amount="1", price="200", fee="2", fee_asset="USD"),
        raw_buy(ts=at(4), type="sell", amount="1.000000000000000001", price="300"),
    )
    chart = chart_of(client)
    assert chart["prices"] == [[stamp(day), 100.0 + day] for day in range(10)] + [[stamp(10), 150.0]]
    assert chart["average"] == [[stamp(0), 100.0], [stamp(2), 151.0], [stamp(4), 202.0]]
    assert [row[1:] for row in chart["trades"]] == [
        ["1.000000000000000001", "100.0000000000000001", 1, "0", "0", 0, "0"],
        ["1", "200", 1, "0", "0", 0, "0"],
        ["0", "0", 0, "1.000000000000000001", "300.0000000000000003", 1, "200.0000000000000002"],
    ]
    assert not chart["pending"]


def test_days_without_a_price_are_asked_for(client: Client, portfolio: Portfolio) -> None:
    keep_days("kraken:BTC/USD", *[100.0] * 10, price="150")
    post(portfolio, raw_buy(ts=iso_z(FIRST - timedelta(days=40))))
    assert chart_of(client)["prices"][0][0] == stamp(0)
    assert Backfill.objects.filter(series__instrument__symbol="BTC/USD").exists()


def test_the_page_says_what_an_asset_made_in_parts_that_add_up(client: Client, portfolio: Portfolio) -> None:
    keep_days("kraken:BTC/USD", 100.0, price="150")
    post(
        portfolio,
        raw_buy(ts=at(0), amount="4", price="100", fee="8", fee_asset="USD"),
        raw_buy(ts=at(1), type="sell", amount="1", price="130", fee="3", fee_asset="USD"),
        raw_buy(ts=at(2), type="income", amount="1", price="120", kind="staking"),
        raw_buy(ts=at(3), type="fee", amount="1", price="140"),
    )
    page = client.get(reverse(PAGE, args=["BTC"])).context["page"]
    assert (page.booked.realised, page.row.unrealised, page.booked.income) == (25 + 38, 450 - 204 - 120, 120)
    assert (page.made, page.fees, page.fees_inside) == (309, 8 + 3 + 140, True)


def test_many_lots_are_summed_up_until_all_are_asked_for(client: Client, portfolio: Portfolio) -> None:
    post(portfolio, *[raw_buy(ts=at(0), amount="1", price=str(100 + place)) for place in range(103)])
    page = client.get(reverse(PAGE, args=["BTC"])).context["page"]
    booked = page.booked
    assert (len(page.lots), booked.more_lots, booked.more_amount, booked.more_cost) == (100, 3, 3, 603)
    every = client.get(reverse(PAGE, args=["BTC"]), {"lots": "all"}).context["page"]
    assert (len(every.lots), every.booked.more_lots) == (103, 0)


def test_hidden_amounts_leave_no_chart_and_no_split(client: Client, person: User, portfolio: Portfolio) -> None:
    keep_days("kraken:BTC/USD", 100.0, price="150")
    post(portfolio, raw_buy(ts=at(0), amount="7.7654321", price="123.45"))
    Preferences.objects.update_or_create(user=person, defaults={"private": True})
    assert client.get(reverse(CHART, args=["BTC"])).status_code == 404
    page = client.get(reverse(PAGE, args=["BTC"]))
    assert "are not drawn while amounts are hidden" in page.text
    for secret in ("holding-chart", "data-amount", "data-rest", "123.45", "7.76", "958"):
        assert secret not in page.text.split("<main", 1)[1], secret


def test_an_asset_that_the_ledger_never_named_has_no_chart(client: Client, portfolio: Portfolio) -> None:
    post(portfolio, raw_buy())
    for unknown in ("NONE", "%00"):
        assert client.get(f"/portfolio/holdings/{unknown}/chart/").status_code == 404


def test_the_palette_finds_assets_by_symbol_and_name_the_closest_first(client: Client, portfolio: Portfolio) -> None:
    keep_days("kraken:BTC/USD", 100.0, price="150")
    post(portfolio, raw_buy(asset="WBTC"), raw_buy(asset="BTC"), raw_buy(asset="ETH"))
    client.get(reverse("portfolios:overview"))
    found = {
        words: [one["asset"] for one in client.get(reverse("portfolios:find"), {"words": words}).json()["results"]]
        for words in ("btc", "eth", "", "nothing", "\0")
    }
    assert found == {"btc": ["BTC", "WBTC"], "eth": ["ETH"], "": [], "nothing": [], "\0": []}
