"""The rules of booking in a portable file: offered to an empty ledger, taken over with it, given back with its undo."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock
from apps.portfolios.actions.policies import choose_timeline
from apps.portfolios.domain.policy import Method, Policy, Scope
from apps.portfolios.domain.timeline import PolicyChange, Timeline
from apps.portfolios.domain.transactions import parse_moment
from apps.portfolios.models import FileImport, Portfolio
from apps.portfolios.queries.portfolios import timeline_of
from apps.portfolios.tests.factories import make_default, make_portfolio, post, raw_buy
from apps.portfolios.tests.test_export import ROWS
from apps.portfolios.tests.test_imports import upload
from apps.portfolios.tests.test_round_trip import booked, exported

pytestmark = pytest.mark.django_db

HIFO = Policy(method=Method.HIFO, scope=Scope.PER_ACCOUNT, long_days=10, alias={"WETH": "ETH"})
CHANGED = Timeline(HIFO, (PolicyChange(parse_moment("2024-03-01T00:00:00Z"), Policy(method=Method.LIFO)),))
UK = Timeline(Policy(method=Method.UK_S104))
CANADA = Timeline(Policy(method=Method.ACB, superficial_window_days=30))


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


def filled(user: User, timeline: Timeline) -> Portfolio:
    portfolio = make_default(user=user)
    cheap, dear = raw_buy(price="10000", id="cheap"), raw_buy(price="90000", id="dear", ts="2024-01-03T00:00:00Z")
    sale = {**raw_buy(price="50000", id="sale", ts="2024-02-03T00:00:00Z"), "type": "sell"}
    assert post(portfolio, *ROWS, cheap, dear, sale).errors == ()
    choose_timeline(user=user, portfolio_id=portfolio.pk, timeline=timeline, now=clock.now())
    return portfolio


@pytest.mark.parametrize("timeline", [CHANGED, UK, CANADA], ids=["changed", "uk", "canada"])
def test_with_its_rules_a_portfolio_comes_back_with_equal_totals(api: Api, user: User, timeline: Timeline) -> None:
    old = filled(user, timeline)
    new = make_portfolio(user=user, name="New")
    preview = body_of(upload(api, f"portfolios/{new.pk}", exported(api, old, "json")))
    assert (preview["rules"]["state"], preview["rules"]["policy"]["method"]) == ("offered", timeline.first.method)
    one = f"portfolios/{new.pk}/imports/{preview['id']}"
    done = body_of(api.post(f"{one}/commit", {"with_policy": True}))
    assert (done["state"], body_of(api.get(one))["rules"]["state"]) == ("committed", "taken")
    assert timeline_of(portfolio=new) == timeline
    assert booked(api, new) == booked(api, old)
    assert json.loads(exported(api, new, "json"))["policy"] == json.loads(exported(api, old, "json"))["policy"]
    assert api.post(f"portfolios/{new.pk}/batches/{done['batch']}/undo", {}).status_code == 200
    assert timeline_of(portfolio=new) == Timeline()


def test_rules_that_were_not_asked_for_stay_in_the_file(api: Api, user: User) -> None:
    text = exported(api, filled(user, CHANGED), "json")
    new = make_portfolio(user=user, name="New")
    path = f"portfolios/{new.pk}"
    first, second, third = (body_of(upload(api, path, text)) for _time in range(3))
    assert body_of(api.post(f"{path}/imports/{first['id']}/commit", {}))["state"] == "committed"
    assert timeline_of(portfolio=new) == Timeline()
    assert body_of(api.get(f"{path}/imports/{first['id']}"))["rules"]["state"] == "not_taken"
    assert body_of(api.get(f"{path}/imports/{second['id']}"))["rules"]["state"] == "ledger_not_empty"
    refused = api.post(f"{path}/imports/{second['id']}/commit", {"with_policy": True})
    assert (refused.status_code, body_of(refused)["code"]) == (409, "policy_not_offered")
    choose_timeline(user=user, portfolio_id=new.pk, timeline=CHANGED, now=clock.now())
    assert body_of(api.get(f"{path}/imports/{third['id']}"))["rules"]["state"] == "same"
    bare = json.dumps({"transactions": [raw_buy()]})
    assert body_of(upload(api, path, bare))["rules"] is None


def test_bad_rules_keep_nobody_from_the_transactions(api: Api, user: User) -> None:
    new = make_portfolio(user=user, name="New")
    text = json.dumps({"policy": {"method": "dice"}, "transactions": [raw_buy()]})
    found = body_of(upload(api, f"portfolios/{new.pk}", text))
    assert (found["new"], found["rules"]["state"]) == (1, "unreadable")
    assert "method is one of" in found["rules"]["problem"]


def test_the_page_offers_them_with_what_they_change(api: Api, user: User) -> None:
    old = filled(user, CHANGED)
    text = exported(api, old, "json")
    new = make_portfolio(user=user, name="New")
    client = Client()
    client.force_login(user)
    found = body_of(upload(api, f"portfolios/{new.pk}", text))
    page: Any = client.get(f"/imports/{found['id']}/")
    shown = page.content.decode()
    assert "Take over the rules of the file" in shown
    assert "HIFO: the dearest coins leave first" in shown
    now, then = page.context["offer"].gains
    assert (now > then, then) == (True, Decimal(booked(api, old)["realised_total"]))
    client.post(f"/imports/{found['id']}/commit/", {"with_policy": "1"})
    assert timeline_of(portfolio=new) == CHANGED
    again = body_of(upload(api, f"portfolios/{new.pk}", exported(api, make_default(user=user), "json")))
    assert "already" in client.get(f"/imports/{again['id']}/").content.decode()
    choose_timeline(user=user, portfolio_id=new.pk, timeline=UK, now=clock.now())
    assert "not offered, because" in client.get(f"/imports/{again['id']}/").content.decode()
    client.post(f"/imports/{found['id']}/undo/", {})
    assert timeline_of(portfolio=new) == UK, "what was chosen since stays"
    assert FileImport.objects.get(pk=found["id"]).former_rules is None
