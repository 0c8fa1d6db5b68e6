"""Frozen years when the world moves on: a price that comes or is corrected later, and a sync that comes late."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock
from apps.core.api.times import milliseconds
from apps.markets import actions as markets
from apps.markets.domain.candles import from_rows
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models import Instrument
from apps.markets.models.candles import CandleSource
from apps.markets.tests.factories import make_instrument
from apps.portfolios import actions
from apps.portfolios.actions.pricing import value_entries
from apps.portfolios.actions.year_ends import read_year_end
from apps.portfolios.domain.drafts import draft_of
from apps.portfolios.models import Portfolio
from apps.portfolios.tests.factories import make_default, post, raw_buy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

#: The days whose closes were the newest when the reward came, and when the year ended.
STAKED_ON, YEAR_END = datetime(2024, 6, 30, tzinfo=UTC), datetime(2024, 12, 30, tzinfo=UTC)
BOUGHT = raw_buy(amount="2", value="40000", price=None, ts="2022-03-01T00:00:00Z", id="bought")
SOLD = raw_buy(type="sell", amount="0.5", value="40000", price=None, ts="2024-06-01T00:00:00Z", id="sold")
STAKED = {"ts": "2024-07-01T12:00:00Z", "type": "income", "asset": "ETH", "amount": "2", "kind": "staking", "id": "eth"}


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


@pytest.fixture
def portfolio(user: User) -> Portfolio:
    found = make_default(user=user)
    post(found, BOUGHT, SOLD, STAKED)
    return found


@pytest.fixture
def path(portfolio: Portfolio) -> str:
    return f"portfolios/{portfolio.pk}"


def keep_close(instrument: Instrument, *, day: datetime, close: float) -> None:
    """Tell what a coin was worth on a day; a second time, correct it."""
    candles = from_rows([(milliseconds(day), *[close] * 4, 1.0)])
    markets.store_candles(
        instrument=instrument, timeframe=Timeframe.D1, candles=candles, source=CandleSource.VENUE, now=clock.now()
    )


def figures(body: dict[str, Any]) -> tuple[object, ...]:
    """Return what a frozen year may not change any more."""
    return body["disposals"], body["income"], body["realised_total"], body["income_total"], body["input_hash"]


def differences(body: dict[str, Any]) -> list[tuple[str, str, str | None, str | None]]:
    """Return how the ledger has the rows of a frozen year today."""
    rows = body["frozen"]["difference"]["rows"]
    return [(row["part"], row["change"], row["frozen"], row["today"]) for row in rows]


def worth_of_eth(portfolio: Portfolio) -> str:
    """Return what the reward is worth in the holdings at the end of the year."""
    found = read_year_end(portfolio=portfolio, year=2024, now=clock.now())
    assert found is not None
    return str(next(row["value"] for row in found["results"] if row["asset"] == "ETH"))


def freeze(api: Api, path: str) -> dict[str, Any]:
    """Freeze the year as it is, and return its figures."""
    assert api.post(f"{path}/frozen-years", {"year": 2024, "accept_issues": True}).status_code == 201
    return body_of(api.get(f"{path}/gains?year=2024"))


def test_a_price_that_comes_later_is_a_difference(api: Api, portfolio: Portfolio, path: str) -> None:
    now = clock.now()
    value_entries(portfolio=portfolio, now=now)
    frozen = freeze(api, path)
    assert (frozen["income_total"], frozen["frozen"]["accepted_issues"]) == (
        "0",
        [{"code": "unpriced_entry", "count": 1}],
    )

    keep_close(make_instrument("kraken:ETH/USD"), day=STAKED_ON, close=2500.0)
    assert value_entries(portfolio=portfolio, now=now + timedelta(days=2)) == 1
    later = body_of(api.get(f"{path}/gains?year=2024"))
    assert figures(later) == figures(frozen)
    assert differences(later) == [("income", "changed", "0", "5000")]
    issues = {one["code"]: one["count"] for one in body_of(api.get(f"{path}/holdings"))["completeness"]["issues"]}
    assert issues["frozen_year_differs"] == 1


def test_a_price_that_is_corrected_later_leaves_what_was_booked_with_it(
    api: Api, user: User, portfolio: Portfolio, path: str
) -> None:
    market = make_instrument("kraken:ETH/USD")
    keep_close(market, day=STAKED_ON, close=2500.0)
    keep_close(market, day=YEAR_END, close=3000.0)
    assert value_entries(portfolio=portfolio, now=clock.now()) == 1
    frozen = freeze(api, path)
    assert (frozen["income_total"], worth_of_eth(portfolio)) == ("5000", "6000")

    keep_close(market, day=STAKED_ON, close=2600.0)
    keep_close(market, day=YEAR_END, close=3100.0)
    assert value_entries(portfolio=portfolio, now=clock.now() + timedelta(days=2)) == 0
    later = body_of(api.get(f"{path}/gains?year=2024"))
    assert (figures(later), later["frozen"]["differs"]) == (figures(frozen), False)
    assert worth_of_eth(portfolio) == "6000"

    staked = portfolio.transactions.get(external_id="eth")
    told = draft_of(STAKED | {"value": "5200"}, source="test")
    actions.replace_transaction(
        user=user, transaction_id=staked.pk, draft=told, reason="Price of the venue", now=clock.now()
    )
    corrected = body_of(api.get(f"{path}/gains?year=2024"))
    assert figures(corrected) == figures(frozen)
    assert corrected["frozen"]["difference"]["totals"]["income_total"] == {"frozen": "5000", "today": "5200"}


def test_a_late_sync_leaves_a_frozen_year_and_reaches_the_years_after_it(
    api: Api, portfolio: Portfolio, path: str
) -> None:
    after = raw_buy(type="sell", amount="1", value="50000", price=None, ts="2025-06-01T00:00:00Z", id="after")
    post(portfolio, after)
    frozen = freeze(api, path)
    page = (
        raw_buy(amount="1", value="1000", price=None, ts="2021-01-01T00:00:00Z", id="sync-1"),
        raw_buy(type="sell", amount="0.25", value="15000", price=None, ts="2024-03-01T00:00:00Z", id="sync-2"),
    )
    assert [post(portfolio, *page).posted, post(portfolio, *page).posted] == [2, 0]
    later = body_of(api.get(f"{path}/gains?year=2024"))
    assert figures(later) == figures(frozen)
    assert sorted(differences(later)) == [
        ("disposals", "came", None, "14750"),
        ("disposals", "changed", "30000", "39500"),
    ]
    assert body_of(api.get(f"{path}/gains?year=2025"))["realised_total"] == "34750"
    assert body_of(api.get(f"{path}/frozen-years/2024"))["input_changed"] is True
