"""The ledger over REST: portfolios, accounts, transactions and batches as their owner uses them."""

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.portfolios.models import Portfolio, Transaction
from apps.portfolios.tests.factories import make_default, make_portfolio, post, raw_buy

pytestmark = pytest.mark.django_db

TINY = "1.000000000000000001"


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


@pytest.fixture
def path(user: User) -> str:
    return f"portfolios/{make_default(user=user).pk}"


def test_everyone_has_a_default_portfolio_and_may_make_others(api: Api) -> None:
    (first,) = body_of(api.get("portfolios"))["results"]
    assert (first["is_default"], first["currency"]) == (True, "USD")
    made = api.post("portfolios", {"name": "Long", "currency": "EUR"}, HTTP_IDEMPOTENCY_KEY="one")
    assert made.status_code == 201
    assert body_of(api.post("portfolios", {"name": "Long", "currency": "EUR"}, HTTP_IDEMPOTENCY_KEY="one")) == body_of(
        made
    )
    second = f"portfolios/{body_of(made)['id']}"
    assert api.delete(f"portfolios/{first['id']}").status_code == 409
    assert body_of(api.patch(second, {"name": "Short", "is_default": True}))["name"] == "Short"
    assert [row["is_default"] for row in body_of(api.get("portfolios"))["results"]] == [True, False]
    assert api.delete(f"portfolios/{first['id']}").status_code == 204
    assert body_of(api.get(second))["currency"] == "EUR"
    assert body_of(api.patch(second, {"currency": "USD"}))["currency"] == "USD"
    api.post(f"{second}/transactions", raw_buy())
    assert body_of(api.patch(second, {"currency": "GBP"}))["code"] == "currency_is_fixed"


def test_accounts(api: Api, path: str) -> None:
    made = body_of(api.post(f"{path}/accounts", {"name": "Cold", "kind": "wallet"}))
    assert (made["name"], made["kind"], made["exchange"]) == ("Cold", "wallet", "")
    for name in ("Cold", "outside"):
        assert body_of(api.post(f"{path}/accounts", {"name": name}))["code"] == "account_name_taken"
    assert body_of(api.patch(f"{path}/accounts/{made['id']}", {"name": "Colder"}))["name"] == "Colder"
    api.post(f"{path}/transactions", raw_buy(account="Colder"))
    assert body_of(api.delete(f"{path}/accounts/{made['id']}"))["code"] == "account_in_use"
    empty = body_of(api.post(f"{path}/accounts", {"name": "Empty"}))
    assert api.delete(f"{path}/accounts/{empty['id']}").status_code == 204
    assert [row["name"] for row in body_of(api.get(f"{path}/accounts"))["results"]] == ["Colder"]


def test_a_transaction_comes_back_as_it_was_sent(api: Api, path: str) -> None:
    sent = raw_buy(id="venue-1", amount=TINY, price="0.10", fee="1.50", fee_asset="USD", note="First")
    done = api.post(f"{path}/transactions", sent)
    assert done.status_code == 201
    answer = body_of(done)
    assert (answer["posted"], answer["duplicates"], answer["errors"]) == (1, 0, [])
    (row,) = body_of(api.get(f"{path}/transactions"))["results"]
    assert row == {
        "id": answer["ids"][0],
        "ts": "2024-01-02T12:00:00Z",
        "type": "buy",
        "account": "default",
        "asset": "BTC",
        "amount": TINY,
        "price": "0.1",
        "fee": "1.5",
        "fee_asset": "USD",
        "external_id": "venue-1",
        "source": "api",
        "batch": answer["batch"],
        "created_at": row["created_at"],
        "note": "First",
        "reversed_in": None,
    }
    again = body_of(api.post(f"{path}/transactions", sent))
    assert (again["batch"], again["posted"], again["duplicates"]) == (None, 0, 1)


def test_a_list_is_posted_with_its_faults_named(api: Api, path: str) -> None:
    rows = [raw_buy(), 7, raw_buy(amount=0.1), raw_buy(amount="1" * 41), raw_buy(type="gift"), raw_buy(asset="ETH")]
    answer = body_of(api.post(f"{path}/transactions", rows))
    assert answer["posted"] == 2
    assert [(one["index"], one["code"]) for one in answer["errors"]] == [
        (1, "not_an_object"),
        (2, "amount_type"),
        (3, "amount_too_long"),
        (4, "type_unknown"),
    ]
    alone = api.post(f"{path}/transactions", raw_buy(amount="0." + "0" * 30 + "1"))
    assert (alone.status_code, body_of(alone)["errors"][0]["field"]) == (422, "amount")
    odd = body_of(api.post(f"{path}/transactions", [raw_buy(id=[]), raw_buy(id={})]))
    assert [one["code"] for one in odd["errors"]] == ["field_invalid", "field_invalid"]
    assert Transaction.objects.count() == 2


def test_filters_and_pages(api: Api, path: str) -> None:
    rows = [raw_buy(ts=f"2024-01-0{day}T00:00:00Z", asset="BTC" if day % 2 else "ETH") for day in range(1, 8)]
    move = {"type": "transfer", "ts": "2024-02-01", "asset": "BTC", "amount": "1"}
    rows.append({**move, "from_account": "default", "to_account": "Cold"})
    trade = {"type": "trade", "ts": "2024-03-01", "out_asset": "BTC", "out_amount": "1", "in_asset": "SOL"}
    rows.append({**trade, "in_amount": "9", "value": "100"})
    batch = body_of(api.post(f"{path}/transactions", rows))["batch"]

    def found(query: str) -> list[str]:
        return [row["ts"][:10] for row in body_of(api.get(f"{path}/transactions?{query}"))["results"]]

    assert found("asset=SOL") == ["2024-03-01"]
    assert found("asset=ETH") == ["2024-01-06", "2024-01-04", "2024-01-02"]
    assert found("account=Cold") == ["2024-02-01"]
    assert found("type=trade&batch=" + batch) == ["2024-03-01"]
    assert found("from=2024-01-06&to=2024-02-01") == ["2024-01-07", "2024-01-06"]
    assert found("account=nowhere") == []
    first = body_of(api.get(f"{path}/transactions?limit=5"))
    second = body_of(api.get(first["next"].split("/api/v1/")[1]))
    seen = [row["ts"] for row in (*first["results"], *second["results"])]
    assert (len(seen), seen, second["next"]) == (9, sorted(seen, reverse=True), None)


def test_a_correction_is_a_reversal_and_a_new_row(api: Api, path: str) -> None:
    done = body_of(api.post(f"{path}/transactions", [raw_buy(id="a"), raw_buy(id="b")]))
    one = f"{path}/transactions/{done['ids'][0]}"
    changed = body_of(api.patch(one, {"amount": TINY}))
    assert (changed["amount"], changed["price"], changed["external_id"]) == (TINY, "40000", "a")
    assert changed["id"] != done["ids"][0]
    assert body_of(api.get(one))["reversed_in"] == changed["batch"]
    assert body_of(api.patch(one, {"amount": "2"}))["code"] == "already_reversed"
    valued = body_of(api.patch(f"{path}/transactions/{changed['id']}", {"value": "9"}))
    assert (valued["value"], valued.get("price")) == ("9", None)
    assert api.patch(f"{path}/transactions/{valued['id']}", {"external_id": "b"}).status_code == 422
    assert api.patch(f"{path}/transactions/{valued['id']}", {"amount": "-1"}).status_code == 422
    newest_first = [row["id"] for row in body_of(api.get(f"{path}/transactions"))["results"]]
    assert newest_first == [done["ids"][1], valued["id"]]
    assert api.delete(f"{path}/transactions/{valued['id']}").status_code == 204
    assert [row["id"] for row in body_of(api.get(f"{path}/transactions"))["results"]] == [done["ids"][1]]
    assert Transaction.objects.count() == 4


def test_a_batch_shows_its_effect_and_is_undone(api: Api, path: str) -> None:
    sale = raw_buy(type="sell", amount="0.4", fee="0.1", fee_asset="BNB", fee_value="30")
    done = body_of(api.post(f"{path}/transactions", [raw_buy(id="a", amount=TINY), sale]))
    batch = f"{path}/batches/{done['batch']}"
    assert body_of(api.get(batch))["effect"] == {"BNB": "-0.1", "BTC": "0.600000000000000001"}
    api.patch(f"{path}/transactions/{done['ids'][0]}", {"amount": "3"})
    undone = body_of(api.post(f"{batch}/undo", {"reason": "Wrong file"}))
    assert undone["state"] == "undone"
    assert body_of(api.get(f"{path}/transactions"))["results"] == []
    assert body_of(api.post(f"{batch}/undo", {}))["code"] == "batch_not_undoable"
    assert [row["source"] for row in body_of(api.get(f"{path}/batches"))["results"]] == ["undo", "correction", "api"]
    assert body_of(api.post(f"{path}/transactions", raw_buy(id="a")))["posted"] == 1


def test_lists_ask_the_database_a_fixed_number_of_times(
    user: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    portfolio = make_portfolio(user=user)
    post(portfolio, *[raw_buy(account=str(number % 7)) for number in range(40)])
    api = api_of(user)
    for name, most in (("transactions", 4), ("accounts", 4), ("batches", 4)):
        with django_assert_max_num_queries(most):
            assert api.get(f"portfolios/{portfolio.pk}/{name}").status_code == 200


def test_a_list_has_a_limit(api: Api, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.portfolios.api.transactions.MOST_POSTED", 1)
    answer = api.post(f"{path}/transactions", [raw_buy(), raw_buy()])
    assert (answer.status_code, Portfolio.objects.get().version) == (422, 0)
