"""What the ledger comes to, over REST: holdings with their prices, lots, gains of a year, completeness."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock
from apps.markets.tests.factories import make_instrument, make_price
from apps.portfolios import actions, queries
from apps.portfolios.models import BookedResult, Holding, Portfolio, PortfolioValue
from apps.portfolios.tests.factories import make_default, post, raw_buy

pytestmark = pytest.mark.django_db

TINY = "1.000000000000000001"
SALE = {"type": "sell", "ts": "2024-06-01", "asset": "BTC", "amount": "0.5", "value": "30000", "id": "s1"}


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


@pytest.fixture
def portfolio(user: User) -> Portfolio:
    return make_default(user=user)


@pytest.fixture
def path(portfolio: Portfolio) -> str:
    return f"portfolios/{portfolio.pk}"


def test_holdings_are_exact_and_priced(api: Api, portfolio: Portfolio, path: str) -> None:
    make_instrument("kraken:BTC/USD")
    make_price("kraken:BTC/USD", "50000.5")
    post(portfolio, raw_buy(amount=TINY, value="40000", account="Kraken"), raw_buy(asset="NOCOIN", value="7"))
    body = body_of(api.get(f"{path}/holdings"))
    held = {row["asset"]: row for row in body["results"]}
    assert held["BTC"] | {"price_ts": ""} == {
        "asset": "BTC",
        "amount": TINY,
        "price": "50000.5",
        "price_state": "priced",
        "price_source": "kraken",
        "price_ts": "",
        "value": "50000.5000000000000500005",
        "cost_basis": "40000",
        "unrealised": "10000.5000000000000500005",
        "accounts": {"Kraken": TINY},
    }
    assert (held["NOCOIN"]["price"], held["NOCOIN"]["price_state"]) == (None, "unpriced")
    assert (body["total"], body["currency"]) == ("50000.5000000000000500005", "USD")
    codes = {one["code"]: one["count"] for one in body["completeness"]["issues"]}
    assert codes["unpriced_holding"] == 1
    assert body["completeness"]["score"] == "0.75"


def test_what_is_sent_means_what_is_kept(api: Api, portfolio: Portfolio, path: str) -> None:
    make_instrument("kraken:BTC/USD")
    make_price("kraken:BTC/USD", "100")
    post(portfolio, raw_buy(), raw_buy(asset="ETH"))
    results = body_of(api.get(f"{path}/holdings"))["results"]
    kept = Holding.objects.filter(portfolio=portfolio).order_by("asset")
    assert [(row["asset"], row["amount"], row["price"], row["value"], row["unrealised"]) for row in results] == list(
        kept.values_list("asset", "amount", "price", "value", "unrealised")
    )


def test_nothing_new_is_not_sent_again(
    api: Api, portfolio: Portfolio, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    post(portfolio, raw_buy())
    first = api.get(f"{path}/holdings")
    tag = first.headers["ETag"]
    with django_assert_num_queries(2):  # who it is, and the answer
        assert api.get(f"{path}/holdings").content == first.content
    unchanged = api.get(f"{path}/holdings", HTTP_IF_NONE_MATCH=tag)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    post(portfolio, raw_buy())
    changed = api.get(f"{path}/holdings", HTTP_IF_NONE_MATCH=tag)
    assert (changed.status_code, body_of(changed)["results"][0]["amount"]) == (200, "2")


def test_a_new_price_is_seen_after_a_moment(api: Api, portfolio: Portfolio, path: str) -> None:
    make_instrument("kraken:BTC/USD")
    make_price("kraken:BTC/USD", "100")
    post(portfolio, raw_buy())
    assert body_of(api.get(f"{path}/holdings"))["total"] == "100"
    make_price("kraken:BTC/USD", "101")
    PortfolioValue.objects.update(valued_at=clock.now() - timedelta(seconds=16))
    assert body_of(api.get(f"{path}/holdings"))["total"] == "101"


def test_holdings_of_the_past(api: Api, portfolio: Portfolio, path: str) -> None:
    post(portfolio, raw_buy(), raw_buy(ts="2024-03-01", asset="ETH"), SALE)
    body = body_of(api.get(f"{path}/holdings?as_of=2024-02-01"))
    assert [(row["asset"], row["amount"], row["price_state"]) for row in body["results"]] == [("BTC", "1", "unpriced")]
    assert body["as_of"] == "2024-02-01T00:00:00Z"
    assert api.get(f"{path}/holdings?as_of=2999-01-01").status_code == 422


def test_lots_and_gains_by_the_rules_asked_for(api: Api, portfolio: Portfolio, path: str) -> None:
    cheap = raw_buy(ts="2023-01-01", value="10000", id="cheap")
    dear = raw_buy(ts="2024-05-01", value="50000", id="dear")
    reward = {"type": "income", "ts": "2023-05-01", "asset": "ETH", "amount": "1", "value": "9", "kind": "staking"}
    ids = post(portfolio, cheap, dear, reward, SALE).ids
    lots = body_of(api.get(f"{path}/lots"))
    assert (lots["realised_total"], lots["realised_long"]) == ("25000", "25000")
    assert (lots["remaining_lots"][0]["lot"], lots["remaining_lots"][0]["amount"]) == (str(ids[0]), "0.5")
    assert lots["disposals"][0]["lots"][0]["lot"] == str(ids[0])
    other = body_of(api.get(f"{path}/gains?year=2024&method=hifo"))
    assert (other["realised_total"], other["realised_short"], other["income_total"]) == ("5000", "5000", "0")
    assert (len(other["disposals"]), other["policy"]["method"]) == (1, "hifo")
    before = body_of(api.get(f"{path}/gains?year=2023"))
    assert (before["disposals"], before["income_total"], before["realised_total"]) == ([], "9", "0")
    assert [row["kind"] for row in before["income"]] == ["staking"]
    assert body_of(api.get(f"{path}/gains?year=2020"))["realised_total"] == "0"
    refused = api.get(f"{path}/lots?method=uk_s104&scope=per_account")
    assert (refused.status_code, body_of(refused)["errors"][0]["field"]) == (422, "scope")
    assert api.get(f"{path}/lots?method=average").status_code == 422


def test_a_result_is_kept_until_the_ledger_moves_on(portfolio: Portfolio) -> None:
    post(portfolio, raw_buy())
    portfolio.refresh_from_db()
    first = actions.ensure_booked(portfolio=portfolio, now=clock.now())
    assert actions.ensure_booked(portfolio=portfolio, now=clock.now()) == first
    same = actions.recompute(portfolio_id=portfolio.pk, now=clock.now())
    assert same.input_hash == first.input_hash
    post(portfolio, raw_buy())
    portfolio.refresh_from_db()
    second = actions.ensure_booked(portfolio=portfolio, now=clock.now())
    assert second.input_hash != first.input_hash
    assert list(BookedResult.objects.values_list("pk", "is_own")) == [(second.pk, True)]


def test_results_of_other_rules_are_bounded(portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.portfolios.actions.booking.MOST_RESULTS", 2)
    post(portfolio, raw_buy())
    portfolio.refresh_from_db()
    for days in range(5):
        policy = queries.policy_asked_for(portfolio=portfolio, wishes={"long_days": days})
        actions.ensure_booked(portfolio=portfolio, policy=policy, now=datetime(2026, 1, days + 1, tzinfo=UTC))
    assert sorted(row["long_days"] for row in BookedResult.objects.values_list("policy", flat=True)) == [3, 4]


def test_what_is_missing_is_counted(api: Api, portfolio: Portfolio, path: str) -> None:
    leg = {"type": "transfer", "ts": "2024-07-01", "asset": "BTC", "amount": "0.1", "from_account": "default"}
    opening = {"type": "pool_opening", "ts": "2024-01-01", "asset": "BTC", "amount": "1", "value": "1"}
    unpriced = {"type": "spend", "ts": "2024-08-01", "asset": "NOCOIN", "amount": "1"}
    post(portfolio, SALE, {**leg, "to_account": "outside"}, opening, unpriced)
    body = body_of(api.get(f"{path}/completeness"))
    assert {one["code"]: one["count"] for one in body["issues"]} == {
        "missing_acquisition": 2,
        "unbooked_entry": 1,
        "unmatched_transfer": 1,
        "unpriced_entry": 1,
        "unpriced_holding": 2,
    }
    links = {one["code"]: one["link"] for one in body["issues"]}
    assert (links["unmatched_transfer"], links["unbooked_entry"]) == ("/transfers/", "/transactions/")
    assert body["score"] == "0"


def test_a_large_ledger_is_left_to_a_worker(
    api: Api, portfolio: Portfolio, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.portfolios.actions.reading.MOST_INLINE", 1)
    post(portfolio, raw_buy(), raw_buy())
    assert body_of(api.get(f"{path}/holdings"))["results"][0]["amount"] == "2"  # nothing earlier could stand in
    post(portfolio, raw_buy())
    late = body_of(api.get(f"{path}/holdings"))
    assert (late["results"][0]["amount"], late["stale"]) == ("2", True)
    assert body_of(api.get(f"{path}/lots"))["stale"] is True
    actions.recompute(portfolio_id=portfolio.pk, now=clock.now())
    done = body_of(api.get(f"{path}/holdings"))
    assert (done["results"][0]["amount"], done["stale"]) == ("3", False)
