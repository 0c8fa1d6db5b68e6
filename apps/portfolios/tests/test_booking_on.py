"""Booking on from a checkpoint: whatever is posted, reversed or damaged, the result is that of booking from zero."""

import random
from typing import Any

import pytest
from django.db import transaction

from apps.core import clock
from apps.portfolios import actions
from apps.portfolios.actions import booking as booking_actions
from apps.portfolios.domain.policy import Method, Policy, parse_policy, policy_as_portable
from apps.portfolios.models import BookedPart, BookedResult, Holding, PolicyPeriod, Portfolio, Transaction
from apps.portfolios.queries.booking import whole_result, year_of_result
from apps.portfolios.tests.factories import make_portfolio, post

pytestmark = pytest.mark.django_db

POLICIES: list[dict[str, Any]] = [
    {"method": "fifo"},
    {"method": "fifo", "scope": "per_account", "missing": "error", "alias": {"WETH": "ETH"}},
    {"method": "lifo", "scope": "per_account", "crypto_fee": "consume"},
    {"method": "hifo", "fees": "separate"},
    {"method": "acb", "scope": "per_account"},
    {"method": "acb", "superficial_window_days": 30},
    {"method": "uk_s104"},
]
START_MS = 1_600_000_000_000
DAY_MS = 86_400_000


def entry(luck: random.Random, number: int, *, first: int = 0, last: int = 900) -> dict[str, Any]:
    """Make one entry of any kind, at times that often meet; more is sold than bought now and then."""
    asset, other = luck.choice(["BTC", "ETH", "WETH", "ADA"]), luck.choice(["BTC", "ETH", "BNB"])
    amount, value = f"{luck.randint(1, 9)}.{luck.randint(0, 99)}", str(luck.randint(1, 9_999))
    ts = START_MS + luck.randrange(first, last) * DAY_MS + luck.choice([0, 0, 43_200_000])
    fee: dict[str, str] = luck.choice([{}, {"fee": "1"}, {"fee": "0.01", "fee_asset": "BNB", "fee_value": "3"}])
    head = {"id": f"e{number}", "ts": ts, "account": luck.choice(["one", "two"])}
    kinds: dict[str, dict[str, Any]] = {
        "buy": {"asset": asset, "amount": amount, "value": value, **fee},
        "sell": {"asset": asset, "amount": amount, "value": value, **fee},
        "trade": {"out_asset": asset, "out_amount": amount, "in_asset": other, "in_amount": amount, "value": value},
        "income": {"asset": asset, "amount": amount, "value": value, "kind": "staking"},
        "spend": {"asset": asset, "amount": amount, "value": value},
        "transfer": {
            "asset": asset,
            "amount": "2",
            "received": "1.9",
            "fee_value": "1",
            "from_account": "one",
            "to_account": "two",
        },
        "split": {"asset": asset, "ratio": luck.choice(["2", "0.5"])},
        "return_of_capital": {"asset": asset, "value": "5"},
    }
    kind = luck.choices(list(kinds), weights=[9, 6, 3, 2, 2, 2, 1, 1])[0]
    return {**head, "type": kind, **kinds[kind]}


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.portfolios.domain.booking.checkpoints.STEP", 4)


def shown(portfolio: Portfolio, policy: Policy) -> list[Any]:
    """Return all that is kept of a result, as readers get it."""
    result = BookedResult.objects.get(portfolio=portfolio, policy_hash=booking_actions.policy_hash(policy=policy))
    years = {
        int(name) for name in BookedPart.objects.filter(result=result).values_list("name", flat=True) if name.isdigit()
    }
    held = list(
        Holding.objects.filter(portfolio=portfolio)
        .order_by("asset")
        .values_list("asset", "amount", "cost_basis", "accounts")
    )
    found = whole_result(result=result)
    found["remaining_lots"] = sorted(found["remaining_lots"], key=repr)
    by_year = [year_of_result(result=result, year=year) | {"remaining_lots": None} for year in sorted(years)]
    return [result.input_hash, result.entries, result.totals, found, by_year, held]


def from_zero(portfolio: Portfolio, policy: Policy) -> list[Any]:
    """Return the same after booking without anything to go on from, and leave all as it was."""
    with transaction.atomic():
        BookedResult.objects.filter(portfolio=portfolio).delete()
        Holding.objects.filter(portfolio=portfolio).delete()
        actions.recompute(portfolio_id=portfolio.pk, policy=policy, now=clock.now())
        found = shown(portfolio, policy)
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("raw", POLICIES, ids=lambda raw: "-".join(str(value) for value in raw.values()))
def test_booking_on_is_booking_from_zero(raw: dict[str, Any]) -> None:
    luck = random.Random(repr(raw))  # noqa: S311 - a ledger, not a secret
    policy, portfolio = parse_policy(raw), make_portfolio()
    PolicyPeriod.objects.create(portfolio=portfolio, policy=policy_as_portable(policy))
    post(portfolio, *(entry(luck, number) for number in range(60)))
    actions.recompute(portfolio_id=portfolio.pk, now=clock.now())
    rests = parse_policy(raw).method is not Method.UK_S104 and not policy.watched
    gone_on = 0
    for round_ in range(12):
        number = 100 * (round_ + 1)
        if round_ % 4 == 3:
            standing = list(Transaction.objects.filter(portfolio=portfolio).standing().values_list("pk", flat=True))
            actions.reverse_transaction(
                user=portfolio.owner, transaction_id=luck.choice(standing), reason="wrong", now=clock.now()
            )
        else:
            first, count = luck.choice([0, 600, 850, 890]), luck.choice([1, 5, 20])
            post(portfolio, *(entry(luck, number + one, first=first, last=920) for one in range(count)))
        before = BookedResult.objects.get(portfolio=portfolio).pk
        gone_on += actions.recompute(portfolio_id=portfolio.pk, now=clock.now()).pk == before
        assert shown(portfolio, policy) == from_zero(portfolio, policy)
    assert gone_on >= 4 if rests else gone_on == 0
