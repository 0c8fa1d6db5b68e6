"""The way out and back in: equal totals, the same digits, nothing twice."""

import csv
import io
import json
from typing import Any

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.portfolios.domain.beancount import beancount_lines
from apps.portfolios.domain.drafts import draft_of, entry_of
from apps.portfolios.models import Portfolio
from apps.portfolios.tests.factories import make_default, make_portfolio, post, raw_buy

pytestmark = pytest.mark.django_db

TINY = "1.000000000000000001"
ROWS: list[dict[str, Any]] = [
    raw_buy(id="a", amount=TINY, account="Kraken", fee="2.5", fee_asset="USD"),
    raw_buy(ts="2024-01-02T12:00:00Z", asset="BNB", amount="3", price="300", account="Kraken"),
    {
        "type": "trade",
        "ts": "2024-02-01T00:00:00.123456Z",
        "out_asset": "BTC",
        "out_amount": "0.25",
        "in_asset": "ETH",
        "in_amount": "5",
        "value": "12000",
        "account": "Kraken",
        "fee": "0.01",
        "fee_asset": "BNB",
        "fee_value": "3",
    },
    {
        "type": "transfer",
        "ts": "2024-03-01",
        "asset": "BTC",
        "amount": "0.5",
        "received": "0.499",
        "from_account": "Kraken",
        "to_account": "Cold",
        "fee_value": "50",
        "tx_hash": "0xabc",
    },
    {"type": "income", "ts": "2024-04-01", "asset": "ETH", "amount": "0.1", "value": "200", "kind": "staking"},
    {"type": "sell", "ts": "2024-05-01", "asset": "BTC", "amount": "0.2", "price": "60000", "account": "Cold"},
    {"type": "split", "ts": "2024-06-01", "asset": "ETH", "ratio": "2"},
    {"type": "spend", "ts": "2024-07-01", "asset": "ETH", "amount": "1", "value": "1500", "note": "=1+1"},
    {"type": "return_of_capital", "ts": "2024-08-01", "asset": "ETH", "value": "10"},
]


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


@pytest.fixture
def filled(user: User) -> Portfolio:
    portfolio = make_default(user=user)
    assert post(portfolio, *ROWS).posted == len(ROWS)
    return portfolio


def _exported(api: Api, portfolio: Portfolio, wanted: str) -> str:
    answer: Any = api.get(f"portfolios/{portfolio.pk}/export?format={wanted}")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def test_what_comes_back_gives_the_same_totals(api: Api, filled: Portfolio, user: User) -> None:
    file = json.loads(_exported(api, filled, "json"))
    assert file["transactions"][0]["amount"] == TINY
    other = make_portfolio(user=user, name="Again")
    done = body_of(api.post(f"portfolios/{other.pk}/transactions", file["transactions"]))
    assert (done["posted"], done["errors"]) == (len(ROWS), [])
    assert body_of(api.post(f"portfolios/{other.pk}/transactions", file["transactions"]))["posted"] == 0
    assert body_of(api.post(f"portfolios/{filled.pk}/transactions", file["transactions"]))["duplicates"] == len(ROWS)
    first, second = (body_of(api.get(f"portfolios/{one.pk}/lots")) for one in (filled, other))
    for name in ("realised_total", "income_total", "fees_total", "holdings", "remaining_cost", "errors", "missing"):
        assert first[name] == second[name]
    assert first["errors"] == []


def test_the_table_has_every_field_and_no_formula(api: Api, filled: Portfolio) -> None:
    rows = list(csv.DictReader(io.StringIO(_exported(api, filled, "csv"))))
    assert (len(rows), rows[0]["amount"], rows[0]["external_id"], rows[3]["tx_hash"]) == (len(ROWS), TINY, "a", "0xabc")
    assert rows[7]["note"] == "'=1+1"
    assert rows[2]["ts"] == "2024-02-01T00:00:00.123456Z"


def test_beancount_postings_balance(api: Api, filled: Portfolio) -> None:
    text = _exported(api, filled, "beancount")
    assert "2024-01-02 open Assets:Coins:Kraken" in text
    assert f"  Assets:Coins:Kraken  {TINY} BTC @@ 40000.00000000000004 USD" in text
    assert "  Expenses:Fees  0.001 BTC" in text
    assert "  Equity:Splits  -4.6 ETH" in text or "  Assets:Coins:Kraken  5 ETH" in text


def test_names_are_spelled_as_beancount_allows() -> None:
    rows = [
        raw_buy(id=str(place), asset=asset, account=f"a {asset}") for place, asset in enumerate(("1inch", "x", "X"))
    ]
    entries = [entry_of(draft_of(row, source="test"), entry_id=f'"{row["id"]}') for row in rows]
    text = "\n".join(beancount_lines(entries, money="USD", title='My "own"\nbook'))
    assert 'option "title" "My \\"own\\" book"' in text
    for name in ("C1INCH @@", " X-COIN @@", " X-COIN-2 @@", "Assets:Coins:A-1inch", 'id: "\\"0"'):
        assert name in text


def test_an_empty_portfolio_is_a_file_too(api: Api, user: User) -> None:
    portfolio = make_default(user=user)
    assert json.loads(_exported(api, portfolio, "json"))["transactions"] == []
    assert _exported(api, portfolio, "beancount").startswith("option")
    assert _exported(api, portfolio, "csv").startswith("id,ts,type")
    assert api.get(f"portfolios/{portfolio.pk}/export?format=pdf").status_code == 422
