"""The feed as a whole: venues on real sockets in, Redis and candles out, one leader, and what may go wrong."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from apps.core import clock
from apps.core.cache import redis_client
from apps.markets import actions, queries
from apps.markets.domain import preference
from apps.markets.domain import prices as layout
from apps.markets.domain.builder import MINUTE_MS
from apps.markets.domain.prices import Price
from apps.markets.hub import Feed
from apps.markets.hub import feed as feed_module
from apps.markets.hub.history import off_loop
from apps.markets.hub.lease import Lease
from apps.markets.models import CandleTail, Instrument
from apps.markets.tests import factories
from apps.markets.tests.factories_feed import FakeVenue, fake_venue, now_ms, until

pytestmark = pytest.mark.django_db(transaction=True)

NOWHERE = Price("", "0", None, None, 0, "")
BTC, OTHER_BTC = "binance:BTC/USDT", "kraken:BTC/USDT"


def make_instrument(name: str, *, venue_symbol: str = "") -> None:
    """Make a traded pair, named as its venue names it."""
    made = factories.make_instrument(name)
    if venue_symbol:
        Instrument.objects.filter(pk=made.pk).update(venue_symbol=venue_symbol)


def stored_minutes() -> list[tuple[int, float, float, float, float]]:
    """Return what is stored, oldest first."""
    return list(CandleTail.objects.order_by("ts").values_list("ts", "open", "high", "low", "close"))


@asynccontextmanager
async def chatter(venue: FakeVenue, price: str) -> AsyncIterator[None]:
    """Have a venue say the same price again and again."""

    async def talk() -> None:
        while True:
            await venue.tick("BTC/USDT", price)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(talk())
    try:
        yield
    finally:
        task.cancel()


@asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[Feed]:
    stop = asyncio.Event()
    task = asyncio.create_task(feed.run(stop))
    try:
        yield feed
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


@asynccontextmanager
async def venues(*names: str) -> AsyncIterator[list[FakeVenue]]:
    async with AsyncExitStack() as stack:
        fakes = [await stack.enter_async_context(fake_venue(name)) for name in names]
        with override_settings(EXCHANGE_BASE_URLS={fake.venue: fake.address for fake in fakes}):
            yield fakes


def make_feed(
    *names: str, now: Callable[[], datetime] = clock.now, lease_seconds: float = 3.0, silence: float = 15.0
) -> Feed:
    lease = Lease(queries.current_world(), seconds=lease_seconds)
    return Feed(now=now, per_venue=10, venues=names or ("binance",), lease=lease, silence=silence)


def price_of(name: str = BTC) -> Price | None:
    return queries.latest_prices(instruments=[name]).get(name)


def shows(price: str, name: str = BTC, *, source: str = "") -> Callable[[], bool]:
    def is_shown() -> bool:
        shown = price_of(name)
        return shown is not None and shown.price == price and source in {"", shown.source}

    return is_shown


async def test_a_tick_is_in_the_cache_and_the_stream_within_moments() -> None:
    await off_loop(partial(make_instrument, BTC))
    async with venues("binance") as [binance], running(make_feed()):
        await binance.heard()
        for price in ("100", "101", "102.5"):
            await binance.tick("BTC/USDT", price)
        await until(shows("102.5"))
        shown = price_of()
        assert shown is not None
        assert (shown.change_24h, shown.volume_24h, shown.source) == ("1.05", "100000", "binance")
        entries: Any = redis_client().xrange(layout.ticks_key(queries.current_world()))
        assert layout.from_stream(entries[-1][1][b"b"]) == [shown]
        await until(lambda: queries.open_candles(instruments=[BTC]))
        candle = queries.open_candles(instruments=[BTC])[BTC]
        assert (candle.open, candle.high, candle.close) == (100, 102.5, 102.5)
        await until(lambda: queries.feed_states()[0].state == "connected")
    assert redis_client().get(layout.lease_key(queries.current_world())) is None


async def test_wrong_prices_never_reach_anybody() -> None:
    await off_loop(partial(make_instrument, BTC))
    async with venues("binance") as [binance], running(make_feed()):
        await binance.heard()
        await binance.tick("BTC/USDT", "100")
        await until(shows("100"))
        for wrong in ("NaN", "Infinity", "0", "-100", "5000", "1", "null", "1e400"):
            await binance.tick("BTC/USDT", wrong)
        await binance.tick("BTC/USDT", "90", ts=now_ms() + 3_600_000)
        await binance.say("<html>")
        await asyncio.sleep(0.5)
        assert shows("100")()
        await binance.tick("BTC/USDT", "101")
        await until(shows("101"))
        entries: Any = redis_client().xrange(layout.ticks_key(queries.current_world()))
        told = {price.price for _id, entry in entries for price in layout.from_stream(entry[b"b"])}
        assert told == {"100", "101"}


async def test_a_closed_socket_is_opened_again_and_the_age_is_said() -> None:
    await off_loop(partial(make_instrument, BTC))
    async with venues("binance") as [binance], running(make_feed()):
        await binance.heard()
        await binance.tick("BTC/USDT", "100")
        await until(shows("100"))
        await binance.hang_up()
        await until(lambda: queries.feed_states()[0].state == "reconnecting")
        await binance.heard(2)
        await binance.tick("BTC/USDT", "101")
        await until(shows("101"))
        await until(
            lambda: queries.feed_states()[0] == queries.feed_states()[0]._replace(state="connected", reconnects=1)
        )


async def test_another_venue_stands_in_for_a_silent_one_until_it_is_steady(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preference, "SILENT_AFTER", 1.5)  # a busy machine may hold up everybody for a second
    monkeypatch.setattr(preference, "TRUSTED_AFTER", 0.6)
    for name in (BTC, OTHER_BTC):
        await off_loop(partial(make_instrument, name))
    feed = make_feed("binance", "kraken", silence=2.0)
    async with venues("binance", "kraken") as [binance, kraken], running(feed):
        await binance.heard()
        await kraken.heard()
        async with chatter(kraken, "100.7"):
            async with chatter(binance, "100"):
                await until(shows("100", source="binance"))
            await until(shows("100.7", source="kraken"))
            assert shows("100.7", OTHER_BTC, source="kraken")()
            await until(lambda: binance.opened == 2)  # open again and still silent: no reason to go back
            for _ in range(15):
                await asyncio.sleep(0.1)
                assert shows("100.7", source="kraken")()
            assert shows("100.7", source="kraken")()
            began = time.monotonic()
            async with chatter(binance, "100.1"):
                await until(shows("100.1", source="binance"))
                assert time.monotonic() - began >= preference.TRUSTED_AFTER
                assert shows("100.7", OTHER_BTC, source="kraken")()


async def test_two_feeds_and_one_leads_and_the_other_takes_over() -> None:
    await off_loop(partial(make_instrument, BTC))
    first, second = make_feed(lease_seconds=10), make_feed(lease_seconds=10)
    async with venues("binance") as [binance], running(second):
        async with running(first):
            await until(lambda: first.leads or second.leads)
            await asyncio.sleep(1.5)
            assert first.leads != second.leads
            assert binance.opened == 1
            leader = first if first.leads else second
            leader.lease.key += ":lost"  # it believes that it leads, and does no longer hold the lease
            redis_client().delete(leader.lease.key.removesuffix(":lost"))
            await until(lambda: first.leads and second.leads)
            leader.lease.key = leader.lease.key.removesuffix(":lost")
            await until(lambda: first.leads != second.leads)
        await binance.heard(2)
        await until(lambda: second.leads)


async def test_a_redis_that_forgot_everything_is_told_everything_at_once() -> None:
    await off_loop(partial(make_instrument, BTC))
    feed = make_feed()
    async with venues("binance") as [binance], running(feed):
        await binance.heard()
        await binance.tick("BTC/USDT", "100")
        await until(shows("100"))
        redis_client().flushdb()
        await until(shows("100"))
        assert binance.opened == 1
        assert redis_client().get(feed.lease.key) == feed.lease.token.encode()


async def test_finished_minutes_are_stored_whatever_our_clock_does() -> None:
    await off_loop(partial(make_instrument, BTC))
    ahead = timedelta()
    async with venues("binance") as [binance], running(make_feed(now=lambda: clock.now() + ahead)) as feed:
        await binance.heard()
        await until(lambda: feed.board.tapes[BTC].builder.candle().heard_since is not None)
        feed.board.tapes[BTC].builder.listen(0)  # as if it had run for hours
        minute = now_ms() // MINUTE_MS * MINUTE_MS - 5 * MINUTE_MS
        for offset, price in ((1, "100"), (2, "105"), (30_000, "95"), (59_000, "99"), (60_000, "98"), (120_001, "97")):
            await binance.tick("BTC/USDT", price, ts=minute + offset)
            if offset == 60_000:
                ahead = timedelta(minutes=10)
                await asyncio.sleep(1.5)
        found: list[tuple[int, float, float, float, float]] = []
        async with asyncio.timeout(15):
            while len(found) < 3:
                found = await off_loop(stored_minutes)
    assert found[:2] == [(minute, 100, 105, 95, 99), (minute + MINUTE_MS, 98, 98, 98, 98)]


async def test_pairs_come_and_go_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "LOOK_SECONDS", 0.3)
    await off_loop(partial(make_instrument, BTC))
    async with venues("binance") as [binance], running(make_feed()):
        await binance.heard()
        await binance.tick("BTC/USDT", "100")
        await until(shows("100"))
        await off_loop(partial(make_instrument, "binance:ETH/USDT"))
        await binance.heard(2)
        await binance.tick("ETH/USDT", "7")
        await until(shows("7", "binance:ETH/USDT"))
        await off_loop(partial(Instrument.objects.filter(symbol="BTC/USDT").update, active=False))
        await until(lambda: price_of() is None)
        assert binance.opened == 1


def start_process() -> "subprocess.Popen[str]":
    base = connection.settings_dict
    url = f"postgres://{base['USER']}:{base['PASSWORD']}@{base['HOST']}:{base['PORT']}/{base['NAME']}"
    outside = {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL}
    outside["EXCHANGE_BASE_URLS"] = json.dumps(settings.EXCHANGE_BASE_URLS)
    return subprocess.Popen(
        [sys.executable, "manage.py", "feed"],
        cwd=settings.BASE_DIR,
        env={**os.environ, **outside},
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_a_killed_feed_is_followed_by_one_that_mends_its_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    mended: list[tuple[list[str], int]] = []

    def note(*, names: list[str], from_ms: int, now: datetime) -> int:
        mended.append((list(names), from_ms))
        return len(names)

    monkeypatch.setattr(actions, "mend_minutes", note)
    await off_loop(partial(make_instrument, BTC))
    async with venues("binance") as [binance], chatter(binance, "100"):
        first = start_process()
        try:
            await until(shows("100"), seconds=60)
            async with running(make_feed(lease_seconds=6.0)) as second:
                await asyncio.sleep(0.5)
                assert not second.leads
                first.kill()
                killed_at = now_ms()
                await until(lambda: second.leads and (price_of() or NOWHERE).ts > killed_at)
                await until(lambda: mended)
        finally:
            first.kill()
            first.communicate()
    [(names, from_ms)] = mended
    assert names == [BTC]
    assert from_ms % MINUTE_MS == 0
    assert from_ms <= killed_at < from_ms + 3 * MINUTE_MS


async def test_the_process_ends_when_asked() -> None:
    await off_loop(partial(make_instrument, BTC))
    async with venues("binance") as [binance]:
        process = start_process()
        try:
            await binance.heard(seconds=60)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, 30) == 0
        finally:
            process.kill()
            said = process.communicate()[1]
    assert "Traceback" not in said
    assert "Unclosed" not in said


def test_the_process_ends_while_a_call_beside_the_loop_imports_a_module(tmp_path: Path) -> None:
    (tmp_path / "slow_module.py").write_text("import time\ntime.sleep(60)\n")
    program = """
import asyncio, atexit, functools, importlib
from apps.markets.hub import history

async def main():
    asyncio.ensure_future(history.off_loop(functools.partial(importlib.import_module, "slow_module")))
    await asyncio.sleep(0.2)

atexit.register(importlib.import_module, "slow_module")
asyncio.run(main())
print("over", flush=True)
history.leave(patience=0.2)
"""
    ended = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{program}"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "over\n"), ended.stderr


def test_without_a_feed_the_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with override_settings(FEED="off"):
        call_command("feed")
    assert capsys.readouterr().err.startswith("FEED is off")
