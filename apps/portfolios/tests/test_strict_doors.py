"""What the doors of the ledger refuse, take as it is meant, and say before it costs money."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Preferences, User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock
from apps.core.errors import ConflictError
from apps.portfolios import actions
from apps.portfolios.models import Account, Batch, Portfolio, Transaction
from apps.portfolios.tests.factories import make_default, make_portfolio, post, raw_buy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

NOBODY = "0192f3a4-0000-7000-8000-000000000000"


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


def errors_of(api: Api, path: str, *rows: dict[str, Any]) -> list[tuple[int, str, str]]:
    answer = body_of(api.post(f"{path}/transactions", list(rows)))
    return [(one["index"], one["code"], one["field"]) for one in answer["errors"]]


# --- Fields -----------------------------------------------------------------------------------------------------------
def test_a_slip_in_a_name_is_an_error_that_names_the_right_one(api: Api, path: str) -> None:
    assert errors_of(
        api,
        path,
        raw_buy(fee="1", fee_currency="BNB"),
        raw_buy(),
        {**raw_buy(), "ammount": "2"},
        raw_buy(received="1"),
    ) == [(0, "field_unknown", "fee_currency"), (2, "field_unknown", "ammount"), (3, "field_unexpected", "received")]
    alone = body_of(api.post(f"{path}/transactions", raw_buy(fee_currency="BNB")))["errors"][0]
    assert alone["message"] == "There is no field fee_currency. Did you mean fee_asset?"
    row = body_of(api.get(f"{path}/transactions"))["results"][0]
    again = body_of(api.post(f"{path}/transactions", row))
    assert (again["posted"], again["duplicates"]) == (0, 1)
    assert api.patch(f"{path}/transactions/{row['id']}", {"ammount": "2"}).status_code == 422
    assert Transaction.objects.count() == 1


def test_the_other_doors_of_the_ledger_know_their_fields_too(api: Api, path: str) -> None:
    for door, body in (
        ("portfolios", {"name": "New", "curency": "EUR"}),
        (f"{path}/accounts", {"name": "Cold", "knd": "wallet"}),
    ):
        (problem,) = body_of(api.post(door, body))["errors"]
        assert problem["code"] == "field_unknown"
        assert "Did you mean" in problem["message"]
    whole = body_of(api.get(path))
    assert body_of(api.patch(path, {**whole, "name": "Other"}))["name"] == "Other"


def test_an_object_that_names_a_field_twice_is_not_read(api: Api, path: str, user: User) -> None:
    text = '{"ts":"2024-01-02T12:00:00Z","type":"buy","asset":"BTC","amount":"1","price":"4","amount":"100"}'
    browser = Client()
    browser.force_login(user)
    answer = browser.post(f"/api/v1/{path}/transactions", text, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")
    assert "'amount' twice" in answer.json()["detail"]


def test_the_document_says_that_requests_are_closed(client: Client) -> None:
    shapes = client.get("/api/schema/").json()["components"]["schemas"]
    for name in ("TransactionRequest", "PatchedTransactionRequest", "PortfolioRequest", "CommitRequest"):
        assert shapes[name]["additionalProperties"] is False, name
    assert "additionalProperties" not in shapes["Transaction"]


# --- Corrections ------------------------------------------------------------------------------------------------------
def test_a_correction_of_nothing_books_nothing(api: Api, path: str, portfolio: Portfolio) -> None:
    row = body_of(api.post(f"{path}/transactions", raw_buy(id="a", note="n", fee="1", fee_asset="USD")))
    one = f"{path}/transactions/{row['ids'][0]}"
    portfolio.refresh_from_db()
    before = (Batch.objects.count(), portfolio.version)
    for body in ({}, {"amount": "1.00"}, {"note": " n "}, body_of(api.get(one))):
        same = body_of(api.patch(one, body))
        assert (same["id"], same["changed"]) == (row["ids"][0], False)
    portfolio.refresh_from_db()
    assert (Batch.objects.count(), portfolio.version) == before
    changed = body_of(api.patch(one, {"amount": "2"}))
    assert (changed["changed"], changed["id"] == row["ids"][0]) == (True, False)


def test_another_type_drops_what_it_does_not_have(api: Api, path: str) -> None:
    row = body_of(
        api.post(f"{path}/transactions", raw_buy(type="transfer", price=None, from_account="A", to_account="B"))
    )
    one = f"{path}/transactions/{row['ids'][0]}"
    told = body_of(api.patch(one, {"type": "buy", "price": "5", "account": "B"}))
    assert (told["type"], told["account"], "from_account" in told) == ("buy", "B", False)


# --- Accounts and names -----------------------------------------------------------------------------------------------
def test_an_account_is_named_or_given_by_its_id(api: Api, path: str, user: User) -> None:
    cold = body_of(api.post(f"{path}/accounts", {"name": "Cold"}))["id"]
    foreign = Account.objects.create(portfolio=make_portfolio(user=user), name="Foreign").pk
    move = {"ts": "2024-02-01", "type": "transfer", "asset": "BTC", "amount": "1"}
    assert errors_of(
        api,
        path,
        raw_buy(account=cold),
        {**move, "from_account": cold, "to_account": "Hot"},
        raw_buy(account=NOBODY),
        {**move, "from_account": "Hot", "to_account": str(foreign)},
    ) == [(2, "account_unknown", "account"), (3, "account_unknown", "to_account")]
    rows = body_of(api.get(f"{path}/transactions"))["results"]
    assert [(row["account"], row.get("to_account")) for row in rows] == [("Cold", "Hot"), ("Cold", None)]
    assert [row["name"] for row in body_of(api.get(f"{path}/accounts"))["results"]] == ["Cold", "Hot"]


def test_names_are_the_same_through_every_door(api: Api, path: str, portfolio: Portfolio, user: User) -> None:
    api.post(f"{path}/transactions", raw_buy(account=" Cafe\u0301 "))
    taken = api.post(f"{path}/accounts", {"name": "Caf\u00e9"})
    assert body_of(taken)["code"] == "account_name_taken"
    for name in ("a\u202eb", "\u200b", "a\nb"):
        assert api.post(f"{path}/accounts", {"name": name}).status_code == 422
        assert api.post("portfolios", {"name": name}).status_code == 422
        assert api.patch(path, {"name": name}).status_code == 422
    browser = Client()
    browser.force_login(user)
    wrong = browser.post(reverse("portfolios:new_transaction"), typed(account="a\u202eb"))
    assert "cannot be seen" in str(wrong.context["form"].errors["account"])
    browser.post(reverse("portfolios:new_transaction"), typed(account="Cafe\u0301"))
    assert [row.name for row in Account.objects.filter(portfolio=portfolio)] == ["Caf\u00e9"]


def typed(**fields: str) -> dict[str, str]:
    told = {"template": "buy", "step": "post", "at": "2024-05-06T07:08", "asset": "btc", "amount": "1", "value": "9"}
    return {**told, **fields}


# --- Doubts -----------------------------------------------------------------------------------------------------------
def test_what_rules_and_money_make_of_an_entry_is_said_at_once(api: Api, path: str) -> None:
    opening = {"ts": "2024-01-01", "type": "pool_opening", "asset": "BTC", "amount": "1", "value": "9"}
    assert errors_of(api, path, opening) == [(0, "pool_opening_needs_pool", "type")]
    api.put(f"{path}/policy", {"policy": {"method": "acb"}})
    answer = body_of(api.post(f"{path}/transactions", [opening, raw_buy(quote="EUR"), raw_buy(quote="USD")]))
    assert (answer["posted"], answer["errors"]) == (3, [])
    (doubt,) = answer["warnings"]
    assert (doubt["index"], doubt["code"]) == (1, "quote_differs")
    assert "in EUR, this portfolio counts in USD" in doubt["message"]


def test_a_form_keeps_the_money_that_values_were_told_in(client: Client, portfolio: Portfolio, user: User) -> None:
    entry = post(portfolio, raw_buy(quote="EUR", price=None, value="100")).ids[0]
    client.force_login(user)
    address = reverse("portfolios:correct_transaction", args=[entry])
    page = client.get(address)
    assert page.context["money"] == "EUR"
    told = {name: str(value) for name, value in page.context["form"].initial.items()}
    client.post(address, {**told, "step": "post", "value": "110"})
    row = Transaction.objects.filter(portfolio=portfolio).standing().get()
    assert (row.quote, str(row.value)) == ("EUR", "110")


# --- Times ------------------------------------------------------------------------------------------------------------
def test_an_hour_that_the_clocks_repeat_or_skip(client: Client, portfolio: Portfolio, user: User) -> None:
    Preferences.objects.update_or_create(user=user, defaults={"time_zone": "Europe/Berlin"})
    entry = post(portfolio, raw_buy(ts="2024-10-27T01:30:00Z")).ids[0]
    client.force_login(user)
    address = reverse("portfolios:correct_transaction", args=[entry])
    told = {name: str(value) for name, value in client.get(address).context["form"].initial.items()}
    assert told["at"] == "2024-10-27T02:30:00"
    page = client.post(address, {**told, "at": "2024-10-27T02:30", "value": "", "step": "post"}, follow=True)
    assert "Nothing was changed" in page.text
    client.post(address, {**told, "at": "2024-10-27T02:30", "amount": "2", "step": "post"})
    assert Transaction.objects.filter(portfolio=portfolio).standing().get().at.hour == 1
    skipped = client.post(reverse("portfolios:new_transaction"), typed(at="2024-03-31T02:30"))
    assert "clocks went forward" in str(skipped.context["form"].errors["at"])


def test_times_without_a_coin_are_refused_at_every_door(api: Api, path: str, client: Client, user: User) -> None:
    assert errors_of(api, path, raw_buy(ts="0001-01-02"), raw_buy(ts=1_704_067_200), raw_buy(ts="2999-01-01")) == [
        (0, "ts_too_early", "ts"),
        (1, "ts_too_early", "ts"),
        (2, "ts_in_the_future", "ts"),
    ]
    client.force_login(user)
    page = client.post(reverse("portfolios:new_transaction"), typed(at="1999-05-06T07:08"))
    assert "No coin is older" in str(page.context["form"].errors["at"])
    assert client.post(reverse("portfolios:new_transaction"), typed(at="0001-01-01T00:00")).status_code == 422


# --- At once ----------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_who_posts_corrects_and_undoes_at_once_leaves_a_whole_ledger() -> None:
    user = make_user()
    portfolio = make_default(user=user)
    done = post(portfolio, *[raw_buy(id=str(number)) for number in range(5)])
    assert done.batch is not None
    batch = done.batch.pk

    def act(number: int) -> int:
        try:
            if number % 3 == 0:
                actions.undo_batch(user=user, batch_id=batch, now=clock.now())
            elif number % 3 == 1:
                post(portfolio, *[raw_buy(id=str(one)) for one in range(5)])
            else:
                actions.reverse_transaction(user=user, transaction_id=done.ids[0], now=clock.now())
        except ConflictError:
            return 0
        finally:
            connections.close_all()
        return 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(act, range(12)))
    standing = Transaction.objects.filter(portfolio=portfolio).standing()
    ids = list(standing.values_list("external_id", flat=True))
    assert len(ids) == len(set(ids))
    assert Batch.objects.filter(pk=batch, state="undone").exists()
    post(portfolio, *[raw_buy(id=str(number)) for number in range(5)])
    assert standing.count() == 5
