"""The channel of portfolios: one's own are watched by their ids, and each new worth arrives."""

import json
from collections.abc import Callable

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import make_user
from apps.core import clock
from apps.live.domain.bonds import Bond
from apps.live.tests.conftest import Talk
from apps.live.tests.factories import LiveProcess, make_family_bond
from apps.portfolios import actions
from apps.portfolios.models import Portfolio
from apps.portfolios.tests.factories import make_default, make_portfolio, post, raw_buy

Open = Callable[..., Talk]


@pytest.fixture
def user(transactional_db: None) -> User:
    return make_user()


@pytest.fixture
def bond(user: User) -> Bond:
    return make_family_bond(user)


def _valued(portfolio: Portfolio) -> None:
    portfolio.refresh_from_db()
    actions.refresh(portfolio=portfolio, now=clock.now())


def test_a_portfolio_is_watched_by_its_owner(live: LiveProcess, talk: Open, user: User, bond: Bond) -> None:
    mine, theirs = make_default(user=user), make_portfolio()
    for portfolio in (mine, theirs):
        post(portfolio, raw_buy(asset="USD", amount="5"))
        _valued(portfolio)
    conversation = talk(bond)
    conversation.say(id=1, op="subscribe", channel="portfolio", keys=[str(theirs.pk), str(mine.pk), "nonsense"])
    assert [conversation.hear()["code"] for _key in range(2)] == ["unknown_key", "unknown_key"]
    assert conversation.hear()["keys"] == [str(mine.pk)]
    snapshot = conversation.hear()
    (row,) = snapshot["data"]["portfolios"]
    assert (snapshot["op"], row["id"], row["total"], row["currency"]) == ("snapshot", str(mine.pk), "5", "USD")
    for portfolio in (theirs, mine):
        post(portfolio, raw_buy(asset="USD", amount="2.5"))
        _valued(portfolio)
    update = conversation.hear()
    assert (update["op"], update["seq"]) == ("update", snapshot["seq"] + 1)
    assert [(row["id"], row["total"]) for row in update["data"]["portfolios"]] == [(str(mine.pk), "7.5")]
    assert str(theirs.pk) not in json.dumps(update)
