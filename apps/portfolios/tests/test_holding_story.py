"""One asset day by day: what was bought and sold, what that gained, and the average cost of what is held."""

from decimal import Decimal

import pytest

from apps.core.money import plain
from apps.portfolios.domain.holding_story import HoldingStory, holding_story
from apps.portfolios.domain.policy import parse_policy
from apps.portfolios.domain.transactions import Entry, parse_entry

FIRST = 19_700
BUY = {"type": "buy", "asset": "BTC"}
SELL = {"type": "sell", "asset": "BTC"}


def entries(*rows: dict[str, str]) -> list[Entry]:
    """Make entries, each at noon of its day since the first, in the order given."""
    return [
        parse_entry({"id": str(place), **row, "ts": (FIRST + int(row["day"])) * 86_400_000 + 43_200_000 + place})
        for place, row in enumerate(rows)
    ]


def told(story: HoldingStory) -> tuple[list[tuple[int, str | None]], list[tuple[object, ...]]]:
    """Return the averages and the trading days with plain numbers."""
    averages = [(one.day - FIRST, None if one.unit is None else plain(one.unit)) for one in story.averages]
    days: list[tuple[object, ...]] = [
        (
            one.day - FIRST,
            *map(plain, (one.bought, one.paid)),
            one.buys,
            *map(plain, (one.sold, one.received)),
            one.sells,
            plain(one.gain),
        )
        for one in story.traded
    ]
    return averages, days


def story_of(*rows: dict[str, str], asset: str = "BTC", **policy: str | dict[str, str]) -> HoldingStory:
    """Tell the story of an asset in dollars."""
    return holding_story(entries(*rows), parse_policy(policy), asset=asset, money="USD")


def test_the_average_follows_each_day_and_ends_where_nothing_is_held() -> None:
    averages, days = told(
        story_of(
            {"day": "0", **BUY, "amount": "1", "price": "100", "fee": "10"},
            {"day": "0", **BUY, "amount": "1", "value": "200"},
            {"day": "3", **SELL, "amount": "1", "price": "300"},
            {"day": "5", "type": "spend", "asset": "BTC", "amount": "1", "value": "150"},
        )
    )
    assert averages == [(0, "155"), (3, "200"), (5, None)]
    assert days == [
        (0, "2", "300", 2, "0", "0", 0, "0"),
        (3, "0", "0", 0, "1", "300", 1, "190"),
        (5, "0", "0", 0, "1", "150", 1, "-50"),
    ]


def test_income_transfers_and_fees_are_no_trades_and_both_sides_of_a_conversion_are() -> None:
    rows = (
        {"day": "0", "type": "income", "asset": "ETH", "amount": "4", "value": "400", "kind": "staking"},
        {"day": "1", "type": "trade", "out_asset": "ETH", "out_amount": "1", "in_asset": "BTC", "in_amount": "2",
         "value": "150", "fee": "1", "fee_asset": "ETH", "fee_value": "150"},
        {"day": "2", "type": "transfer", "asset": "BTC", "amount": "1", "received": "1", "from_account": "default",
         "to_account": "Safe"},
        {"day": "2", "type": "fee", "asset": "ETH", "amount": "1", "value": "90"},
    )  # fmt: skip
    assert told(story_of(*rows, asset="ETH", scope="per_account")) == (
        [(0, "100"), (1, "100"), (2, "100")],
        [(1, "0", "0", 0, "1", "150", 1, "50")],
    )
    assert told(story_of(*rows, asset="BTC", scope="per_account")) == (
        [(0, None), (1, "150"), (2, "150")],
        [(1, "2", "150", 1, "0", "0", 0, "0")],
    )


@pytest.mark.parametrize(("method", "gain"), [("uk_s104", "20"), ("acb", "20"), ("fifo", "40")])
def test_pools_have_one_average_and_gains_are_those_of_the_method(method: str, gain: str) -> None:
    averages, days = told(
        story_of(
            {"day": "0", **BUY, "amount": "1", "price": "100"},
            {"day": "90", **BUY, "amount": "1", "price": "140"},
            {"day": "200", **SELL, "amount": "1", "price": "140"},
            method=method,
        )
    )
    assert averages[:2] == [(0, "100"), (90, "120")]
    assert [day[-1] for day in days] == ["0", "0", gain]


def test_names_that_share_one_basis_share_the_average_and_not_the_trades() -> None:
    rows = (
        {"day": "0", "type": "buy", "asset": "ETH", "amount": "1", "price": "100"},
        {"day": "1", "type": "buy", "asset": "WETH", "amount": "1", "price": "300"},
    )
    averages, days = told(story_of(*rows, asset="WETH", alias={"WETH": "ETH"}))
    assert averages == [(0, "100"), (1, "200")]
    assert days == [(1, "1", "300", 1, "0", "0", 0, "0")]


def test_every_digit_stays() -> None:
    dust = "1.000000000000000000000000000001"
    (day,) = story_of({"day": "0", **BUY, "amount": dust, "value": "1" * 40}).traded
    assert (day.bought, day.paid) == (Decimal(dust), Decimal("1" * 40))
