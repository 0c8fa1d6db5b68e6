"""Booking on from a checkpoint: whatever is posted, reversed or damaged, the result is that of booking from zero."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from apps.core import clock
from apps.portfolios import actions
from apps.portfolios.actions.booked import made_from
from apps.portfolios.domain.policy import Method, Policy, parse_policy, policy_as_portable
from apps.portfolios.models import (
    BookedLots,
    BookedPart,
    BookedResult,
    Checkpoint,
    Holding,
    LedgerChange,
    PolicyPeriod,
    Portfolio,
    Transaction,
)
from apps.portfolios.queries.booking import policy_hash, whole_result, year_of_result
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
    result = BookedResult.objects.get(portfolio=portfolio, policy_hash=policy_hash(policy=policy))
    years = {
        int(name) for name in BookedPart.objects.filter(result=result).values_list("name", flat=True) if name.isdigit()
    }
    held = list(
        Holding.objects.filter(portfolio=portfolio)
        .order_by("asset")
        .values_list("asset", "amount", "cost_basis", "accounts")
    )
    found: dict[str, Any] = whole_result(result=result)
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
    for round_ in range(9):
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
    assert gone_on >= 3 if rests else gone_on == 0


FIFO = parse_policy({})


def booked(entries: int = 60) -> tuple[Portfolio, random.Random]:
    """Make a ledger that is booked, with checkpoints."""
    luck, portfolio = random.Random(7), make_portfolio()  # noqa: S311 - a ledger, not a secret
    post(portfolio, *(entry(luck, number) for number in range(entries)))
    actions.recompute(portfolio_id=portfolio.pk, now=clock.now())
    assert Checkpoint.objects.count() > 2
    return portfolio, luck


def post_late(portfolio: Portfolio, luck: random.Random, number: int = 900) -> None:
    post(portfolio, entry(luck, number, first=899))


def goes_on(portfolio: Portfolio) -> bool:
    """Book once more; tell whether it went on from a checkpoint, and see that the result is right either way."""
    before = BookedResult.objects.get(portfolio=portfolio).pk
    after = actions.recompute(portfolio_id=portfolio.pk, now=clock.now()).pk
    assert shown(portfolio, FIFO) == from_zero(portfolio, FIFO)
    return after == before


def _of_another() -> None:
    last = Checkpoint.objects.order_by("-position")[0]
    other, _luck = booked(70)
    theirs = Checkpoint.objects.filter(result__portfolio=other).order_by("-position")[0]
    Checkpoint.objects.filter(pk=last.pk).update(body=theirs.body, chain=theirs.chain)


def _cut_short() -> None:
    for row in Checkpoint.objects.all():
        Checkpoint.objects.filter(pk=row.pk).update(body=bytes(row.body)[:-1])


HARMS: dict[str, Callable[[], object]] = {
    "checkpoint cut short": _cut_short,
    "checkpoint of another ledger": _of_another,
    "lots damaged": lambda: BookedLots.objects.update(body=b"?" * 64),
    "lots gone": lambda: BookedLots.objects.all().delete(),
    "lots of an earlier place": lambda: BookedLots.objects.filter(position__gt=40).delete(),
    "change not told": lambda: LedgerChange.objects.all().delete(),
}


@pytest.mark.parametrize("harm", HARMS)
def test_what_cannot_be_trusted_is_not_gone_on_from(harm: str) -> None:
    portfolio, luck = booked()
    post_late(portfolio, luck)
    assert goes_on(portfolio)
    buy = {"ts": START_MS + 899 * DAY_MS, "type": "buy", "amount": "1", "value": "1"}
    post(portfolio, *({**buy, "id": asset, "asset": asset} for asset in ("BTC", "ETH", "ADA", "BNB")))
    HARMS[harm]()
    assert not goes_on(portfolio)


def test_what_another_engine_left_is_not_gone_on_from(monkeypatch: pytest.MonkeyPatch) -> None:
    portfolio, luck = booked()
    monkeypatch.setattr("apps.portfolios.queries.checkpoints.ENGINE", 0)
    post_late(portfolio, luck)
    assert not goes_on(portfolio)
    post_late(portfolio, luck, 901)
    assert goes_on(portfolio)


def test_a_result_that_another_wrote_meanwhile_is_not_gone_on_from(monkeypatch: pytest.MonkeyPatch) -> None:
    portfolio, luck = booked()
    post_late(portfolio, luck)
    calls: list[object] = []

    def overtaken(**told: Any) -> Any:
        calls.append(told["resting"])
        made = made_from(**told)
        if len(calls) == 1:
            BookedResult.objects.filter(portfolio=portfolio).update(revision=77)
        return made

    monkeypatch.setattr("apps.portfolios.actions.booking.made_from", overtaken)
    actions.recompute(portfolio_id=portfolio.pk, now=clock.now())
    assert [one is None for one in calls] == [False, True]
    monkeypatch.undo()
    assert shown(portfolio, FIFO) == from_zero(portfolio, FIFO)


def test_checkpoints_stay_few_and_lots_that_nothing_shows_go() -> None:
    portfolio, luck = booked()
    for day in range(899, 911):
        post(portfolio, *(entry(luck, 10 * day + number, first=day, last=day + 1) for number in range(3)))
        actions.recompute(portfolio_id=portfolio.pk, now=clock.now())
    assert shown(portfolio, FIFO) == from_zero(portfolio, FIFO)
    result = BookedResult.objects.get(portfolio=portfolio)
    positions = [*Checkpoint.objects.order_by("position").values_list("position", flat=True), result.entries]
    assert len(positions) <= 8
    rows = BookedLots.objects.values_list("asset", "account", "position")
    shown_at = {
        max(found, default=None)
        for place in {row[:2] for row in rows}
        for end in positions
        for found in [[row for row in rows if row[:2] == place and row[2] <= end]]
    }
    assert set(rows) == shown_at - {None}


def test_a_matched_transfer_is_never_torn() -> None:
    portfolio, luck = booked()
    move = {"type": "transfer", "asset": "BTC", "amount": "0.5"}
    day = START_MS + 870 * DAY_MS
    post(
        portfolio,
        {**move, "id": "out", "ts": day, "from_account": "one", "to_account": "outside"},
        {**move, "id": "in", "ts": day + 20 * DAY_MS, "from_account": "outside", "to_account": "two"},
        *(entry(luck, 3000 + number, first=860, last=910) for number in range(30)),
    )
    rows = dict(Transaction.objects.filter(external_id__in=["out", "in"]).values_list("external_id", "pk"))
    goes_on(portfolio)
    actions.match_transfer(portfolio=portfolio, out_id=rows["out"], arrived_ids=[rows["in"]], by=None, now=clock.now())
    goes_on(portfolio)
    for number in range(3):
        post(portfolio, entry(luck, 4000 + number, first=875, last=920))
        goes_on(portfolio)
    actions.unmatch_transfer(portfolio=portfolio, out_id=rows["out"])
    goes_on(portfolio)
