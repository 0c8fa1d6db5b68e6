"""The ledger against what venues say: what agrees, what differs and why; and the rules of booking over REST."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock
from apps.portfolios import actions
from apps.portfolios.models import Account, AccountKind, ObservedBalance, Portfolio
from apps.portfolios.tests.factories import make_default, post, raw_buy

pytestmark = pytest.mark.django_db


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
def kraken(portfolio: Portfolio) -> Account:
    kind = AccountKind.EXCHANGE
    return actions.create_account(portfolio=portfolio, name="Kraken", kind=kind, exchange="kraken", now=clock.now())


def observe(account: Account, *, minutes: int = 0, **balances: str) -> None:
    """Let a venue tell its balances."""
    at = clock.now() - timedelta(minutes=minutes)
    actions.record_observed_balances(account=account, balances={k: Decimal(v) for k, v in balances.items()}, at=at)


def test_every_balance_is_held_against_its_venue(api: Api, portfolio: Portfolio, kraken: Account) -> None:
    leg = {"type": "transfer", "ts": "2024-02-01", "asset": "SOL", "amount": "1", "to_account": "Kraken"}
    post(
        portfolio,
        raw_buy(account="Kraken", amount="1.000000000000000001"),
        raw_buy(account="Kraken", asset="ETH"),
        raw_buy(account="Kraken", asset="DOT"),
        raw_buy(account="Elsewhere"),
        {**leg, "from_account": "outside"},
    )
    observe(kraken, minutes=2, BTC="1.000000000000000001", ETH="1.5", SOL="0", XRP="7")
    rows = body_of(api.get(f"portfolios/{portfolio.pk}/reconciliation"))["results"]
    assert [(row["asset"], row["difference"], row["cause"]) for row in rows] == [
        ("DOT", "1", "surplus_entries"),
        ("ETH", "-0.5", "missing_entries"),
        ("SOL", "1", "unmatched_transfer"),
        ("XRP", "-7", "missing_entries"),
        ("BTC", "0", "agrees"),
    ]
    assert (rows[4]["ledger"], rows[4]["exchange"], rows[4]["repair"]) == ("1.000000000000000001", "kraken", "")
    assert 119 <= rows[0]["age_s"] <= 180
    issues = {
        one["code"]: one["count"] for one in body_of(api.get(f"portfolios/{portfolio.pk}/completeness"))["issues"]
    }
    assert issues["balance_differs"] == 4


def test_what_a_venue_no_longer_names_is_zero_and_an_older_word_is_late(kraken: Account) -> None:
    observe(kraken, BTC="1", ETH="2")
    observe(kraken, minutes=5, BTC="9")
    observe(kraken, BTC="3")
    assert dict(ObservedBalance.objects.values_list("asset", "amount")) == {"BTC": Decimal(3), "ETH": Decimal(0)}


def test_a_gap_is_told_until_it_is_closed(api: Api, portfolio: Portfolio, kraken: Account) -> None:
    now = clock.now()
    for detail in ("The venue keeps three months", "Still"):
        actions.report_gap(
            account=kraken,
            stream="trades",
            from_at=now - timedelta(9),
            to_at=now - timedelta(8),
            detail=detail,
            now=now,
        )
    post(portfolio, raw_buy(account="Kraken"))
    observe(kraken, BTC="2")
    (row,) = body_of(api.get(f"portfolios/{portfolio.pk}/reconciliation"))["results"]
    assert row["cause"] == "sync_gap"
    assert actions.close_gap(account=kraken, stream="trades", until=now, now=now) == 1
    (row,) = body_of(api.get(f"portfolios/{portfolio.pk}/reconciliation"))["results"]
    assert row["cause"] == "missing_entries"


def test_the_rules_are_chosen_and_the_ledger_follows(api: Api, portfolio: Portfolio) -> None:
    path = f"portfolios/{portfolio.pk}"
    sale = {"type": "sell", "ts": "2024-06-01", "asset": "BTC", "amount": "1", "value": "60000"}
    post(portfolio, raw_buy(value="10000"), raw_buy(ts="2024-05-01", value="50000"), sale)
    assert body_of(api.get(f"{path}/policy"))["policy"]["method"] == "fifo"
    assert body_of(api.get(f"{path}/lots"))["realised_total"] == "50000"
    assert body_of(api.put(f"{path}/policy", {"policy": {"method": "lifo"}}))["policy"]["scope"] == "universal"
    assert body_of(api.get(f"{path}/lots"))["realised_total"] == "10000"
    assert body_of(api.get(f"{path}/holdings"))["results"][0]["cost_basis"] == "10000"
    refused = api.put(f"{path}/policy", {"policy": {"method": "uk_s104", "scope": "per_account"}})
    assert (refused.status_code, body_of(refused)["errors"][0]["field"]) == (422, "scope")
    assert api.put(f"{path}/policy", {"policy": {"colour": "red"}}).status_code == 422
