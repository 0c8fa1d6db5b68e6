"""The market of a running product while exchanges, feed and Redis fail: no wrong price, an honest age, healing."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from tests.journeys.market import LENGTHS, MINUTE_MS, Market, Row, now_ms
from tests.journeys.product import Product, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

#: One pair a venue that is traded several times a second.
BTC = {
    "binance": "binance:BTC/USDT",
    "coinbase": "coinbase:BTC/USD",
    "kraken": "kraken:BTC/USD",
    "kucoin": "kucoin:BTC/USDT",
}
SECOND = {
    "binance": "binance:ETH/USDT",
    "coinbase": "coinbase:ETH/USD",
    "kraken": "kraken:ETH/USD",
    "kucoin": "kucoin:ETH/USDT",
}
READY_LIMIT = 180.0
HISTORY_LIMIT = 240.0  # on a new installation the history of everything else is fetched meanwhile
OUTAGE_SECONDS = 24.0
HEAL_LIMIT = 60.0
SILENT_LIMIT = 20.0
STALE_MS = 15_000
SOCKETS = 50
BACK_LIMIT = 20.0

#: Each spoils answers to requests for the candles of one pair. Nobody but us asks for five minutes at a time.
SPOILED = {
    "5xx": "coinbase:XRP/USD",
    "html200": "coinbase:DOGE/USD",
    "slow": "coinbase:ADA/USD",
    "cut_json": "coinbase:AVAX/USD",
    "empty": "coinbase:LINK/USD",
    "429": "coinbase:DOT/USD",
    "reset": "coinbase:LTC/USD",
    "hang": "coinbase:BCH/USD",
    "418": "coinbase:SHIB/USD",
}
CANDLES, USES = 48, 2


@pytest.fixture(scope="module")
def market(shared_product: Product) -> Market:
    """The market of the product that some journeys share."""
    started = Market(shared_product)
    started.sign_in()
    wait_for(lambda: is_well(started), seconds=READY_LIMIT, what="prices of every venue")
    return started


@pytest.fixture(autouse=True)
def all_is_well(market: Market) -> None:
    """See that each venue's own prices are shown before a test begins."""
    for exchange in market.exchanges.values():
        exchange.heal()
    wait_for(lambda: is_well(market), seconds=READY_LIMIT, what="own prices of every venue")


def is_well(market: Market) -> bool:
    """Tell whether each venue shows a fresh price of its own."""
    if not market.product.is_well():
        return False
    if any(market.ask("GET", f"instruments/{name.replace('/', '-')}").status != 200 for name in BTC.values()):
        return False  # the lists of pairs are still being read
    shown = market.tickers(*BTC.values())
    fresh = all(shown[name]["source"] == venue and not shown[name]["stale"] for venue, name in BTC.items())
    return fresh and all(market.venue(venue) == "connected" for venue in BTC)


# --- When all is well ---------------------------------------------------------------------------------------------
def test_a_price_moves_within_a_second_of_subscribing(market: Market) -> None:
    took = []
    for _try in range(4):
        with market.socket() as line:
            began_at = time.monotonic()
            [before] = line.subscribe(BTC["binance"])
            after = line.hear_op("update")["data"]["tickers"][0]
            took.append(time.monotonic() - began_at)
        assert after["price"] != before["price"]
        assert market.truth.knows(before)
        assert market.truth.knows(after)
    assert min(took) < 1.0, took


def test_prices_shown_are_those_paid_at_that_venue_at_that_time(market: Market) -> None:
    names = [*BTC.values(), *SECOND.values()]
    with market.socket() as line:
        line.subscribe(*names)
        for _turn in range(12):
            for row in line.hear_op("update")["data"]["tickers"]:
                assert market.truth.knows(row), row
                assert row["source"] == row["instrument"].partition(":")[0]
    for row in market.tickers(*names).values():
        assert market.truth.knows(row), row
        assert 0 <= row["age_ms"] <= now_ms() - row["ts"]


@pytest.mark.parametrize("timeframe", ["1h", "1d"])
@pytest.mark.parametrize("venue", BTC)
def test_closed_candles_are_the_exchanges_own(market: Market, venue: str, timeframe: str) -> None:
    for name in (BTC[venue], SECOND[venue]):
        see_whole_history(market, name, timeframe, count=200)


def see_whole_history(market: Market, name: str, timeframe: str, *, count: int) -> None:
    """Wait until nothing is pending, then compare all closed candles with the exchange's."""
    page: Row = {}

    def is_there() -> bool:
        nonlocal page
        page = market.candles(name, timeframe, limit=count)
        return not page["pending"]

    wait_for(is_there, seconds=HISTORY_LIMIT, what=f"candles of {name} {timeframe}")
    rows, length = page["results"], LENGTHS[timeframe]
    assert len(rows) == count
    assert rows == market.truth.candles(name, timeframe, rows[0][0], rows[0][0] + count * length)
    assert now_ms() - rows[-1][0] < 2 * length + MINUTE_MS


# --- Spoiled answers ----------------------------------------------------------------------------------------------
@dataclass
class Spoiled:
    """What was shown of each pair while its answer was spoiled, and right after."""

    pages: dict[str, list[Row]] = field(default_factory=lambda: {fault: [] for fault in SPOILED})
    prices: list[bool] = field(default_factory=list)


@pytest.fixture(scope="module")
def spoiled(market: Market) -> Spoiled:
    """Spoil answers in each way, have somebody ask for the candles, and watch until all faults were met."""
    coinbase, seen = market.exchanges["coinbase"], Spoiled()
    for fault, name in SPOILED.items():
        product_id = name.partition(":")[2].replace("/", "-")
        path = f"/api/v3/brokerage/market/products/{product_id}/candles"
        coinbase.spoil(fault, path=path, count=USES)

    def were_all_met() -> bool:
        for fault, name in SPOILED.items():
            seen.pages[fault].append(market.candles(name, "5m", limit=CANDLES))
        shown = market.tickers(*SPOILED.values(), BTC["coinbase"]).values()
        seen.prices += [market.truth.knows(row) for row in shown]
        return all(left["count"] < USES for left in coinbase.faults())

    wait_for(were_all_met, seconds=HISTORY_LIMIT, what="every fault to be met")
    were_all_met()
    coinbase.heal()
    return seen


@pytest.mark.parametrize("fault", SPOILED)
def test_a_spoiled_answer_is_no_candle_and_history_completes_itself(
    market: Market, spoiled: Spoiled, fault: str
) -> None:
    pages = spoiled.pages[fault]
    assert all(page["pending"] or len(page["results"]) == CANDLES for page in pages)
    assert pages[0]["pending"]
    assert all(market.are_true(page) for page in pages)
    if fault != "418":  # it asks for two minutes of peace, which the exchange gets
        see_whole_history(market, SPOILED[fault], "5m", count=CANDLES)


def test_spoiled_answers_touch_no_price(spoiled: Spoiled) -> None:
    assert spoiled.prices
    assert all(spoiled.prices)


def test_a_delisted_pair_stays_known_with_what_is_there(market: Market) -> None:
    name, symbol = SECOND["kucoin"], SECOND["kucoin"].partition(":")[2]
    market.exchanges["kucoin"].spoil("delist", symbol=symbol)
    for timeframe in ("1m", "1h"):
        assert market.are_true(market.candles(name, timeframe, limit=20)) or timeframe == "1m"
    assert market.truth.knows(market.tickers(name)[name])
    listed = market.ask("GET", f"instruments/{name.replace('/', '-')}")
    assert (listed.status, listed.body["instrument"]) == (200, name)
    market.exchanges["kucoin"].heal()
    wait_for(lambda: market.tickers(name)[name]["age_ms"] < STALE_MS, seconds=HEAL_LIMIT, what="its price")
    see_whole_history(market, name, "1h", count=20)


# --- Venues that fall silent, hang up, turn their clock or are gone --------------------------------------------------
@dataclass(frozen=True)
class Look:
    """What was shown at one moment of an outage, so many seconds after it began."""

    at: float
    states: dict[str, str]
    shown: dict[str, Row]
    wrong: list[Row]
    socket_ended: bool


@pytest.fixture(scope="module")
def outage(market: Market) -> Sequence[Look]:
    """Let one venue be silent, one hang up all the time, one run ahead by two minutes, and one be gone; then heal."""
    wait_for(lambda: is_well(market), seconds=READY_LIMIT, what="own prices of every venue")
    exchanges = market.exchanges
    before = exchanges["binance"].asked("/stream")
    exchanges["binance"].spoil("ws_silent")
    exchanges["coinbase"].spoil("ws_close")
    exchanges["kraken"].spoil("clock_skew")
    exchanges["kucoin"].spoil("5xx")
    exchanges["kucoin"].spoil("ws_close", count=1)
    looks: list[Look] = []
    began_at = time.monotonic()
    while time.monotonic() - began_at < OUTAGE_SECONDS:
        shown = market.tickers(*BTC.values())
        wrong = [row for row in shown.values() if not market.truth.knows(row)]
        states = {venue: market.venue(venue) for venue in BTC}
        ended = exchanges["binance"].asked("/stream") > before
        looks.append(Look(time.monotonic() - began_at, states, shown, wrong, ended))
        time.sleep(0.5)
    for exchange in exchanges.values():
        exchange.heal()
    return looks


def test_no_wrong_price_is_shown_in_an_outage(outage: Sequence[Look]) -> None:
    assert [look.wrong for look in outage if look.wrong] == []


def test_the_age_is_said_in_an_outage(outage: Sequence[Look]) -> None:
    for look in outage:
        for row in look.shown.values():
            assert row["stale"] == (row["age_ms"] > STALE_MS)
    last = outage[-1].shown
    for venue in ("binance", "kucoin"):
        row = last[BTC[venue]]
        assert row["source"] != venue or row["stale"], row
        held = [look.shown[BTC[venue]] for look in outage if look.at > 3 and look.shown[BTC[venue]]["source"] == venue]
        ages = [row["age_ms"] for row in held]
        assert ages == sorted(ages)


def test_a_silent_socket_is_dead_within_twenty_seconds(outage: Sequence[Look]) -> None:
    said = [look.at for look in outage if look.states["binance"] in {"silent", "reconnecting"}]
    replaced = [look.at for look in outage if look.shown[BTC["binance"]]["source"] != "binance"]
    given_up = [look.at for look in outage if look.socket_ended]
    assert min(said, default=OUTAGE_SECONDS) < SILENT_LIMIT
    assert min(replaced, default=OUTAGE_SECONDS) < SILENT_LIMIT
    assert min(given_up, default=OUTAGE_SECONDS) < SILENT_LIMIT


@pytest.mark.parametrize("venue", ["coinbase", "kucoin"])
def test_a_venue_that_hangs_up_is_called_reconnecting(outage: Sequence[Look], venue: str) -> None:
    assert outage[-1].states[venue] == "reconnecting"


def test_a_venue_that_is_gone_is_replaced(outage: Sequence[Look]) -> None:
    last = outage[-1].shown[BTC["kucoin"]]
    assert last["source"] != "kucoin"
    assert not last["stale"]


def test_a_clock_that_runs_ahead_changes_no_age(outage: Sequence[Look]) -> None:
    settled = [look for look in outage if look.at > 10]
    assert {look.states["kraken"] for look in settled} == {"connected"}
    assert all(look.shown[BTC["kraken"]]["source"] == "kraken" for look in settled)
    assert max(look.shown[BTC["kraken"]]["age_ms"] for look in settled) < STALE_MS


def test_an_outage_heals_by_itself(market: Market, outage: Sequence[Look]) -> None:
    assert outage
    processes = market.product.process("feed")
    wait_for(lambda: is_well(market), seconds=HEAL_LIMIT, what="own prices after the outage")
    assert market.product.process("feed") == processes
    for row in market.tickers(*BTC.values()).values():
        assert market.truth.knows(row), row


# --- Kills --------------------------------------------------------------------------------------------------------
def test_a_killed_feed_is_back_and_leaves_no_hole(market: Market) -> None:
    name = BTC["binance"]
    market.candles(name, "1m", limit=5)  # somebody looks at its minutes
    before, killed_at = market.product.process("feed"), now_ms()
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: market.product.process("feed") not in {0, before}, seconds=READY_LIMIT, what="a new feed")
    wait_for(lambda: market.tickers(name)[name]["ts"] > killed_at + 2_000, seconds=READY_LIMIT, what="prices")
    assert market.truth.knows(market.tickers(name)[name])
    first, last = killed_at - killed_at % MINUTE_MS, now_ms() - now_ms() % MINUTE_MS
    minutes = list(range(first, last + 1, MINUTE_MS))

    def shown() -> list[list[float]]:
        return [row for row in market.candles(name, "1m", limit=10)["results"] if first <= row[0] <= last]

    wait_for(lambda: [row[0] for row in shown()] == minutes, seconds=HISTORY_LIMIT, what="the minutes of the kill")
    own = market.truth.candles(name, "1m", first, last + MINUTE_MS)
    wait_for(lambda: shown() == own, seconds=HISTORY_LIMIT, what="the exchange's own minutes in place of built ones")


def test_a_killed_redis_keeps_nobody_away_for_long(market: Market) -> None:
    with ExitStack() as crowd:
        lines = [crowd.enter_context(market.socket()) for _number in range(SOCKETS)]
        for line in lines:
            line.subscribe(*BTC.values())
        killed_at = now_ms()
        os.kill(market.product.process("redis"), signal.SIGKILL)
        for line in lines:
            left = BACK_LIMIT - (now_ms() - killed_at) / 1000
            assert left > 0, "not everybody was back in time"
            tickers = line.hear_op("snapshot", seconds=left)["data"]["tickers"]
            assert [row["instrument"] for row in tickers if row["age_ms"] < STALE_MS] == list(BTC.values())
            assert all(market.truth.knows(row) for row in tickers)
            assert line.hear_op("update")["data"]["tickers"][0]["ts"] > killed_at
    assert market.product.is_running


# --- Bad wishes ---------------------------------------------------------------------------------------------------
def test_a_bad_wish_gets_a_clear_error_and_the_socket_stays(market: Market) -> None:
    wishes = (
        ("market_data", ["binance:NOTHING/USDT"]),
        ("market_data", [f"binance:{number}/USDT" for number in range(10_000)]),
        ("portfolio", ["01975f00-0000-7000-8000-000000000000"]),
    )
    with market.socket() as line:
        for number, (channel, keys) in enumerate(wishes):
            line.say(op="subscribe", id=number, channel=channel, keys=keys)
            error = line.hear_op("error")
            assert error["id"] == number or len(keys) > 1_000
            assert error["code"]
            assert error["message"].endswith(".")
        assert [row["instrument"] for row in line.subscribe(BTC["binance"])] == [BTC["binance"]]
        assert line.hear_op("update")["data"]["tickers"]
