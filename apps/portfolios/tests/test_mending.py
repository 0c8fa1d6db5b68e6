"""Mending what is missing in its place: filled in, its effect seen before, booked with one confirmation."""

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import make_user
from apps.core import clock
from apps.portfolios import actions
from apps.portfolios.actions.policies import choose_policy
from apps.portfolios.domain.policy import Policy, Scope
from apps.portfolios.models import Portfolio, Transaction
from apps.portfolios.queries.mending import Gap, Side, What, worth_at
from apps.portfolios.tests.factories import make_default, post, raw_buy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

SALE = {"type": "sell", "asset": "SOL", "amount": "3", "price": "50", "account": "Kraken"}
OUT = {"type": "transfer", "asset": "BTC", "amount": "1", "from_account": "Kraken", "to_account": "outside"}
CAME = {"type": "transfer", "asset": "BTC", "amount": "0.97", "from_account": "outside", "to_account": "Ledger"}


@pytest.fixture
def person() -> User:
    return make_user()


@pytest.fixture
def portfolio(person: User) -> Portfolio:
    return make_default(user=person)


@pytest.fixture
def client(person: User) -> Client:
    browser = Client()
    browser.force_login(person)
    return browser


def address(**asked: object) -> str:
    return f"{reverse('portfolios:mend')}?{urlencode(asked)}"


def filled(page: Any, **typed: str) -> dict[str, str]:
    """Return what the form would send as it stands, with what was typed."""
    initial = page.context["form"].initial
    return {**{name: str(value) for name, value in initial.items()}, **typed}


def missing_now(portfolio: Portfolio) -> list[tuple[str, str]]:
    portfolio.refresh_from_db()
    booked = actions.read_lots(portfolio=portfolio, policy=None, now=clock.now())
    return [(row["asset"], row["missing"]) for row in booked["missing"]]


def test_coins_without_a_purchase_get_one(
    client: Client, portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.portfolios.views.mending.worth_at", lambda **_facts: Decimal(120))
    sale = post(portfolio, raw_buy(**SALE)).ids[0]
    listed = client.get(reverse("portfolios:reconciliation")).text
    where = address(what="missing", tx=sale, asset="SOL", account="Kraken")
    assert f"what=missing&amp;tx={sale}&amp;asset=SOL" in listed
    page = client.get(where)
    told = page.context["form"].initial
    assert (page.context["case"].way, told["amount"], told["account"], told["value"]) == (
        "opening",
        "3",
        "Kraken",
        "120",
    )
    assert told["at"] == "2024-01-01T12:00:00"
    assert page.context["effect"].missing == -3
    assert page.context["effect"].gain == -120
    assert "of what was missing is accounted for" in page.text
    preview = client.post(where, filled(page, value="30", step="preview"), headers={"HX-Request": "true"})
    assert "<html" not in preview.text
    assert preview.context["effect"].gain == -30
    assert missing_now(portfolio) == [("SOL", "3")]
    done = client.post(where, filled(page, value="30", step="post"), follow=True)
    assert "It is mended" in done.text
    assert missing_now(portfolio) == []
    assert "mended already" in client.get(where, follow=True).text
    assert Transaction.objects.get(portfolio=portfolio, type="buy").value == 30


@pytest.mark.parametrize(("way", "entry_type"), [("gift_in", "buy"), ("income", "income")])
def test_they_were_a_gift_or_income(client: Client, portfolio: Portfolio, way: str, entry_type: str) -> None:
    sale = post(portfolio, raw_buy(**SALE)).ids[0]
    where = address(what="missing", tx=sale, asset="SOL", account="Kraken", way=way)
    page = client.get(where)
    refused = client.post(where, filled(page, value="5", amount="0", step="post"))
    assert (refused.status_code, "above zero" in refused.text) == (422, True)
    client.post(where, filled(page, value="5", step="post"))
    row = Transaction.objects.get(portfolio=portfolio, type=entry_type)
    assert (str(row.amount), str(row.value), row.account.name) == ("3", "5", "Kraken")
    assert missing_now(portfolio) == []


def test_they_came_from_an_own_account(client: Client, portfolio: Portfolio) -> None:
    sale = {**SALE, "asset": "BTC", "amount": "0.9", "account": "Ledger", "ts": "2024-03-01T00:00:00Z"}
    done = post(portfolio, raw_buy(account="Kraken"), {**OUT, "ts": "2024-02-01T00:00:00Z"}, raw_buy(**sale))
    per_account(portfolio)
    assert missing_now(portfolio) == [("BTC", "0.9")]
    where = address(what="missing", tx=done.ids[2], asset="BTC", account="Ledger")
    page = client.get(where)
    assert (page.context["case"].way, page.context["effect"].missing) == ("match", Decimal("-0.9"))
    client.post(where, {"pair": page.context["case"].pairs[0].code, "step": "post"})
    moved = Transaction.objects.filter(portfolio=portfolio, type="transfer").standing().get()
    assert moved.to_account == portfolio.accounts.get(name="Ledger")
    assert missing_now(portfolio) == []


def test_a_transfer_without_a_partner_is_matched_or_told_anew(client: Client, portfolio: Portfolio) -> None:
    rows = ({**OUT, "ts": "2024-03-01T00:00:00Z"}, {**CAME, "id": "c", "ts": "2024-03-01T09:00:00Z"})
    out, came = post(portfolio, raw_buy(account="Kraken"), *rows).ids[1:]
    for leg in (out, came):
        page = client.get(address(what="leg", tx=leg))
        (pair,) = page.context["case"].pairs
        assert (pair.out.pk, [one.pk for one in pair.arrived], bool(pair.reasons)) == (out, [came], True)
        assert page.context["effect"].lines[0].asset == "BTC"
    nobody = client.post(address(what="leg", tx=came), {"pair": "nonsense", "step": "post"})
    assert (nobody.status_code, "Choose one of the transfers" in nobody.text) == (422, True)
    client.post(address(what="leg", tx=came), {"pair": pair.code, "step": "post"})
    assert "mended already" in client.get(address(what="leg", tx=came), follow=True).text
    actions.unmatch_transfer(portfolio=portfolio, out_id=out)
    where = address(what="leg", tx=came, way="opening")
    page = client.get(where)
    client.post(where, filled(page, at="2021-01-01T00:00", value="7000", step="post"))
    told = Transaction.objects.get(portfolio=portfolio, replaces=came)
    assert (told.type, str(told.amount), str(told.value)) == ("buy", "0.97", "7000")
    assert (told.external_id, told.at.year) == ("c", 2021)
    where = address(what="leg", tx=out, way="spend")
    client.post(where, filled(client.get(where), value="1", step="post"))
    assert Transaction.objects.get(portfolio=portfolio, replaces=out).type == "spend"


def test_balances_that_differ_and_accounts_below_zero(client: Client, portfolio: Portfolio) -> None:
    post(portfolio, raw_buy(account="Kraken"), raw_buy(**{**SALE, "account": "Cold"}), raw_buy(asset="SOL", amount="9"))
    account = actions.create_account(portfolio=portfolio, name="Venue", now=clock.now())
    observed = {"BTC": Decimal(2), "ETH": Decimal("0.5")}
    venue = portfolio.accounts.get(name="Kraken")
    actions.record_observed_balances(account=venue, balances=observed, at=clock.now())
    assert account.name in {row.name for row in portfolio.accounts.all()}
    client.get(reverse("portfolios:overview"))
    page = client.get(address(what="balance", asset="BTC", account="Kraken"))
    assert (page.context["gap"].side, page.context["form"].initial["amount"]) == ("too_little", "1")
    assert "what=balance&amp;asset=BTC&amp;account=Kraken" in client.get(reverse("portfolios:reconciliation")).text
    below = address(what="below", asset="SOL", account="Cold", way="opening")
    client.post(below, filled(client.get(below), at="2024-01-01T00:00", value="3", step="post"))
    client.get(reverse("portfolios:overview"))
    assert "mended already" in client.get(below, follow=True).text
    post(portfolio, raw_buy(amount="5", account="Kraken"))
    client.get(reverse("portfolios:overview"))
    page = client.get(address(what="balance", asset="BTC", account="Kraken"))
    assert (page.context["gap"].side, page.context["case"].way) == ("too_much", "spend")


def test_what_makes_no_sense_or_is_another_persons_is_not_there(client: Client, portfolio: Portfolio) -> None:
    theirs = make_default(user=make_user())
    entry = post(theirs, raw_buy(**SALE)).ids[0]
    for asked in ({}, {"what": "x"}, {"what": "missing", "tx": "x"}, {"what": "missing", "tx": entry, "asset": "SOL"},
                  {"what": "leg", "tx": entry}, {"what": "below"}, {"what": "balance", "asset": "SOL"}):  # fmt: skip
        assert "mended already" in client.get(address(**asked), follow=True).text
    assert not Transaction.objects.filter(portfolio=portfolio).exists()


def test_worth_is_told_in_the_digits_of_the_money(portfolio: Portfolio) -> None:
    gap = Gap(What.BELOW, Side.TOO_LITTLE, "NOSUCH", "Kraken", Decimal(1))
    assert worth_at(portfolio=portfolio, gap=gap, at=clock.now(), now=clock.now()) is None


def per_account(portfolio: Portfolio) -> None:
    """Book a portfolio by account from now on."""
    policy = Policy(scope=Scope.PER_ACCOUNT)
    choose_policy(user=portfolio.owner, portfolio_id=portfolio.pk, policy=policy, now=clock.now())
