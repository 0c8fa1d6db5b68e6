"""Performance, history and allocation over REST, from posted entries and stored days to plain answers."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock
from apps.core.api.times import iso_z, milliseconds
from apps.markets import actions as markets
from apps.markets.domain.candles import from_rows
from apps.markets.domain.timeframes import DAY_MS, Timeframe
from apps.markets.models import Backfill
from apps.markets.models.candles import CandleSource
from apps.markets.tests.factories import make_instrument, make_price
from apps.portfolios import actions
from apps.portfolios.models import Portfolio
from apps.portfolios.tests.factories import make_default, post, raw_buy

pytestmark = pytest.mark.django_db

TODAY = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
FIRST = TODAY - timedelta(days=70)


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


@pytest.fixture
def portfolio(user: User) -> Portfolio:
    return make_default(user=user)


def keep_days(name: str, closes: Sequence[float | None], *, price: str) -> None:
    """Make a market with closes since the first day, and its price of now."""
    instrument, now = make_instrument(name), clock.now()
    rows = [
        (milliseconds(FIRST) + day * DAY_MS, *[close] * 4, 1.0) for day, close in enumerate(closes) if close is not None
    ]
    candles = from_rows(rows)
    markets.store_candles(
        instrument=instrument, timeframe=Timeframe.D1, candles=candles, source=CandleSource.VENUE, now=now
    )
    make_price(name, price, now=now)


def at(day: int) -> str:
    """Return noon of a day since the first."""
    return iso_z(FIRST + timedelta(days=day, hours=12))


def date(day: int) -> str:
    """Return the date of a day since the first."""
    return (FIRST + timedelta(days=day)).date().isoformat()


def test_performance_history_and_allocation_of_a_small_ledger(api: Api, portfolio: Portfolio) -> None:
    keep_days("kraken:BTC/USD", [100.0 + day % 7 for day in range(70)], price="120")
    keep_days("kraken:ETH/USD", [10.0] * 70, price="10")
    post(
        portfolio,
        raw_buy(ts=at(0), amount="2", price="100", fee="1", account="Kraken"),
        raw_buy(ts=at(7), asset="ETH", amount="10", price="10", account="Cold"),
        {"ts": at(21), "type": "sell", "asset": "BTC", "amount": "1", "price": "105", "account": "Kraken"},
        {
            "ts": at(30),
            "type": "income",
            "asset": "ETH",
            "amount": "1",
            "value": "10",
            "kind": "staking",
            "account": "Cold",
        },
    )
    path = f"portfolios/{portfolio.pk}"
    found = body_of(api.get(f"{path}/performance"))
    assert found["from"] == iso_z(FIRST)
    money = {name: found[name] for name in ("start_value", "end_value", "deposits", "withdrawals", "profit", "fees")}
    assert money == {
        "start_value": "0",
        "end_value": "230",
        "deposits": "301",
        "withdrawals": "105",
        "profit": "34",
        "fees": "1",
    }
    assert (found["realised"], found["unrealised"], found["income"]) == ("4.5", "19.5", "10")
    assert found["roi"][:10] == "0.11295681"
    assert found["samples"] == 71
    assert None not in [found[name] for name in ("twr", "xirr", "volatility", "sharpe", "sortino", "max_drawdown")]
    assert found["benchmark"]["instrument"] == "BTC"
    assert found["benchmark"]["twr"] == "0.2"
    assert found["contribution"]["asset"] == [{"name": "BTC", "profit": "24"}, {"name": "ETH", "profit": "10"}]
    assert found["contribution"]["account"] == [{"name": "Kraken", "profit": "24"}, {"name": "Cold", "profit": "10"}]
    assert found["flows"][0] == {"date": date(0), "amount": "-201"}
    assert found["flows"][-1] == {"date": date(70), "amount": "230"}
    assert found["completeness"]["score"] == "1"
    history = body_of(api.get(f"{path}/history"))
    assert len(history["results"]) == 71
    assert history["results"][0] == [milliseconds(FIRST), 200.0, 201.0]
    assert history["results"][-1] == [milliseconds(TODAY), 230.0, 196.0]
    weeks = body_of(api.get(f"{path}/history?interval=1w&to={date(60)}"))["results"]
    assert {row[0] // DAY_MS % 7 for row in weeks[:-1]} == {3}  # Sundays, and the last day that was asked for
    assert weeks[-1][0] == milliseconds(FIRST) + 59 * DAY_MS
    months = body_of(api.get(f"{path}/history?interval=1M&from={date(1)}"))["results"]
    assert 3 <= len(months) <= 4
    by_account = body_of(api.get(f"{path}/allocation?by=account"))
    assert [(row["name"], row["value"]) for row in by_account["results"]] == [("Kraken", "120"), ("Cold", "110")]
    by_asset = body_of(api.get(f"{path}/allocation"))
    assert by_asset["total"] == "230"
    assert by_asset["concentration"][:8] == "0.500945"


def test_a_stretch_of_it(api: Api, portfolio: Portfolio) -> None:
    keep_days("kraken:BTC/USD", [100.0, 110.0, 121.0, 121.0, 100.0], price="120")
    post(portfolio, raw_buy(ts=at(0), amount="1", price="100"))
    wish = f"from={date(1)}&to={date(3)}&benchmark=kraken:BTC/USD"
    found = body_of(api.get(f"portfolios/{portfolio.pk}/performance?{wish}"))
    assert (found["start_value"], found["end_value"], found["profit"]) == ("100", "121", "21")
    assert found["benchmark"]["same_flows_value"] == "121"
    fractions = ("twr", "xirr", "roi", "volatility", "sharpe", "sortino", "max_drawdown")
    assert [found[name] for name in (*fractions, "samples")] == [None] * 7 + [2]
    assert found["benchmark"]["twr"] is None
    assert (found["realised"], found["unrealised"]) == ("0", "21")


def test_days_without_a_price_are_named_and_asked_for(api: Api, portfolio: Portfolio) -> None:
    keep_days("kraken:BTC/USD", [None, None, None, 110.0], price="120")
    post(portfolio, raw_buy(ts=at(0), amount="1", price="100"))
    path = f"portfolios/{portfolio.pk}"
    history = body_of(api.get(f"{path}/history?to={date(4)}"))
    assert [row[1] for row in history["results"]] == [0.0, 0.0, 0.0, 110.0]
    assert list(history["incomplete"].values()) == [["BTC"]] * 3
    assert Backfill.objects.count() == 1
    found = body_of(api.get(f"{path}/performance?to={date(4)}"))
    assert [issue["code"] for issue in found["completeness"]["issues"]][-1] == "unpriced_day"
    assert (found["profit"], found["twr"]) == ("0", None)
    actions.read_history(portfolio=portfolio, now=clock.now())
    assert Backfill.objects.count() == 1


def test_before_the_first_entry_there_is_nothing(api: Api, portfolio: Portfolio) -> None:
    path = f"portfolios/{portfolio.pk}"
    found = body_of(api.get(f"{path}/performance"))
    assert (found["end_value"], found["twr"], found["samples"], found["from"]) == ("0", None, 0, None)
    assert body_of(api.get(f"{path}/history"))["results"] == []
    empty = body_of(api.get(f"{path}/allocation?by=kind"))
    assert (empty["results"], empty["concentration"], empty["total"]) == ([], None, "0")
    assert body_of(api.get(f"{path}/performance?benchmark=B/T/C"))["code"] == "invalid"


def test_another_person_gets_404(portfolio: Portfolio) -> None:
    stranger = api_of(make_user())
    for name in ("performance", "history", "allocation"):
        assert stranger.get(f"portfolios/{portfolio.pk}/{name}").status_code == 404
