"""Selling on paper: every method takes the lots that the engine would take, exactly, and nothing is posted."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Preferences, User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock
from apps.markets.tests.factories import make_instrument, make_price
from apps.portfolios import actions
from apps.portfolios.actions.policies import choose_policy
from apps.portfolios.domain.policy import Fees, Method, Policy, Scope
from apps.portfolios.models import Portfolio, Transaction
from apps.portfolios.tests.factories import make_default, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

TINY = "0.000000000000000001"


def days_ago(days: int) -> str:
    """Return the moment so many days ago."""
    return (clock.now() - timedelta(days=days)).isoformat()


def bought(identity: str, amount: str, value: str, days: int, account: str = "Kraken") -> dict[str, Any]:
    """Return a purchase so many days ago."""
    head = {"id": identity, "ts": days_ago(days), "type": "buy", "asset": "BTC", "account": account}
    return {**head, "amount": amount, "value": value}


LEDGER = [
    bought("old", f"1.{TINY[2:]}", "10000", 800),
    bought("dear", "1", "60000", 200),
    bought("new", "1", "30000", 10, "Cold"),
    bought("today", "1", "44000", 0, "Cold"),
]


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


@pytest.fixture
def portfolio(user: User) -> Portfolio:
    found = make_default(user=user)
    post(found, *LEDGER)
    return found


@pytest.fixture
def path(portfolio: Portfolio) -> str:
    return f"portfolios/{portfolio.pk}/sell-simulation"


def by_method(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the rows of an answer by their method."""
    return {row["method"]: row for row in body["results"]}


def ruled(portfolio: Portfolio, **rules: Any) -> None:
    """Book the portfolio by other rules."""
    choose_policy(user=portfolio.owner, portfolio_id=portfolio.pk, policy=Policy(**rules), now=clock.now())
    portfolio.refresh_from_db()


def test_every_method_takes_its_lots_and_splits_short_from_long(api: Api, portfolio: Portfolio, path: str) -> None:
    body = body_of(api.get(f"{path}?asset=BTC&amount=1.5&price=50000&fee=75"))
    rows = by_method(body)
    assert (body["proceeds"], body["results"][0]["method"], body["results"][0]["is_own"]) == ("75000", "fifo", True)
    assert {name: [lot["term"] for lot in row["lots"]] for name, row in rows.items()} == {
        "fifo": ["long", "short"],
        "lifo": ["short", "short"],
        "hifo": ["short", "short"],
        "acb": [],
        "uk_s104": [],
    }
    assert [row["gain"] for row in rows.values() if row["lots"] and not row["is_own"]] == ["-7075", "15925"] or (
        rows["hifo"]["gain"] == str(74925 - 60000 - 22000) and rows["lifo"]["gain"] == str(74925 - 44000 - 15000)
    )
    assert (rows["lifo"]["short"], rows["lifo"]["long"]) == (rows["lifo"]["gain"], "0")
    fifo = rows["fifo"]
    assert sum(map(float, (fifo["short"], fifo["long"]))) == pytest.approx(float(fifo["gain"]))
    assert [lot["days_until_long"] for lot in fifo["lots"]] == [0, 165]
    assert (fifo["days_until_long"], rows["acb"]["days_until_long"]) == (165, None)
    assert (rows["acb"]["short"], rows["acb"]["notes"]) == (None, ["pool"])
    assert rows["uk_s104"]["notes"] == ["pool", "later_purchases"]


def test_it_is_what_booking_the_sale_would_give(api: Api, portfolio: Portfolio, path: str) -> None:
    """Book the very sale by each method from the same lots: the first three agree to the last digit."""
    price, amount = "47123.456789", f"2.{TINY[2:]}"
    rows = by_method(body_of(api.get(f"{path}?asset=BTC&amount={amount}&price={price}")))
    sale = {"ts": clock.now().isoformat(), "type": "sell", "asset": "BTC", "amount": amount, "price": price}
    post(portfolio, {**sale, "account": "Kraken"})
    portfolio.refresh_from_db()
    for method in (Method.FIFO, Method.LIFO, Method.HIFO, Method.ACB, Method.UK_S104):
        booked = actions.read_gains(portfolio=portfolio, year=None, policy=Policy(method=method), now=clock.now())
        made, row = booked["disposals"][0], rows[method.value]
        assert (row["cost_basis"], row["gain"]) == (made["cost_basis"], made["gain"]), method
        if made["lots"]:
            assert [(lot["lot"], lot["amount"], lot["cost_basis"], lot["term"]) for lot in row["lots"]] == [
                (lot["lot"], lot["amount"], lot["cost_basis"], lot["term"]) for lot in made["lots"]
            ]
            totals = {name: booked[f"realised_{name}"] for name in ("short", "long")}
            assert {name: row[name] for name in totals} == totals


def test_each_account_alone_pools_and_separate_fees(api: Api, portfolio: Portfolio, path: str) -> None:
    ruled(portfolio, scope=Scope.PER_ACCOUNT, fees=Fees.SEPARATE)
    body = body_of(api.get(f"{path}?asset=BTC&amount=1&price=50000&fee=10&account=Cold"))
    assert (body["account"], body["held"], set(by_method(body))) == ("Cold", "2", {"fifo", "lifo", "hifo", "acb"})
    assert by_method(body)["fifo"]["gain"] == "20000"
    assert body_of(api.get(f"{path}?asset=BTC&amount=1&price=50000"))["account"] == "Kraken"

    ruled(portfolio, method=Method.ACB, superficial_window_days=30)
    rows = by_method(body_of(api.get(f"{path}?asset=BTC&amount=1&price=1")))
    assert rows["acb"]["notes"] == ["pool", "superficial_loss"]
    assert (rows["fifo"]["notes"], rows["fifo"]["lots"][0]["cost_basis"]) == (["from_the_start"], "9999.99999999999999")
    assert api.get(f"{path}?asset=BTC&amount=4.{TINY[2:]}&price=1").status_code == 200


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (f"asset=BTC&amount=4.{TINY[2:-1]}2&price=1", "more_than_held"),
        ("asset=DOGE&amount=1&price=1", "nothing_held"),
        ("asset=BTC&amount=1", "price_unknown"),
        ("asset=BTC&amount=0&price=1", "invalid"),
        ("asset=BTC&amount=1&price=-1&fee=-1", "invalid"),
    ],
)
def test_what_is_no_sale_is_refused_with_what_to_do(api: Api, path: str, query: str, code: str) -> None:
    answer = api.get(f"{path}?{query}")
    assert (answer.status_code, body_of(answer)["code"]) == (422, code)


def test_the_page_asks_answers_and_hides(user: User, portfolio: Portfolio) -> None:
    client = Client()
    client.force_login(user)
    address = reverse("portfolios:sell")
    assert "Say how much" in client.get(f"{address}?asset=BTC").text
    assert "No market here trades it" in client.get(f"{address}?asset=BTC&amount=1").text
    assert "4.000000000000000001 BTC can be sold" in client.get(f"{address}?asset=BTC&amount=5&price=1").text
    make_instrument("kraken:BTC/USD")
    make_price("kraken:BTC/USD", price="50000")
    page = client.get(f"{address}?asset=BTC&amount=1.5", headers={"HX-Request": "true"})
    assert "<html" not in page.text
    assert page.context["sale"].answer.price_source == "kraken"
    for words in ("your rules", "long in 165 days", "The least gain would be by HIFO"):
        assert words in page.text, words
    before = json.dumps(list(Transaction.objects.values_list("id", flat=True)), default=str)
    Preferences.objects.update_or_create(user=user, defaults={"private": True})
    hidden = client.get(f"{address}?asset=BTC&amount=1.5", headers={"HX-Request": "true"}).text
    assert "••••••" in hidden
    assert "75,000" not in hidden
    assert json.dumps(list(Transaction.objects.values_list("id", flat=True)), default=str) == before

    empty = make_user()
    client.force_login(empty)
    assert "Nothing is held" in client.get(address).text
