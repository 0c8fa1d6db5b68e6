"""What is built on a booked ledger: holdings over REST beside a plain view, pages, history, and following prices."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.core.management import call_command

from apps.core import clock
from bench import ledger_world, product, web
from bench.ledger_world import PASSWORD, World
from bench.table import Row

if TYPE_CHECKING:
    from django.test import Client

HELD = 50
ENTRIES, COINS = 100_000, 200
QUICK_ENTRIES, QUICK_COINS = 2_000, 40
P99_MS, PLAIN_RATIO, UNCHANGED_RATIO = 15.0, 4.0, 8.0
PAGE_MS = 100.0
PAGES = {
    "portfolio page": "/portfolio/",
    "overview": "/",
    "transactions page": "/transactions/",
    "reconciliation page": "/reconciliation/",
}
_ROUNDS = 20


class _Times(NamedTuple):
    """Milliseconds of one page: at the clock, and of this process's processor time."""

    p50: float
    p95: float
    cpu: float


def rows(*, quick: bool = False) -> list[Row]:
    """Make two ledgers and ask what people and programs ask of them."""
    call_command("migrate", verbosity=0)
    coins = QUICK_COINS if quick else COINS
    ledger_world.trade(coins=max(coins, HELD))
    small = ledger_world.made(email="fifty@example.org", coins=HELD, entries=HELD * 4)
    found = list(_holdings_rows(small, seconds=1.0 if quick else web.SECONDS))
    large = ledger_world.made(email="many@example.org", coins=coins, entries=QUICK_ENTRIES if quick else ENTRIES)
    return [*found, *_history_rows(large), *_page_rows(large), *_price_rows(large)]


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


# --- Over REST --------------------------------------------------------------------------------------------------------
def _holdings_rows(world: World, *, seconds: float) -> Iterator[Row]:
    ours_path = f"/api/v1/portfolios/{world.portfolio.pk}/holdings"
    plain_path = f"/api/v1/bench/holdings/{world.portfolio.pk}"
    with web.serving("bench.constant:application") as (pid, port):
        token = product.sign_in(url=f"http://127.0.0.1:{port}", email=world.user.email, password=PASSWORD)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

        def borne(path: str, *, status: int = 200, more: dict[str, str] | None = None) -> web.Bore:
            sent = headers | (more or {})
            bores = web.bear(pid=pid, port=port, path=path, headers=sent, seconds=seconds, status=status)
            return web.middle(bores)

        plain = borne(plain_path)
        ours = borne(ours_path)
        version = product.etag(url=f"http://127.0.0.1:{port}{ours_path}", token=token)
        unchanged = borne(ours_path, status=304, more={"If-None-Match": version})
    yield Row(
        f"holdings of {HELD} rows over REST, {web.CLIENTS} clients, p99",
        f"{ours.p99_ms:.1f} ms",
        peer=f"{plain.p99_ms:.1f} ms, plain ModelSerializer view",
        ratio=f"{plain.p99_ms / ours.p99_ms:.1f}",
        budget=f"{P99_MS:.0f} ms",
        met=ours.p99_ms <= P99_MS,
    )
    yield _against("the same, requests/s and processor a request", ours, plain, PLAIN_RATIO)
    yield _against("unchanged (304), requests/s and processor a request", unchanged, plain, UNCHANGED_RATIO)


def _against(what: str, ours: web.Bore, plain: web.Bore, budget: float) -> Row:
    return Row(
        what,
        f"{ours.per_second:,.0f}/s, {ours.cpu_ms:.2f} ms",
        peer=f"{plain.per_second:,.0f}/s, {plain.cpu_ms:.2f} ms, plain ModelSerializer view",
        ratio=f"{ours.per_second / plain.per_second:.1f}, processor {plain.cpu_ms / ours.cpu_ms:.1f}",
        budget=f"{budget:.0f}x",
        met=ours.per_second / plain.per_second >= budget,
    )


# --- History ----------------------------------------------------------------------------------------------------------
def _history_rows(world: World) -> Iterator[Row]:
    from apps.portfolios.actions.past import read_history, read_performances

    entries, coins = world.portfolio.version and _entries_of(world), len(world.coins)
    of = f"{entries:,} entries, {coins} assets, {ledger_world.DAYS / 365:.0f} years"

    def asked() -> object:
        _forget()
        return read_history(portfolio=world.portfolio, now=clock.now())

    yield Row(f"history of {of}: first ask", _spent(asked))
    yield Row("the same, asked again", _spent(asked))
    _buy(world, days_ago=0)
    yield Row("after a new entry of today", _spent(asked))
    _buy(world, days_ago=400)
    yield Row("after an entry 400 days back", _spent(asked))

    def performed() -> object:
        _forget()
        benchmarks = ("BTC", "ETH", "BTC+ETH")
        return read_performances(portfolio=world.portfolio, benchmarks=benchmarks, now=clock.now())

    yield Row("performance since the first entry, with three benchmarks: first ask", _spent(performed))
    yield Row("the same, asked again", _spent(performed))


def _entries_of(world: World) -> int:
    from apps.portfolios.models import Transaction

    return Transaction.objects.filter(portfolio=world.portfolio).standing().count()


def _buy(world: World, *, days_ago: int) -> None:
    """Post one purchase and let a worker's part be done."""
    from datetime import timedelta

    from apps.portfolios import actions
    from apps.portfolios.domain.drafts import draft_of

    now = clock.now()
    ts = (now - timedelta(days=days_ago, minutes=1)).isoformat()
    raw = {"ts": ts, "type": "buy", "asset": world.coins[0], "amount": "0.1", "price": "100", "account": "Kraken"}
    draft = draft_of(raw, source="bench")
    actions.post_entries(portfolio=world.portfolio, drafts=[draft], source="bench", by=world.user, now=now)
    world.portfolio.refresh_from_db()
    actions.recompute(portfolio_id=world.portfolio.pk, now=now)
    world.portfolio.refresh_from_db()


def _forget() -> None:
    """Forget answers that are kept for some seconds: what is measured is how they are made."""
    from django.core.cache import cache

    cache.clear()


def _spent(work: Callable[[], object]) -> str:
    started, used = time.perf_counter(), time.process_time()
    work()
    used, passed = time.process_time() - used, time.perf_counter() - started
    return f"{passed * 1000:,.0f} ms, {used * 1000:,.0f} of it processor"


# --- Pages ------------------------------------------------------------------------------------------------------------
def _page_rows(world: World) -> Iterator[Row]:
    from django.test import Client

    settings.ALLOWED_HOSTS = ["localhost"]
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # nothing has collected the files
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    client = Client(headers={"host": "localhost"})
    client.force_login(world.user)
    entries = _entries_of(world)
    for name, path in PAGES.items():
        ledger_world.tick(coins=len(world.coins), price="104.5")
        times = _asked(client, path)
        yield Row(
            f"{name} over {entries:,} transactions and {len(world.coins)} assets, server time p50 / p95",
            f"{times.p50:.0f} / {times.p95:.0f} ms, {times.cpu:.0f} ms processor",
            peer=f"load {_load()}",
            budget=f"{PAGE_MS:.0f} ms",
            met=times.p95 <= PAGE_MS,
        )


def _asked(client: "Client", path: str) -> _Times:
    if client.get(path).status_code != 200:
        raise RuntimeError(f"{path} does not answer.")
    passed, used = [], []
    for _ in range(_ROUNDS):
        started, before = time.perf_counter(), time.process_time()
        client.get(path)
        used.append((time.process_time() - before) * 1000)
        passed.append((time.perf_counter() - started) * 1000)
    return _Times(statistics.median(passed), statistics.quantiles(passed, n=20)[18], statistics.median(used))


# --- Prices -----------------------------------------------------------------------------------------------------------
def _price_rows(world: World) -> Iterator[Row]:
    """What a portfolio on somebody's screen costs for each change of all its prices."""
    from apps.portfolios.actions import revalue

    costs = []
    for number in range(_ROUNDS):
        ledger_world.tick(coins=len(world.coins), price=f"{105 + number}.25")
        before = time.process_time()
        revalue(portfolio_id=world.portfolio.pk, now=clock.now())
        costs.append((time.process_time() - before) * 1000)
    yield Row(f"valuing {len(world.coins)} holdings anew, all prices changed", f"{statistics.median(costs):.0f} ms CPU")
