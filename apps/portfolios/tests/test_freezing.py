"""Frozen tax years: what was frozen stays, what the ledger has otherwise is shown, and there are two ways out."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from apps.accounts.models import AuditEntry, User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock, money
from apps.portfolios import actions
from apps.portfolios.actions.policies import choose_policy
from apps.portfolios.domain.policy import Method, Policy
from apps.portfolios.models import Batch, Portfolio
from apps.portfolios.models.frozen import FrozenYear
from apps.portfolios.tests.factories import make_default, make_portfolio, post, raw_buy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

DUST = "1.000000000000000001"
EARLY = raw_buy(amount=DUST, value="20000", ts="2022-03-01T00:00:00Z", id="early")
LATE = raw_buy(amount="1", value="30000", ts="2023-03-01T00:00:00Z", id="late")
SALE = raw_buy(type="sell", amount="0.5", value="40000", price=None, ts="2024-06-01T00:00:00Z", id="sale")
STAKED = raw_buy(type="income", amount="0.1", value="5000", kind="staking", ts="2024-07-01T00:00:00Z", id="staked")
#: A purchase of a sync that comes late, older than all others: the lots of every sale change.
OLDER = raw_buy(amount="1", value="1000", ts="2021-01-01T00:00:00Z", id="older")


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


@pytest.fixture
def portfolio(user: User) -> Portfolio:
    found = make_default(user=user)
    post(found, EARLY | {"price": None}, LATE | {"price": None}, SALE, STAKED | {"price": None})
    return found


@pytest.fixture
def path(portfolio: Portfolio) -> str:
    return f"portfolios/{portfolio.pk}"


@pytest.fixture
def client(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def figures(body: dict[str, Any]) -> tuple[object, ...]:
    """Return what a year may not change any more."""
    return body["disposals"], body["income"], body["realised_total"], body["income_total"], body["policy"]


def codes(body: dict[str, Any]) -> dict[str, int]:
    """Return the issues of an answer with their counts."""
    return {one["code"]: one["count"] for one in body["completeness"]["issues"]}


def test_a_frozen_year_stays_and_what_comes_later_is_a_difference(api: Api, portfolio: Portfolio, path: str) -> None:
    before = body_of(api.get(f"{path}/gains?year=2024"))
    assert before["frozen"] is None
    made = api.post(f"{path}/frozen-years", {"year": 2024, "note": "As filed"})
    assert (made.status_code, body_of(made)["totals"]["realised_total"]) == (201, before["realised_total"])
    frozen = body_of(api.get(f"{path}/gains?year=2024"))
    assert figures(frozen) == figures(before)
    assert (frozen["frozen"]["differs"], frozen["frozen"]["note"]) == (False, "As filed")
    assert "frozen_year_differs" not in codes(frozen)

    batch = post(portfolio, OLDER | {"price": None}).batch
    portfolio.refresh_from_db()
    later = body_of(api.get(f"{path}/gains?year=2024"))
    assert figures(later) == figures(before)
    assert later["input_hash"] == frozen["input_hash"]
    difference = later["frozen"]["difference"]
    assert (difference["came"], difference["went"], difference["changed"]) == (0, 0, 1)
    assert difference["rows"][0]["frozen"] == before["disposals"][0]["gain"]
    assert (difference["rows"][0]["today"], difference["totals"]["realised_total"]["today"]) == ("39500", "39500")
    assert codes(later)["frozen_year_differs"] == 1
    assert codes(body_of(api.get(f"{path}/holdings")))["frozen_year_differs"] == 1
    other = body_of(api.get(f"{path}/gains?year=2024&method=lifo"))
    assert (other["frozen"], other["realised_total"]) == (None, "25000")

    assert batch is not None
    actions.undo_batch(user=portfolio.owner, batch_id=batch.pk, now=clock.now())
    back = body_of(api.get(f"{path}/gains?year=2024"))
    assert back["frozen"]["differs"] is False
    assert codes(body_of(api.get(f"{path}/holdings"))).get("frozen_year_differs") is None


def test_every_way_a_ledger_changes_is_seen(api: Api, user: User, portfolio: Portfolio, path: str) -> None:
    api.post(f"{path}/frozen-years", {"year": 2024})
    staked = portfolio.transactions.get(external_id="staked")
    actions.reverse_transaction(user=user, transaction_id=staked.pk, now=clock.now())
    gone = body_of(api.get(f"{path}/frozen-years/2024"))
    assert (gone["differs"], gone["input_changed"]) == (True, True)
    assert [(row["part"], row["change"]) for row in gone["difference"]["rows"]] == [("income", "went")]
    assert gone["difference"]["moved"] == "-5000"

    post(portfolio, STAKED | {"price": None, "id": "told-anew"})
    told_anew = body_of(api.get(f"{path}/frozen-years/2024"))
    assert (told_anew["differs"], told_anew["input_changed"]) == (False, True)

    choose_policy(user=user, portfolio_id=portfolio.pk, policy=Policy(method=Method.LIFO), now=clock.now())
    ruled = body_of(api.get(f"{path}/gains?year=2024"))
    kept = body_of(api.get(f"{path}/frozen-years"))["results"][0]["totals"]
    assert (ruled["policy"]["method"], ruled["realised_total"]) == ("fifo", kept["realised_total"])
    assert ruled["frozen"]["difference"]["totals"]["realised_total"]["today"] == "25000"
    assert body_of(api.get(f"{path}/gains?year=2023"))["frozen"] is None


def test_both_ways_out_keep_the_trail(api: Api, user: User, portfolio: Portfolio, path: str) -> None:
    api.post(f"{path}/frozen-years", {"year": 2024})
    refused = api.post(f"{path}/frozen-years", {"year": 2024})
    assert (refused.status_code, body_of(refused)["code"]) == (409, "year_frozen")
    same = body_of(api.post(f"{path}/frozen-years/2024/accept", {}))
    assert FrozenYear.objects.count() == 1
    post(portfolio, OLDER | {"price": None})
    anew = body_of(api.post(f"{path}/frozen-years/2024/accept", {"reason": "Amended return"}))
    assert anew["result_hash"] != same["result_hash"]
    detail = body_of(api.get(f"{path}/frozen-years/2024"))
    assert detail["differs"] is False
    assert [(row["state"], row["reason"]) for row in detail["trail"]] == [
        ("frozen", ""),
        ("replaced", "Amended return"),
    ]
    assert api.post(f"{path}/frozen-years/2024/unlock", {"reason": " "}).status_code == 422
    assert body_of(api.post(f"{path}/frozen-years/2024/unlock", {"reason": "Filed by mistake"}))["state"] == "unlocked"
    assert body_of(api.get(f"{path}/gains?year=2024"))["frozen"] is None
    for way in ("accept", "unlock"):
        assert api.post(f"{path}/frozen-years/2024/{way}", {"reason": "Why"}).status_code == 404
    assert api.get(f"{path}/frozen-years/2024").status_code == 404
    log = list(AuditEntry.objects.filter(actor=user, target=str(portfolio.pk)).order_by("id"))
    assert [one.action for one in log] == ["tax_year.frozen", "tax_year.frozen_anew", "tax_year.unlocked"]
    assert log[1].detail["former_result_hash"] == same["result_hash"]


def test_what_is_missing_has_to_be_accepted_and_a_year_to_be_over(api: Api, portfolio: Portfolio, path: str) -> None:
    post(
        portfolio,
        raw_buy(type="sell", asset="ETH", value="3000", price=None, ts="2024-02-01T00:00:00Z"),
        {"ts": "2024-03-01T00:00:00Z", "type": "transfer", "asset": "BTC", "amount": "0.1",
         "from_account": "default", "to_account": "outside"},
    )  # fmt: skip
    refused = api.post(f"{path}/frozen-years", {"year": 2024})
    assert (refused.status_code, body_of(refused)["code"]) == (409, "year_has_open_issues")
    assert {one["code"] for one in body_of(refused)["errors"]} == {"missing_acquisition", "unmatched_transfer"}
    made = body_of(api.post(f"{path}/frozen-years", {"year": 2024, "accept_issues": True}))
    assert made["accepted_issues"] == [
        {"code": "missing_acquisition", "count": 1},
        {"code": "unmatched_transfer", "count": 1},
    ]
    assert api.post(f"{path}/frozen-years", {"year": 2023}).status_code == 201
    early = api.post(f"{path}/frozen-years", {"year": clock.now().year})
    assert (early.status_code, body_of(early)["code"]) == (409, "year_not_over")


def test_the_database_keeps_what_was_frozen(api: Api, portfolio: Portfolio, path: str) -> None:
    api.post(f"{path}/frozen-years", {"year": 2024})
    row = FrozenYear.objects.get()
    for change in ({"input_hash": "x"}, {"at": datetime(2025, 1, 1, tzinfo=UTC)}, {"body": b""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            FrozenYear.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.delete()
    Portfolio.objects.filter(pk=portfolio.pk).delete()
    assert not FrozenYear.objects.exists()


def test_the_page_shows_what_is_frozen_and_what_differs(client: Client, user: User, portfolio: Portfolio) -> None:
    page = reverse("portfolios:tax_year", args=[2024])
    assert "Freeze 2024" in client.get(page).text
    client.post(reverse("portfolios:freeze_year", args=[2024]))
    post(portfolio, OLDER | {"price": None})
    shown = client.get(page)
    frozen = FrozenYear.objects.standing().get(portfolio=portfolio)
    assert money.plain(shown.context["page"].realised) == frozen.totals["realised_total"]
    for words in ("2024 is frozen", "The ledger has this year otherwise today", "Accept today", "$39,500.00"):
        assert words in shown.text, words
    assert client.get(reverse("portfolios:tax_differences"))["Location"] == page
    end = client.get(reverse("portfolios:tax_year_end", args=[2024]))
    assert [row["asset"] for row in end.context["found"]["today"]] == ["BTC"]
    client.post(reverse("portfolios:unlock_year", args=[2024]), {"reason": "Mistake"})
    assert "The ledger has this year otherwise" not in client.get(page).text
    assert "Mistake" in client.get(page).text

    stranger = make_portfolio()
    browser = Client()
    browser.force_login(stranger.owner)
    assert browser.post(reverse("portfolios:unlock_year", args=[2024]), {"reason": "Mine"}).status_code == 404
    assert Batch.objects.exclude(portfolio=portfolio).count() == 0


def test_what_would_change_a_frozen_year_says_so_before_and_is_not_refused(
    api: Api, client: Client, user: User, portfolio: Portfolio, path: str
) -> None:
    api.post(f"{path}/frozen-years", {"year": 2024})
    typed = {"template": "buy", "step": "preview", "asset": "BTC", "amount": "1", "value": "1", "account": "default"}
    old, new = ({**typed, "at": f"{year}-01-01T00:00"} for year in (2021, 2026))
    preview = reverse("portfolios:new_transaction")
    htmx = {"HX-Request": "true"}
    assert client.post(preview, old, headers=htmx).context["effect"].frozen == (2024,)
    assert "This changes the frozen year 2024" in client.post(preview, old, headers=htmx).text
    assert client.post(preview, new, headers=htmx).context["effect"].frozen == ()
    harmless = {**old, "asset": "ETH"}
    assert client.post(preview, harmless, headers=htmx).context["effect"].frozen == ()

    table = b"ts,type,asset,amount,value,account\n2021-01-01,buy,BTC,1,1000,default\n"
    row = actions.preview_import(portfolio=portfolio, data=table, by=user, now=clock.now())
    page = reverse("portfolios:import", args=[row.pk])
    assert "Booking this changes the frozen year 2024" in client.get(page).text
    assert body_of(api.get(f"{path}/imports/{row.pk}"))["frozen_years"] == [2024]
    actions.commit_import(user=user, import_id=row.pk, now=clock.now())
    assert body_of(api.get(f"{path}/gains?year=2024"))["frozen"]["differs"]
    undoing = client.get(page)
    assert "Undoing this would change the frozen year 2024" in undoing.text
    row.refresh_from_db()
    batch = body_of(api.get(f"{path}/batches/{row.batch_id}"))
    assert batch["frozen_years"] == [2024]
    assert "not as the ledger has it today" in client.get(reverse("portfolios:reconciliation")).text

    posted = body_of(api.post(f"{path}/transactions", {**OLDER, "price": None, "id": "older-still"}))
    assert (posted["posted"], posted["frozen_years"]) == (1, [2024])
    assert body_of(api.post(f"{path}/transactions", raw_buy(ts="2025-03-01T00:00:00Z")))["frozen_years"] == []
