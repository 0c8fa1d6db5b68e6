"""Addresses: answered once; what is there and what comes later is told so, and taken back as a whole."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.portfolios.domain.addresses import Whose, address_key, answered
from apps.portfolios.domain.drafts import EntryDraft, draft_of
from apps.portfolios.models import Batch, BatchKind, Portfolio, Transaction
from apps.portfolios.tests.factories import make_default, post, raw_buy

pytestmark = pytest.mark.django_db

SHOP, OTHER = "0x" + "aB" * 20, "bc1qother"
MOVE: dict[str, Any] = {"ts": "2024-02-01T00:00:00Z", "type": "transfer", "asset": "BTC", "amount": "0.1"}
OUT = {**MOVE, "from_account": "Kraken", "to_account": "outside", "address": SHOP}
IN = {**MOVE, "from_account": "outside", "to_account": "Kraken", "address": OTHER, "amount": "0.3"}


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


@pytest.fixture
def portfolio(user: User) -> Portfolio:
    found = make_default(user=user)
    post(found, raw_buy(account="Kraken", id="b"), raw_buy(asset="ETH", account="Cold"))
    return found


@pytest.fixture
def path(portfolio: Portfolio) -> str:
    return f"portfolios/{portfolio.pk}"


def held(api: Api, path: str) -> dict[str, str]:
    (row,) = [one for one in body_of(api.get(f"{path}/holdings"))["results"] if one["asset"] == "BTC"]
    return dict(row["accounts"])


def told(path: str, api: Api) -> list[tuple[Any, ...]]:
    rows = body_of(api.get(f"{path}/transactions?asset=BTC"))["results"]
    names = ("type", "amount", "from_account", "to_account", "external_id")
    return sorted(tuple(row.get(name) for name in names) for row in rows if row["external_id"] != "b")


def test_a_payment_is_said_once_and_taken_back(api: Api, portfolio: Portfolio, path: str) -> None:
    again = {**OUT, "id": "w1"}
    post(portfolio, again, {**OUT, "id": "w2", "address": SHOP.lower(), "amount": "0.2"}, kind=BatchKind.IMPORT)
    (asked,) = body_of(api.get(f"{path}/transfers/addresses"))["results"]
    assert (asked["address"], asked["out"], asked["in"], asked["sent"]) == (SHOP.lower(), 2, 0, {"BTC": "0.3"})
    said = {"address": SHOP, "answer": "payment"}
    assert body_of(api.post(f"{path}/transfers/answers/preview", said)) == {
        "applies_to": 2,
        "effect": {},
        "left_to_you": 0,
        "gain": "-12000",  # 0.3 BTC that cost 40,000 each, for nothing as long as no price of that day is known
        "income": "0",
        "unpriced": 2,
        "frozen_years": [],
    }
    made = api.post(f"{path}/transfers/answers", said)
    assert (made.status_code, body_of(made)["address"]) == (201, SHOP.lower())
    assert told(path, api) == [("spend", "0.1", None, None, "w1"), ("spend", "0.2", None, None, "w2")]
    assert body_of(api.get(f"{path}/transfers"))["results"] == []
    assert body_of(api.get(f"{path}/transfers/addresses"))["results"] == []
    assert body_of(api.post(f"{path}/transfers/answers", said))["code"] == "address_answered"
    assert post(portfolio, again, kind=BatchKind.IMPORT).duplicates == 1
    post(portfolio, {**OUT, "id": "w3"}, kind=BatchKind.SYNC)
    assert held(api, path) == {"Kraken": "0.6"}
    assert [row[0] for row in told(path, api)] == ["spend", "spend", "spend"]
    assert Batch.objects.filter(kind=BatchKind.ANSWER).count() == 2
    (answer,) = body_of(api.get(f"{path}/transfers/answers"))["results"]
    first = Batch.objects.filter(kind=BatchKind.ANSWER).earliest("pk")
    undone = api.post(f"{path}/batches/{first.pk}/undo", {"reason": "it was me"})
    assert (undone.status_code, body_of(undone)["state"]) == (200, "undone"), "undoing it takes the answer back"
    assert body_of(api.post(f"{path}/batches/{first.pk}/undo", {}))["code"] == "batch_not_undoable"
    assert [row[:4] for row in told(path, api)] == [
        ("transfer", "0.1", "Kraken", "outside"),
        ("transfer", "0.1", "Kraken", "outside"),
        ("transfer", "0.2", "Kraken", "outside"),
    ]
    assert body_of(api.get(f"{path}/transfers/addresses"))["results"][0]["out"] == 3
    assert post(portfolio, again, kind=BatchKind.IMPORT).duplicates == 1
    assert api.delete(f"{path}/transfers/answers/{answer['id']}").status_code == 404


def test_an_address_of_ones_own_makes_moves_between_accounts(api: Api, portfolio: Portfolio, path: str) -> None:
    done = post(portfolio, {**OUT, "id": "w"}, {**IN, "id": "d", "address": SHOP}, kind=BatchKind.IMPORT)
    said = {"address": SHOP, "answer": "mine", "account": "Cold"}
    assert body_of(api.post(f"{path}/transfers/answers/preview", said))["effect"] == {"BTC": "-0.2"}
    api.post(f"{path}/transfers/answers", said)
    assert held(api, path) == {"Cold": "-0.2", "Kraken": "1.2"}
    assert post(portfolio, {**IN, "id": "d", "address": SHOP}).duplicates == 1
    assert done.batch is not None
    assert api.post(f"{path}/batches/{done.batch.pk}/undo", {}).status_code == 200
    assert held(api, path) == {"Kraken": "1"}
    for wrong in ({**said, "account": "Nowhere"}, {**said, "account": None}, {**said, "address": " "}):
        assert api.post(f"{path}/transfers/answers", wrong).status_code == 422


def test_what_looks_like_a_pair_is_left_to_its_owner(api: Api, portfolio: Portfolio, path: str) -> None:
    late = {**IN, "ts": "2024-02-01T08:00:00Z", "to_account": "Cold", "amount": "0.0995"}
    post(portfolio, OUT, late)
    said = {"address": SHOP, "answer": "payment"}
    assert body_of(api.post(f"{path}/transfers/answers/preview", said))["left_to_you"] == 1
    api.post(f"{path}/transfers/answers", said)
    assert len(body_of(api.get(f"{path}/transfers"))["results"]) == 2


def test_the_page_asks_once_per_address_and_shows_what_was_said(user: User, portfolio: Portfolio) -> None:
    post(portfolio, OUT, {**OUT, "amount": "0.2"})
    client = Client()
    client.force_login(user)
    shown = client.get("/transfers/").content.decode()
    assert SHOP.lower() in shown
    form = {"address": SHOP.lower(), "answer": "gift"}
    foreseen = client.post("/transfers/answer/", {**form, "step": "preview"}).content.decode()
    assert "2 transfers are told anew" in foreseen
    assert "0.7" in foreseen, "what is left of the coins"
    assert not portfolio.address_answers.exists()
    nowhere = {**form, "answer": "mine", "account": "Nowhere", "step": "preview"}
    assert "Name the account" in client.post("/transfers/answer/", nowhere, follow=True).content.decode()
    assert "told anew" in client.post("/transfers/answer/", form, follow=True).content.decode()
    assert Transaction.objects.standing().filter(type="spend").count() == 2
    answer = portfolio.address_answers.get()
    after = client.post(f"/transfers/answers/{answer.pk}/withdraw/", follow=True).content.decode()
    assert "taken back" in after
    assert Transaction.objects.standing().filter(type="spend").count() == 0
    assert client.post("/transfers/answer/", {"answer": "?"}).status_code == 404


# --- By itself --------------------------------------------------------------------------------------------------------
def draft(**fields: object) -> EntryDraft:
    return draft_of({**OUT, **fields}, source="test")


def test_addresses_are_compared_as_their_chain_writes_them() -> None:
    assert address_key(f" {SHOP} ") == SHOP.lower()
    assert address_key("bc1QXY") == "bc1QXY"


@pytest.mark.parametrize(
    ("fields", "whose", "becomes"),
    [
        ({}, Whose.MINE, ("transfer", "Kraken", "Cold", None)),
        ({"from_account": "outside", "to_account": "Kraken"}, Whose.MINE, ("transfer", "Cold", "Kraken", None)),
        ({}, Whose.PAYMENT, ("spend", None, None, None)),
        ({"received": "0.09"}, Whose.GIFT, ("spend", None, None, None)),
        ({"from_account": "outside", "to_account": "Kraken"}, Whose.PAYMENT, ("income", None, None, "payment")),
        ({"from_account": "outside", "to_account": "A", "received": "0.09"}, Whose.GIFT, ("buy", None, None, None)),
    ],
)
def test_what_a_transfer_becomes_by_an_answer(
    fields: dict[str, Any], whose: Whose, becomes: tuple[str | None, ...]
) -> None:
    found = answered(draft(**fields), whose=whose, account="Cold")
    assert found is not None
    assert (found.type.value, found.from_account, found.to_account, found.kind) == becomes


def test_an_account_is_not_its_own_other_side() -> None:
    assert answered(draft(from_account="Cold"), whose=Whose.MINE, account="Cold") is None
    assert answered(draft(), whose=Whose.MINE, account=None) is None
