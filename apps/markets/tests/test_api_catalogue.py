"""REST: assets, instruments, tickers and rates as the contract has them."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import Preferences
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock
from apps.markets.models import MarketSummary
from apps.markets.tests.factories import make_asset, make_instrument, make_price

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return api_of(make_user())


def _instruments(api: Api, query: str = "") -> list[str]:
    answer = api.get(f"instruments{query}")
    assert answer.status_code == 200
    return [row["instrument"] for row in body_of(answer)["results"]]


# --- Instruments ------------------------------------------------------------------------------------------------------
def test_instruments_come_by_cursor_and_filter(api: Api) -> None:
    for name in ("binance:BTC/USDT", "binance:ETH/BTC", "kraken:BTC/USD", "kucoin:SOL/USDT"):
        make_instrument(name)
    make_instrument("kraken:GONE/USD", active=False)
    make_instrument("kraken:REAL/USD", simulated=False)
    first = body_of(api.get("instruments?limit=3"))
    rest = body_of(api.get(first["next"].partition("/api/v1/")[2]))
    everything = [row["instrument"] for row in first["results"] + rest["results"]]
    assert everything == _instruments(api)
    assert len(everything) == 5
    assert rest["next"] is None
    row = first["results"][0]
    assert (row["instrument"], row["venue"], row["base"], row["quote"], row["active"], row["simulated"]) == (
        "kraken:BTC/USD", "kraken", "BTC", "USD", True, True,
    )  # fmt: skip
    assert _instruments(api, "?venue=kraken&active=true") == ["kraken:BTC/USD"]
    assert _instruments(api, "?base=BTC&quote=USDT") == ["binance:BTC/USDT"]
    assert _instruments(api, "?quote=BTC") == ["binance:ETH/BTC"]
    assert _instruments(api, "?active=false") == ["kraken:GONE/USD"]
    assert _instruments(api, "?search=bitcoin%20kraken") == ["kraken:BTC/USD"]
    assert _instruments(api, "?base=NONE") == []
    refused = api.get("instruments?venue=mtgox")
    assert (refused.status_code, body_of(refused)["errors"][0]["field"]) == (422, "venue")


def test_one_instrument_by_its_path(api: Api) -> None:
    make_instrument("binance:BTC/USDT")
    assert body_of(api.get("instruments/binance:BTC-USDT"))["instrument"] == "binance:BTC/USDT"
    make_instrument("binance:币安人生/USDT")
    assert body_of(api.get(f"instruments/{quote('binance:币安人生-USDT')}"))["base"] == "币安人生"
    unknown, nonsense = api.get("instruments/binance:NO-USDT"), api.get("instruments/what")
    assert unknown.status_code == nonsense.status_code == 404


def test_lists_keep_their_number_of_queries(api: Api, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(3):
        make_instrument(f"binance:C{number}/USDT")
    for path in ("instruments", "assets"):
        api.get(path)
        with CaptureQueriesContext(connection) as few:
            api.get(path)
        for number in range(3):
            make_instrument(f"kraken:{path.upper()}{number}/USD")
        with django_assert_num_queries(len(few)):
            api.get(path)


# --- Tickers ----------------------------------------------------------------------------------------------------------
def test_tickers_have_age_source_and_world(api: Api) -> None:
    make_price("binance:BTC/USDT", "84213.5", change="0.0123", now=clock.now() - timedelta(seconds=60))
    make_instrument("kraken:ETH/USD")
    answer = body_of(api.get("tickers?instruments=binance:BTC-USDT,kraken:ETH/USD"))
    priced, waiting = answer["results"]
    assert (priced["instrument"], priced["price"], priced["change_24h"]) == ("binance:BTC/USDT", "84213.5", "0.0123")
    assert (priced["source"], priced["stale"], priced["simulated"]) == ("binance", True, True)
    assert 60_000 <= priced["age_ms"] < 90_000
    assert (waiting["instrument"], waiting["price"], waiting["stale"]) == ("kraken:ETH/USD", None, True)
    make_price("kraken:ETH/USD")
    assert body_of(api.get("tickers?instruments=kraken:ETH/USD"))["results"][0]["stale"] is False


@pytest.mark.parametrize(
    ("query", "code", "named"),
    [
        ("?instruments=binance:BTC/USDT,binance:NO/USDT", "unknown_instrument", "binance:NO/USDT"),
        ("?instruments=nonsense", "invalid", "nonsense"),
        ("?instruments=", "", ""),
        ("", "required", ""),
        ("?instruments=" + ",".join(["binance:BTC/USDT"] * 501), "out_of_range", "500"),
    ],
)
def test_tickers_refuse_by_name(api: Api, query: str, code: str, named: str) -> None:
    make_price("binance:BTC/USDT")
    answer = api.get(f"tickers{query}")
    assert answer.status_code == 422
    problem = body_of(answer)["errors"][0]
    assert problem["field"] == "instruments"
    assert named in problem["message"]
    assert code in problem["code"]


def test_many_tickers_ask_no_table(api: Api, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    names = [f"binance:C{number}/USDT" for number in range(500)]
    for name in names:
        make_price(name)
    api.get(f"tickers?instruments={names[0]}")
    with django_assert_num_queries(1):  # who is asking
        answer = api.get(f"tickers?instruments={','.join(names)}")
    assert [row["instrument"] for row in body_of(answer)["results"]] == names


# --- Assets and rates -------------------------------------------------------------------------------------------------
def test_an_asset_is_priced_in_the_persons_currency(api: Api) -> None:
    user = make_user()
    Preferences.objects.create(user=user, display_currency="EUR")
    bitcoin = make_instrument("binance:BTC/USDT", volume_usd="900")
    make_instrument("kraken:EUR/USD", volume_usd="5")
    make_instrument("kraken:USDT/USD", volume_usd="5")
    make_instrument("kucoin:BTC/USDT", volume_usd="100")
    make_price("binance:BTC/USDT", "110000", change="-0.02")
    make_price("kraken:EUR/USD", "1.1")
    make_price("kraken:USDT/USD", "0.5")
    MarketSummary.objects.create(instrument=bitcoin, price_1h_ago=100_000.0)
    body = body_of(api_of(user).get("assets/BTC"))
    assert (body["symbol"], body["name"], body["kind"], body["active"]) == ("BTC", "Bitcoin", "crypto", True)
    assert (body["price"]["value"], body["price"]["target"], body["price"]["state"]) == ("50000", "EUR", "priced")
    assert [step["instrument"] for step in body["price"]["path"]] == [
        "binance:BTC/USDT", "kraken:USDT/USD", "kraken:EUR/USD",
    ]  # fmt: skip
    assert body["instrument"] == "binance:BTC/USDT"
    assert (body["change_1h"], body["change_24h"], body["change_7d"]) == ("0.1", "-0.02", None)
    assert [row["instrument"] for row in body["instruments"]] == ["binance:BTC/USDT", "kucoin:BTC/USDT"]
    assert body_of(api_of(user).get("assets/BTC?currency=USD"))["price"]["value"] == "55000"
    assert api.get("assets/NOSUCH").status_code == 404


def test_old_names_lead_to_the_asset(api: Api) -> None:
    old, new = make_asset("OLDCOIN"), make_asset("NEWCOIN")
    old.merged_into = new
    old.save()
    make_instrument("binance:NEWCOIN/USDT")
    make_instrument("binance:POL/USDT")
    assert body_of(api.get("assets/OLDCOIN"))["symbol"] == "NEWCOIN"
    body = body_of(api.get("assets/MATIC"))
    assert (body["symbol"], body["also_known_as"]) == ("POL", ["MATIC"])
    assert _instruments(api, "?base=MATIC") == ["binance:POL/USDT"]
    assert [row["symbol"] for row in body_of(api.get("assets"))["results"]] == ["NEWCOIN", "POL", "USDT"]
    assert [row["symbol"] for row in body_of(api.get("assets?kind=stablecoin"))["results"]] == ["USDT"]
    assert [row["symbol"] for row in body_of(api.get("assets?search=polyg"))["results"]] == ["POL"]


def test_rates_say_why_there_is_none(api: Api) -> None:
    make_instrument("binance:AAA/USDT")
    make_instrument("kraken:USDT/USD")
    make_price("kraken:USDT/USD", "0.88")
    depegged = body_of(api.get("rates?source=USDT&target=USD"))
    assert (depegged["value"], depegged["state"], depegged["simulated"]) == ("0.88", "priced", True)
    assert depegged["path"][0]["source"] == "kraken"
    assert body_of(api.get("rates?source=USD&target=USD"))["value"] == "1"
    waiting = body_of(api.get("rates?source=AAA&target=USD"))
    assert (waiting["value"], waiting["state"], waiting["reason"]) == (None, "pending", "no_price_yet")
    nowhere = body_of(api.get("rates?source=AAA&target=CHF"))
    assert (nowhere["value"], nowhere["state"], nowhere["reason"]) == (None, "unpriced", "no_market")
    past = body_of(api.get("rates?source=USDT&target=USD&at=2026-01-01T00:00:00Z"))
    assert (past["value"], past["state"], past["reason"]) == (None, "unpriced", "no_history")
    future = api.get("rates?source=USDT&target=USD&at=2096-01-01T00:00:00Z")
    assert (future.status_code, body_of(future)["errors"][0]["field"]) == (422, "at")
