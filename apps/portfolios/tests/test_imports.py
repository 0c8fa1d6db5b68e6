"""Imports over REST: a file is shown first, committed whole or without its bad lines, and undone."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.portfolios.models import FileImport, Transaction
from apps.portfolios.tests.factories import make_default, post, raw_buy

pytestmark = pytest.mark.django_db

TINY = "1.000000000000000001"
GOOD = f"""ts,type,asset,amount,price,id
2024-01-01T00:00:00Z,buy,BTC,{TINY},40000,a
2024-01-02T00:00:00Z,buy,ETH,2,2000,b
"""
BAD = "2024-01-03T00:00:00Z,buy,ETH,zwei,2000,c\n2024-01-04T00:00:00Z,gift,ETH,1,1,d\nsoon,buy,ETH,1,1,e\n"


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


@pytest.fixture
def path(user: User) -> str:
    return f"portfolios/{make_default(user=user).pk}"


def upload(api: Api, path: str, text: str, **fields: Any) -> HttpResponse:
    """Send a file as a browser does."""
    data = {"file": SimpleUploadedFile("my.csv", text.encode()), **fields}
    headers = {"Authorization": f"Bearer {api.token}"}
    answer: Any = Client().post(f"/api/v1/{path}/imports", data, headers=headers)
    return answer  # type: ignore[no-any-return]


def test_a_file_is_shown_committed_and_undone(api: Api, path: str) -> None:
    preview = body_of(upload(api, path, GOOD, account="Ledger"))
    assert {name: preview[name] for name in ("state", "format", "rows", "new", "duplicates", "errors", "batch")} == {
        "state": "preview",
        "format": "generic",
        "rows": 2,
        "new": 2,
        "duplicates": 0,
        "errors": [],
        "batch": None,
    }
    assert preview["effect"] == {"BTC": TINY, "ETH": "2"}
    assert not Transaction.objects.exists()
    one = f"{path}/imports/{preview['id']}"
    done = body_of(api.post(f"{one}/commit", {}))
    assert (done["state"], done["posted"]) == ("committed", 2)
    rows = body_of(api.get(f"{path}/transactions?batch={done['batch']}"))["results"]
    assert [(row["amount"], row["account"], row["source"]) for row in rows] == [
        ("2", "Ledger", "generic"),
        (TINY, "Ledger", "generic"),
    ]
    assert body_of(api.post(f"{one}/commit", {}))["code"] == "import_not_open"
    for _time in range(2):
        again = body_of(upload(api, path, GOOD, account="Ledger"))
        assert (again["new"], again["duplicates"], again["effect"]) == (0, 2, {})
        repeated = body_of(api.post(f"{path}/imports/{again['id']}/commit", {}))
        assert (repeated["posted"], repeated["batch"]) == (0, None)
    undone = body_of(api.post(f"{one}/undo", {"reason": "Wrong account"}))
    assert undone["state"] == "undone"
    assert body_of(api.get(f"{path}/transactions"))["results"] == []
    assert body_of(upload(api, path, GOOD, account="Ledger"))["new"] == 2
    assert [row["state"] for row in body_of(api.get(f"{path}/imports"))["results"]][-1] == "undone"


def test_bad_lines_are_named_and_nothing_is_half_imported(api: Api, path: str) -> None:
    preview = body_of(upload(api, path, GOOD + BAD))
    assert [one["line"] for one in preview["errors"]] == [4, 5, 6]
    assert all(one["message"] for one in preview["errors"])
    one = f"{path}/imports/{preview['id']}"
    refused = api.post(f"{one}/commit", {})
    assert (refused.status_code, body_of(refused)["code"]) == (409, "import_has_errors")
    assert not Transaction.objects.exists()
    assert body_of(api.post(f"{one}/commit", {"skip_errors": True}))["posted"] == 2


def test_a_file_that_is_none_is_refused(api: Api, path: str) -> None:
    for text in ("", "just words", "a,b\n1,2\n"):
        answer = upload(api, path, text)
        assert (answer.status_code, body_of(answer)["code"]) == (422, "file_refused")
    assert upload(api, path, GOOD, format="word").status_code == 422
    wrong = upload(api, path, GOOD, mapping='{"columns": {"nothing": "ts"}}')
    assert (wrong.status_code, body_of(wrong)["errors"][0]["field"]) == (422, "mapping")
    deep = upload(api, path, GOOD, mapping="[" * 100_000)
    assert (deep.status_code, body_of(deep)["errors"][0]["field"]) == (422, "mapping")
    assert api.post(f"{path}/imports", {}).status_code == 415


def test_columns_can_be_named(api: Api, path: str) -> None:
    text = "When;What;Coin;How many;Total\n03.01.2024 12:00;Kauf;BTC;1,5;60.000,00\n"
    mapping = (
        '{"columns": {"ts": "When", "type": "What", "asset": "Coin", "amount": "How many", "value": "Total"},'
        ' "kinds": {"Kauf": "buy"}, "numbers": "comma", "time_zone": "Europe/Berlin"}'
    )
    preview = body_of(upload(api, path, text, mapping=mapping))
    assert (preview["errors"], preview["effect"]) == ([], {"BTC": "1.5"})
    api.post(f"{path}/imports/{preview['id']}/commit", {})
    (row,) = body_of(api.get(f"{path}/transactions"))["results"]
    assert (row["ts"], row["value"]) == ("2024-01-03T11:00:00Z", "60000")


def test_an_export_comes_back_as_a_file(api: Api, path: str, user: User) -> None:
    portfolio = make_default(user=user)
    post(portfolio, raw_buy(id="a", amount=TINY), raw_buy(asset="ETH"))
    answer: Any = api.get(f"{path}/export?format=json")
    text = b"".join(answer.streaming_content).decode()
    assert body_of(upload(api, path, text))["duplicates"] == 2
    other = body_of(api.post("portfolios", {"name": "Other"}))["id"]
    assert body_of(upload(api, f"portfolios/{other}", text))["effect"] == {"BTC": TINY, "ETH": "1"}


def test_an_export_is_the_same_in_either_form_and_stays_in_its_money(api: Api) -> None:
    euro = body_of(api.post("portfolios", {"name": "Euro", "currency": "EUR"}))["id"]
    rows = [raw_buy(id="a", fee="1", fee_asset="EUR"), raw_buy(asset="ETH")]
    api.post(f"portfolios/{euro}/transactions", rows)
    table, portable = (
        b"".join(api.get(f"portfolios/{euro}/export?format={form}").streaming_content).decode()  # type: ignore[attr-defined]
        for form in ("csv", "json")
    )
    second = body_of(api.post("portfolios", {"name": "Second", "currency": "EUR"}))["id"]
    preview = body_of(upload(api, f"portfolios/{second}", portable))
    api.post(f"portfolios/{second}/imports/{preview['id']}/commit", {})
    again = body_of(upload(api, f"portfolios/{second}", table))
    assert (again["new"], again["duplicates"], again["errors"]) == (0, 2, [])
    dollars = body_of(api.post("portfolios", {"name": "Dollars"}))["id"]
    refused = upload(api, f"portfolios/{dollars}", portable)
    assert (refused.status_code, "EUR" in body_of(refused)["detail"]) == (422, True)


def test_previews_are_bounded(api: Api, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.portfolios.actions.imports.MOST_PREVIEWS", 2)
    for _time in range(4):
        upload(api, path, GOOD)
    assert FileImport.objects.count() == 2
