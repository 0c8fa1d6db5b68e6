"""Accounts: keys in each venue's form, and balances that are the sum of what happened."""

import base64
from collections import defaultdict
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from apps.simulator.domain.books import Book
from apps.simulator.domain.entries import Entry
from apps.simulator.domain.lives import PAST_ENDS, WEEK_MS
from apps.simulator.domain.shapes import VENUES, Account, Fill, PostedTradeError, Rights, Side, Withdrawal
from apps.simulator.domain.world import World
from apps.simulator.tests.factories import DAY, NOW, make_twin, make_world, the_world


def _account(venue: str, label: str, world: World | None = None) -> Account:
    return next(account for account in (world or the_world()).accounts(venue) if account.label == label)


def _flows(account: Account, now: int = NOW) -> dict[str, Decimal]:
    """Add up, by hand and in the order of time, what an account did; nothing may fall below zero on the way."""
    world = the_world()
    entries: list[Entry] = [
        *world.fills(account, now),
        *world.deposits(account, now),
        *world.withdrawals(account, now),
        *world.rewards(account, now),
    ]
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for entry in sorted(entries, key=lambda entry: (entry.ts, entry.number)):
        if isinstance(entry, Fill):
            sign = {Side.BUY: 1, Side.SELL: -1}[entry.side]
            held[entry.base] += sign * entry.amount
            held[entry.quote] -= sign * entry.price * entry.amount
            held[entry.fee_asset] -= entry.fee
        elif isinstance(entry, Withdrawal):
            held[entry.asset] -= entry.amount + entry.fee
        else:
            held[entry.asset] += entry.amount
        assert min(held.values()) >= 0, entry
    return {asset: amount for asset, amount in held.items() if amount}


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("label", ["main", "trader", "treasury", "empty"])
def test_balances_are_the_sum_of_the_flows(venue: str, label: str) -> None:
    account = _account(venue, label)
    assert the_world().balances(account, NOW) == _flows(account)


def test_the_large_account_needs_many_pages() -> None:
    account = _account("kraken", "large")
    fills = the_world().fills(account, NOW)
    assert len(fills) > 2000
    assert the_world().balances(account, NOW) == _flows(account)
    numbers = [fill.number for fill in fills]
    assert numbers == sorted(set(numbers))
    assert len({fill.id for fill in fills}) == len(fills)
    assert len({fill.order_id for fill in fills}) < len(fills)


def test_some_fees_are_paid_in_another_coin() -> None:
    assets = {fill.fee_asset for fill in the_world().fills(_account("binance", "main"), NOW)}
    assert "BNB" in assets
    assert "USDT" in assets
    assert "KCS" in {fill.fee_asset for fill in the_world().fills(_account("kucoin", "main"), NOW)}


def test_fills_lie_within_the_candle_of_their_minute() -> None:
    account = _account("coinbase", "trader")
    for fill in the_world().fills(account, NOW)[::20]:
        if fill.ts < NOW - 360 * DAY:
            continue
        begin = fill.ts // 60_000 * 60_000
        (candle,) = the_world().candles("coinbase", fill.symbol, 60_000, begin, begin + 1, NOW)
        assert Decimal(candle.low) <= fill.price <= Decimal(candle.high)


def test_the_past_stands_still_and_mondays_go_on() -> None:
    account = _account("binance", "main")
    world = the_world()
    monday = PAST_ENDS + 3 * WEEK_MS
    before, after = world.balances(account, monday - 1), world.balances(account, monday + 3_600_000)
    assert world.balances(account, monday - 6 * DAY) == before
    assert before != after
    assert world.fills(account, monday + 3_600_000)[-1].symbol == "BTC/USDT"


def test_keys_have_the_form_of_each_venue() -> None:
    world = the_world()
    assert {account.rights for account in world.accounts("binance")} == set(Rights)
    assert len(base64.b64decode(_account("kraken", "main").api_secret)) == 64
    assert _account("kucoin", "main").passphrase
    coinbase = _account("coinbase", "main")
    assert coinbase.api_key.startswith("organizations/")
    assert isinstance(load_pem_private_key(coinbase.api_secret.encode(), None), EllipticCurvePrivateKey)
    assert len(_account("coinbase", "edwards").api_secret) == 88
    assert world.account_by_key("coinbase", coinbase.api_key) == coinbase
    assert world.account_by_key("kraken", coinbase.api_key) is None
    assert _account("kraken", "main", make_world(seed=8)).api_key != _account("kraken", "main").api_key


def test_a_posted_trade_moves_the_balances() -> None:
    world = make_twin()
    account = _account("binance", "trader", world)
    before = world.balances(account, NOW)
    fill = world.post_trade(account, "ETH/USDT", Side.BUY, Decimal("1.5"), NOW)
    after = world.balances(account, NOW)
    assert str(fill.price) == world.ticker("binance", "ETH/USDT", NOW).last
    assert after["ETH"] == before.get("ETH", Decimal()) + Decimal("1.5") - fill.fee
    assert after["USDT"] == before["USDT"] - fill.price * Decimal("1.5")
    assert world.fills(account, NOW)[-1] == fill
    assert fill.number > world.fills(account, NOW)[-2].number
    twin = world.post_trade(account, "ETH/USDT", Side.BUY, Decimal("1.5"), NOW)
    assert twin.id != fill.id
    assert fill not in world.fills(account, NOW - 1)


def test_an_account_cannot_spend_what_it_does_not_have() -> None:
    world = make_twin()
    account = _account("kraken", "empty", world)
    with pytest.raises(PostedTradeError, match="holds 0 USD"):
        world.post_trade(account, "BTC/USD", Side.BUY, Decimal("0.1"), NOW)
    assert world.balances(account, NOW) == {}
    assert world.fills(account, NOW) == []


def test_two_books_of_one_account_are_equal() -> None:
    account = _account("kucoin", "treasury")
    books = [Book(7, account, make_world()) for _ in range(2)]
    assert books[0].fills(NOW) == books[1].fills(NOW)
    assert books[0].rewards(NOW) == books[1].rewards(NOW)
