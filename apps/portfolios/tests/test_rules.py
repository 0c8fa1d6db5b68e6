"""The rules of a portfolio over time: read, previewed and saved over REST and on the page, and heeded by readers."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock
from apps.core.errors import InvalidError
from apps.portfolios import actions, queries
from apps.portfolios.actions.policies import choose_policy, choose_timeline
from apps.portfolios.domain.booking import book
from apps.portfolios.domain.policy import Method, Policy, Scope
from apps.portfolios.domain.result import as_portable
from apps.portfolios.domain.timeline import PolicyChange, Timeline, parse_timeline
from apps.portfolios.domain.transactions import microseconds, parse_entry
from apps.portfolios.models import BookedResult, PolicyPeriod, Portfolio
from apps.portfolios.queries.method_lab import method_lab
from apps.portfolios.queries.portfolios import timeline_of
from apps.portfolios.tests.factories import make_default, post, raw_buy

pytestmark = pytest.mark.django_db

NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)
CHANGE = {"from": "2025-01-01T00:00:00Z", "policy": {"scope": "per_account"}}
PER_ACCOUNT = Timeline(Policy(), (PolicyChange(microseconds(NEW_YEAR), Policy(scope=Scope.PER_ACCOUNT)),))


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


@pytest.fixture
def client(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


@pytest.fixture
def portfolio(user: User) -> Portfolio:
    """A ledger of three exchanges: one sale in 2024, and one in 2025 whose cost depends on the rules."""
    made = make_default(user=user)
    post(
        made,
        raw_buy(ts="2024-07-01T00:00:00Z", price="10000", account="A"),
        raw_buy(ts="2024-08-01T00:00:00Z", price="20000", account="B"),
        raw_buy(ts="2024-09-01T00:00:00Z", price="30000", account="C"),
        raw_buy(ts="2024-10-01T00:00:00Z", price="40000", account="C", type="sell"),
        raw_buy(ts="2025-02-01T00:00:00Z", price="50000", account="B", type="sell"),
    )
    return made


@pytest.fixture
def path(portfolio: Portfolio) -> str:
    return f"portfolios/{portfolio.pk}"


def gains_of(api: Api, path: str, query: str = "") -> list[str]:
    return [body_of(api.get(f"{path}/gains?year={year}{query}"))["realised_total"] for year in (2024, 2025)]


def test_rules_that_change_are_previewed_saved_and_heeded(api: Api, portfolio: Portfolio, path: str) -> None:
    wanted = {"policy": {"method": "fifo"}, "changes": [CHANGE]}
    preview = body_of(api.post(f"{path}/policy/preview", wanted))
    assert preview["years"] == [
        {"year": 2025, "before": "30000", "after": "20000", "frozen": None},
        {"year": 2024, "before": "30000", "after": "30000", "frozen": None},
    ]
    assert (preview["changes"], preview["cost_left"]) == (True, {"before": "30000", "after": "20000"})
    assert body_of(api.get(f"{path}/policy"))["changes"] == []
    saved = api.put(f"{path}/policy", wanted)
    assert saved.status_code == 200
    assert body_of(saved) == body_of(api.get(f"{path}/policy"))
    assert [one["policy"]["scope"] for one in body_of(saved)["changes"]] == ["per_account"]
    assert gains_of(api, path) == ["30000", "20000"]
    assert gains_of(api, path, "&scope=universal") == ["30000", "30000"]
    lots = body_of(api.get(f"{path}/lots"))
    assert (lots["remaining_cost"], lots["policy"]["scope"]) == ({"A:BTC": "20000"}, "per_account")
    assert [one["from"] for one in lots["policy_changes"]] == ["2025-01-01T00:00:00Z"]
    year = body_of(api.get(f"{path}/gains?year=2024"))
    assert (year["policy"]["scope"], year["policy_changes"]) == ("universal", [])
    before = body_of(api.get(f"{path}/holdings?as_of=2024-12-31T00:00:00Z"))["results"][0]
    assert (before["amount"], before["cost_basis"]) == ("2", "50000")
    lab = method_lab(portfolio=portfolio, own=timeline_of(portfolio=portfolio), year=2025)
    assert [(row.changing, int(row.realised)) for row in lab if row.is_own] == [(True, 20_000)]
    assert len(lab) == 1 + len({(row.policy.method, row.policy.scope) for row in lab})
    api.put(f"{path}/policy", {"policy": {}})
    assert gains_of(api, path) == ["30000", "30000"]


def test_the_same_rules_change_nothing_and_one_policy_is_a_timeline(user: User, portfolio: Portfolio) -> None:
    now = clock.now()
    choose_timeline(user=user, portfolio_id=portfolio.pk, timeline=PER_ACCOUNT, now=now)
    portfolio.refresh_from_db()
    version = portfolio.version
    choose_timeline(user=user, portfolio_id=portfolio.pk, timeline=PER_ACCOUNT, now=now)
    portfolio.refresh_from_db()
    assert (portfolio.version, PolicyPeriod.objects.filter(portfolio=portfolio).count()) == (version, 2)
    own = actions.ensure_booked(portfolio=portfolio, now=now)
    same = actions.ensure_booked(portfolio=portfolio, policy=Policy(scope=Scope.PER_ACCOUNT), now=now)
    assert (own.is_own, same.is_own, own.policy_hash == same.policy_hash) == (True, False, False)
    assert queries.policy_of(portfolio=portfolio, at=datetime(2024, 1, 1, tzinfo=UTC)).scope is Scope.UNIVERSAL
    choose_policy(user=user, portfolio_id=portfolio.pk, policy=Policy(method=Method.LIFO), now=now)
    portfolio.refresh_from_db()
    assert actions.ensure_booked(portfolio=portfolio, now=now).policy["method"] == "lifo"
    assert BookedResult.objects.filter(portfolio=portfolio, is_own=True).count() == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([CHANGE, CHANGE], "change_twice"),
        ([{**CHANGE, "from": "2999-01-01"}], "change_in_the_future"),
        ([{**CHANGE, "policy": {"method": "uk_s104", "scope": "per_account"}}], "policy_refused"),
        ([{"policy": {}}], "changes_invalid"),
        ([{**CHANGE, "from": "tomorrow"}], "change_moment_invalid"),
    ],
)
def test_changes_that_cannot_be_are_refused(api: Api, path: str, changes: list[Any], code: str) -> None:
    for answer in (
        api.post(f"{path}/policy/preview", {"policy": {}, "changes": changes}),
        api.put(f"{path}/policy", {"policy": {}, "changes": changes}),
    ):
        assert (answer.status_code, body_of(answer)["errors"][0]["code"]) == (422, code)
    assert api.put(f"{path}/policy", {"policy": {}, "changes": ["x"]}).status_code == 422


def test_an_opening_balance_needs_a_pool_at_its_moment(user: User, portfolio: Portfolio) -> None:
    opening = {"type": "pool_opening", "ts": "2025-03-01T00:00:00Z", "asset": "ETH", "amount": "1", "value": "1"}
    post(portfolio, opening)
    with pytest.raises(InvalidError) as caught:
        choose_timeline(user=user, portfolio_id=portfolio.pk, timeline=PER_ACCOUNT, now=clock.now())
    assert caught.value.problems[0].code == "opening_without_pool"
    pooled = Timeline(Policy(), (PolicyChange(microseconds(NEW_YEAR), Policy(method=Method.ACB)),))
    choose_timeline(user=user, portfolio_id=portfolio.pk, timeline=pooled, now=clock.now())


def test_an_export_tells_the_rules_and_books_the_same(api: Api, user: User, portfolio: Portfolio, path: str) -> None:
    assert "policy_changes" not in json.loads(b"".join(queries.export_json(portfolio=portfolio)))
    choose_timeline(user=user, portfolio_id=portfolio.pk, timeline=PER_ACCOUNT, now=clock.now())
    file = json.loads(b"".join(queries.export_json(portfolio=portfolio)))
    timeline = parse_timeline(file["policy"], file["policy_changes"])
    assert timeline == PER_ACCOUNT
    entries = [parse_entry(row, index=place) for place, row in enumerate(file["transactions"])]
    told, booked = as_portable(book(entries, timeline)), body_of(api.get(f"{path}/lots"))
    assert {name: booked[name] for name in ("remaining_cost", "realised_total", "holdings")} == {
        name: told[name] for name in ("remaining_cost", "realised_total", "holdings")
    }


def test_a_pool_that_became_lots_is_shown_like_any_lot(client: Client, user: User, portfolio: Portfolio) -> None:
    change = PolicyChange(microseconds(NEW_YEAR), Policy())
    timeline = Timeline(Policy(method=Method.ACB), (change,))
    choose_timeline(user=user, portfolio_id=portfolio.pk, timeline=timeline, now=clock.now())
    for address in (
        reverse("portfolios:holding", args=["BTC"]),
        reverse("portfolios:tax_year", args=[2025]),
        reverse("portfolios:tax_year", args=[2024]),
        reverse("portfolios:tax_lab", args=[2025]),
        reverse("portfolios:tax_file", args=[2025, "8949"]),
        reverse("portfolios:overview"),
    ):
        assert client.get(address).status_code == 200, address
    [disposal] = client.get(reverse("portfolios:tax_year", args=[2025])).context["page"].disposals
    assert [(piece.acquired_at, piece.cost, piece.term) for piece in disposal.pieces] == [(NEW_YEAR, 20_000, "short")]


# --- The page ---------------------------------------------------------------------------------------------------------
def test_the_page_changes_rules_at_a_date_and_takes_that_back(client: Client, portfolio: Portfolio) -> None:
    address = reverse("portfolios:settings")
    new = client.get(address, {"period": "new"}).context
    assert [period.name for period in new["asked"].periods] == ["first"]
    rules = {name: value for name, value in new["form"].initial.items() if name not in {"alias", "hifo_excl_fee"}}
    change = {**rules, "period": "new", "scope": "per_account", "from_at": "2025-01-01T00:00"}
    preview = client.post(address, change, headers={"HX-Request": "true"}).context["found"]
    assert [(one.year, one.before, one.after) for one in preview.years] == [
        (2025, 30_000, 20_000),
        (2024, 30_000, 30_000),
    ]
    assert client.post(address, {**change, "step": "save"}).status_code == 302
    page = client.get(address)
    assert [period.from_at for period in page.context["asked"].periods] == [None, NEW_YEAR]
    assert page.context["form"].initial["from_at"] == "2025-01-01T00:00:00"
    assert "each account alone" in page.text
    first = client.get(address, {"period": "first"}).context["form"]
    assert ("from_at" in first.fields, first.initial["scope"]) == (False, "universal")

    again = client.post(address, change)
    assert (again.status_code, "begin at this moment already" in again.text) == (422, True)
    for moment, said in (("2999-01-01T00:00", "Choose an earlier one"), ("soon", "Enter a date and a time")):
        refused = client.post(address, {**change, "from_at": moment})
        assert (refused.status_code, said in refused.text) == (422, True)
    shown = page.context["asked"].shown.name
    moved = {**change, "period": shown, "from_at": "2025-03-01T00:00", "step": "save"}
    assert client.post(address, moved).status_code == 302
    [_, period] = client.get(address).context["asked"].periods
    assert period.from_at == datetime(2025, 3, 1, tzinfo=UTC)

    assert client.post(address, {"period": shown, "remove": "save"}).status_code == 404
    found = client.post(address, {"period": period.name, "remove": "preview", "long_days": "x"})
    assert (found.status_code, found.context["asked"].removes, "Remove the change" in found.text) == (200, True, True)
    assert 'value="2025-03-01T00:00:00"' in found.text
    assert client.post(address, {"period": period.name, "remove": "save"}).status_code == 302
    assert [one.name for one in client.get(address).context["asked"].periods] == ["first"]
