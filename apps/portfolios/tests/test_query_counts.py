"""What pages and collections of the ledger ask the database does not grow with what is in the ledger."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, make_user
from apps.core import clock
from apps.markets.tests.factories import make_instrument, make_price
from apps.portfolios import actions
from apps.portfolios.actions import reading
from apps.portfolios.domain.drafts import OUTSIDE
from apps.portfolios.models import Portfolio
from apps.portfolios.tests.factories import make_default, make_portfolio, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

#: No page needs more, however much it shows.
MOST = 40
TABLE = b"ts,type,asset,amount,price,account,id\n2024-03-04,buy,%b,1,9,Kraken,%b\n"
PAGES = (
    *("dashboard:overview", "portfolios:overview", "portfolios:transactions", "portfolios:reconciliation"),
    *("portfolios:transfers", "portfolios:tax", "portfolios:imports", "portfolios:new_transaction"),
)
COLLECTIONS = (
    *("holdings", "transactions", "batches", "accounts", "imports", "transfers", "transfers/addresses"),
    *("reconciliation", "allocation", "completeness", "lots", "gains?year=2024", "shares", "frozen-years"),
)


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def browser(user: User) -> Client:
    """Return a browser in which the person is signed in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture(autouse=True)
def _values_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a value stand however long the test takes: whether it is renewed would be a matter of load."""
    for name in ("GLANCE", "FRESH"):
        monkeypatch.setattr(reading, name, timedelta(days=1))


def _fill(portfolio: Portfolio, numbers: Iterable[int]) -> None:
    """Let each number be an asset that was bought, sold, earned, moved in from outside and lacks a purchase."""
    for number in numbers:
        coin, account = f"COIN{number}", f"Account {number}"
        common, moved = {"asset": coin, "account": account}, {"from_account": OUTSIDE}
        make_instrument(f"kraken:{coin}/USD")
        make_price(f"kraken:{coin}/USD", "11", change="0.01")
        post(
            portfolio,
            {**common, "type": "buy", "ts": "2024-01-02", "amount": "5", "price": "9", "id": f"b{number}"},
            {**common, "type": "sell", "ts": "2024-02-02", "amount": "2", "price": "12", "id": f"s{number}"},
            {**common, "type": "income", "ts": "2024-03-02", "amount": "1", "value": "3", "kind": "staking"},
            {"type": "transfer", "ts": "2024-04-02", "asset": coin, "amount": "1", **moved, "to_account": account},
            {**common, "type": "sell", "ts": "2024-05-02", "asset": f"GONE{number}", "amount": "1", "price": "7"},
        )
        data = TABLE % (coin.encode(), coin.encode())
        now = clock.now()
        actions.preview_import(
            portfolio=portfolio, data=data, file_name=f"{number}.csv", wanted="generic", by=portfolio.owner, now=now
        )
        actions.record_observed_balances(
            account=portfolio.accounts.get(name=account), balances={coin: Decimal(3)}, at=now
        )
    actions.refresh(portfolio=Portfolio.objects.get(pk=portfolio.pk), now=clock.now())


def _asked(browser: Client, api: Api, portfolio: Portfolio) -> Iterator[tuple[str, int]]:
    """Yield how many questions each page and collection asks while nothing is remembered of earlier answers."""
    addresses = [reverse(name) for name in PAGES] + [reverse("portfolios:holding", args=["COIN0"])]
    doors = [f"portfolios/{portfolio.pk}/{name}" for name in COLLECTIONS]
    for address in (*addresses, *doors):
        client: Client | Api = browser if address in addresses else api
        assert client.get(address).status_code == 200, address
        cache.clear()
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        yield address, len(asked)


def test_a_larger_ledger_asks_no_more_questions(user: User, browser: Client) -> None:
    portfolio, api = make_default(user=user), api_of(user)
    _fill(portfolio, [0])
    few = dict(_asked(browser, api, portfolio))
    _fill(portfolio, [1, 2])
    for name in ("Short", "Old"):
        _fill(make_portfolio(user=user, name=name), [])
    many = dict(_asked(browser, api, portfolio))
    assert {address: (count, many[address]) for address, count in few.items() if many[address] > count} == {}
    assert max(many.values()) <= MOST
