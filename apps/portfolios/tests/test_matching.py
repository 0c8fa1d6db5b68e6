"""Transfers: by hash first, then by score; certain ones by themselves, others by a person; lots keep date and cost."""

from decimal import Decimal
from typing import Any

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.core import clock
from apps.portfolios import actions
from apps.portfolios.domain.matching import CERTAIN, Leg, Reason, certain, merged, proposals
from apps.portfolios.domain.transactions import parse_entry
from apps.portfolios.models import Portfolio
from apps.portfolios.tests.factories import make_default, post, raw_buy

MINUTE = 60_000_000
HOUR = 60 * MINUTE


def leg(name: str, amount: str, *, at: int = 0, account: str = "A", asset: str = "BTC", tx_hash: str = "") -> Leg:
    """Make one side of a transfer."""
    return Leg(name, at, asset, Decimal(amount), account, tx_hash)


def test_a_hash_settles_it_even_late() -> None:
    out = leg("out", "1", tx_hash="0xABC")
    assert proposals([out], [leg("in", "0.5", at=200 * HOUR, account="B", tx_hash="abc")]) == []  # half is not there
    (one,) = proposals([out], [leg("in", "0.999", at=200 * HOUR, account="B", tx_hash="abc")])
    assert (one.score, one.reasons[0]) == (100, Reason.SAME_HASH)
    assert proposals([out], [leg("in", "1", account="B", tx_hash="def")]) == []


@pytest.mark.parametrize(
    ("amount", "late", "score"),
    [
        ("1", 5 * MINUTE, 95),
        ("1", HOUR, 90),
        ("0.9995", 5 * MINUTE, 91),
        ("0.99", 5 * HOUR, 68),
        ("0.95", 30 * HOUR, 43),
        ("0.8", 30 * HOUR, 28),
    ],
)
def test_amount_and_time_make_the_score(amount: str, late: int, score: int) -> None:
    (one,) = proposals([leg("out", "1")], [leg("in", amount, at=late, account="B")])
    assert one.score == score


@pytest.mark.parametrize(
    "other",
    [
        leg("in", "1.1", account="B"),
        leg("in", "0.79", account="B"),
        leg("in", "1", account="A"),
        leg("in", "1", account="B", asset="ETH"),
        leg("in", "1", account="B", at=49 * HOUR),
        leg("in", "1", account="B", at=-11 * MINUTE),
    ],
)
def test_what_cannot_be_is_not_proposed(other: Leg) -> None:
    assert proposals([leg("out", "1")], [other]) == []


def test_what_a_person_parted_is_not_proposed() -> None:
    pair = [leg("out", "1")], [leg("in", "1", account="B")]
    assert proposals(*pair, refused={("out", "in")}) == []


def test_parts_that_make_the_whole_are_proposed() -> None:
    parts = [leg("b", "0.4", account="B", at=MINUTE), leg("c", "0.6", account="C", at=MINUTE)]
    (one,) = proposals([leg("out", "1")], parts)
    assert (one.arrived, one.reasons[-1]) == (("b", "c"), Reason.TOGETHER)
    assert proposals([leg("out", "2")], parts) == []
    hashed = [leg(name, "0.33", account="B", tx_hash="h", at=60 * HOUR) for name in "bcd"]
    (three,) = proposals([leg("out", "0.99", tx_hash="h")], hashed)
    assert (three.score, three.arrived) == (100, ("b", "c", "d"))


def test_only_what_nothing_else_claims_is_certain() -> None:
    outs = [leg("o1", "1"), leg("o2", "1", account="B")]
    one = [leg("in", "1", account="C", at=MINUTE)]
    assert certain(proposals(outs, one)) == []
    (sure,) = certain(proposals(outs[:1], one))
    assert sure.score >= CERTAIN


def test_matched_entries_become_transfers_and_others_stay() -> None:
    base = {"ts": "2024-01-01", "type": "transfer", "asset": "BTC"}
    entries = [
        parse_entry({**base, "id": "o", "amount": "1", "from_account": "A", "to_account": "outside"}),
        parse_entry({**base, "id": "b", "amount": "0.4", "from_account": "outside", "to_account": "B"}),
        parse_entry({**base, "id": "c", "amount": "0.59", "from_account": "outside", "to_account": "C"}),
    ]
    assert merged(entries, {}) == entries
    assert merged(entries, {"o": (("b", "gone"), None)}) == entries
    first, second = merged(entries, {"o": (("b", "c"), Decimal(7))})
    assert (first.id, first.to_account, first.amount, first.received) == ("o:1", "B", Decimal("0.4"), Decimal("0.4"))
    assert (second.id, second.to_account, second.amount, second.received) == ("o", "C", Decimal("0.6"), Decimal("0.59"))
    assert (first.fee_value, second.fee_value) == (Decimal(0), Decimal(7))


# --- Over REST --------------------------------------------------------------------------------------------------------
MOVE: dict[str, Any] = {"type": "transfer", "asset": "BTC", "amount": "1"}
OUT = {**MOVE, "ts": "2024-02-01T00:00:00Z", "from_account": "Kraken", "to_account": "outside"}
IN = {**MOVE, "ts": "2024-02-01T05:00:00Z", "from_account": "outside", "to_account": "Cold", "amount": "0.999"}


@pytest.fixture
def user(db: None) -> User:
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


def test_a_pair_is_matched_and_parted(api: Api, portfolio: Portfolio, path: str) -> None:
    ids = [str(one) for one in post(portfolio, raw_buy(account="Kraken", value="40000"), OUT, IN).ids]
    waiting = body_of(api.get(f"{path}/transfers"))["results"]
    assert [(row["direction"], row["account"], row["amount"]) for row in waiting] == [
        ("in", "Cold", "0.999"),
        ("out", "Kraken", "1"),
    ]
    (candidate,) = waiting[0]["candidates"]
    assert (candidate["out"], candidate["in"], candidate["reasons"]) == (
        ids[1],
        [ids[2]],
        ["amount_less_fee", "within_two_days"],
    )
    before = body_of(api.get(f"{path}/holdings"))
    assert before["results"][0]["accounts"] == {"Cold": "0.999"}
    assert [one["code"] for one in before["completeness"]["issues"]].count("unmatched_transfer") == 1
    made = api.post(f"{path}/transfers/match", {"out": ids[1], "in": [ids[2]]})
    assert (made.status_code, body_of(made)["automatic"]) == (201, False)
    lots = body_of(api.get(f"{path}/lots?scope=per_account"))
    (lot,) = lots["remaining_lots"]
    assert (lot["account"], lot["amount"], lot["acquired_at"], lot["cost_basis"]) == (
        "Cold",
        "0.999",
        "2024-01-02T12:00:00Z",
        "39960",
    )
    assert (lots["missing"], lots["errors"]) == ([], [])
    assert body_of(api.get(f"{path}/transfers"))["results"] == []
    (matched,) = body_of(api.get(f"{path}/transfers?state=matched"))["results"]
    assert (matched["out"]["id"], [one["id"] for one in matched["in"]]) == (ids[1], [ids[2]])
    assert api.post(f"{path}/transfers/match", {"out": ids[1], "in": [ids[2]]}).status_code == 404
    assert api.post(f"{path}/transfers/unmatch", {"out": ids[1]}).status_code == 204
    parted = body_of(api.get(f"{path}/transfers"))["results"]
    assert [row["candidates"] for row in parted] == [[], []]
    assert body_of(api.post(f"{path}/transfers/unmatch", {"out": ids[1]}))["code"] == "not_matched"


def test_the_same_hash_is_matched_by_itself_and_stays_parted(api: Api, portfolio: Portfolio, path: str) -> None:
    ids = post(portfolio, raw_buy(account="Kraken"), {**OUT, "tx_hash": "0xF"}, {**IN, "tx_hash": "f"}).ids
    held = body_of(api.get(f"{path}/holdings"))
    assert held["results"][0]["accounts"] == {"Cold": "0.999"}
    (matched,) = body_of(api.get(f"{path}/transfers?state=matched"))["results"]
    assert (matched["automatic"], matched["score"], matched["reasons"][0]) == (True, 100, "same_hash")
    api.post(f"{path}/transfers/unmatch", {"out": str(ids[1])})
    assert actions.match_certain(portfolio=portfolio, now=clock.now()) == 0


def test_a_side_that_is_reversed_lets_the_other_wait_again(api: Api, portfolio: Portfolio, path: str) -> None:
    ids = post(portfolio, raw_buy(account="Kraken"), OUT, IN).ids
    api.post(f"{path}/transfers/match", {"out": str(ids[1]), "in": [str(ids[2])]})
    assert api.delete(f"{path}/transactions/{ids[2]}").status_code == 204
    assert [row["direction"] for row in body_of(api.get(f"{path}/transfers"))["results"]] == ["out"]


@pytest.mark.parametrize(
    ("arrival", "field"),
    [
        ({**IN, "asset": "ETH"}, "in"),
        ({**IN, "amount": "2"}, "in"),
        ({**IN, "to_account": "Kraken"}, "in"),
        ({**OUT, "from_account": "Cold"}, "in"),
    ],
)
def test_what_cannot_be_a_pair_is_refused(
    api: Api, portfolio: Portfolio, path: str, arrival: dict[str, Any], field: str
) -> None:
    ids = post(portfolio, OUT, arrival).ids
    answer = api.post(f"{path}/transfers/match", {"out": str(ids[0]), "in": [str(ids[1])]})
    assert (answer.status_code, body_of(answer)["errors"][0]["field"]) == (422, field)
