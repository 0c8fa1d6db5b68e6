"""The house: start, memory at rest, what our layers cost a request, and what a socket costs."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.core.management import call_command
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from bench import machine, product
from bench.table import Row
from bench.web import Bore, bear, serving

PATH = "/api/v1/bench/constant"
SOCKETS = 60
SETTLE_SECONDS = 20.0
IDLE_SECONDS = 30.0
START_BUDGET, MEMORY_BUDGET, IDLE_BUDGET, REQUEST_BUDGET_MS = 12.0, 700.0, 0.05, 0.5


def rows() -> list[Row]:
    """Run every part and return its figures."""
    return [*_request_rows(), *_product_rows()]


# --- The whole product ----------------------------------------------------------------------------------------------
def _product_rows() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="coinsphere-bench-") as folder:
        data = Path(folder) / "data"
        with product.running(data=data) as first:
            first_seconds = first.seconds
        with product.running(data=data) as second:
            time.sleep(SETTLE_SECONDS)
            world = _world_rows(second.process.pid)
            sockets = _socket_rows(second)
        with product.running(data=data, options=("--feed", "off")) as third:
            time.sleep(SETTLE_SECONDS)
            idle = _used(machine.family(third.process.pid))
    return [
        Row("first start on a new data folder, environment in place", f"{first_seconds:.1f} s"),
        Row(
            "second start, `up` to ready",
            f"{second.seconds:.1f} s",
            budget=f"{START_BUDGET:.0f} s",
            met=second.seconds <= START_BUDGET,
        ),
        *world,
        Row(
            "processor at rest, no feed", f"{idle:.1%} of a core", budget=f"{IDLE_BUDGET:.0%}", met=idle <= IDLE_BUDGET
        ),
        *sockets,
    ]


def _world_rows(pid: int) -> list[Row]:
    """What the demo world costs; the exchanges it plays are not part of the product, so they have rows of their own."""
    members = machine.family(pid)
    played = [member for member in members if " simulate --ports " in machine.command_of(member)]
    ours = [member for member in members if member not in played]
    memory = sum(machine.pss_mib(member) for member in ours)
    with ThreadPoolExecutor(2) as pool:
        used, played_used = pool.map(_used, [ours, played])
    return [
        Row(
            f"memory of the product in the demo world (PSS of {len(ours)} processes)",
            f"{memory:.0f} MiB",
            budget=f"{MEMORY_BUDGET:.0f} MiB",
            met=memory <= MEMORY_BUDGET,
        ),
        Row("memory of the exchanges it plays", f"{sum(machine.pss_mib(member) for member in played):.0f} MiB"),
        Row("processor of the product while it follows every pair and fetches history", f"{used:.0%} of a core"),
        Row("processor of the exchanges it plays", f"{played_used:.0%} of a core"),
    ]


def _used(members: list[int]) -> float:
    """Return how much of a core these processes use when nobody asks anything of them."""
    before = machine.cpu_seconds(members)
    time.sleep(IDLE_SECONDS)
    return (machine.cpu_seconds(members) - before) / IDLE_SECONDS


# --- A request ------------------------------------------------------------------------------------------------------
def _bear(*, application: str, token: Callable[[int], str]) -> list[Bore]:
    with serving(application) as (pid, port):
        bearer = token(port)
        headers = {"Authorization": f"Bearer {bearer}", "Accept": "application/json"} if bearer else {}
        return bear(pid=pid, port=port, path=PATH, headers=headers)


def _no_token(_port: int) -> str:
    return ""


def _fresh_token(port: int) -> str:
    from apps.accounts.models import User  # only the benchmark makes people without asking them

    email, password = "bench@example.org", "figures-need-a-peer-1"
    User.objects.filter(email=email).delete()
    User.objects.create_user(email=email, password=password)
    return product.sign_in(url=f"http://127.0.0.1:{port}", email=email, password=password)


def _request_rows() -> list[Row]:
    call_command("migrate", verbosity=0)
    bare = _bear(application="bench.bare:application", token=_no_token)
    ours = _bear(application="bench.constant:application", token=_fresh_token)
    added = statistics.median(one.cpu_ms for one in ours) - statistics.median(one.cpu_ms for one in bare)
    return [
        _compared("constant JSON behind a token, requests/s", [one.per_second for one in ours], bare, "per_second"),
        _compared("the same, p99 in ms", [one.p99_ms for one in ours], bare, "p99_ms"),
        Row(
            "processor time that our layers add to a request",
            f"{added:.2f} ms",
            peer=f"{statistics.median(one.cpu_ms for one in bare):.2f} ms, bare Django view",
            budget=f"{REQUEST_BUDGET_MS} ms",
            met=added <= REQUEST_BUDGET_MS,
        ),
    ]


def _compared(what: str, ours: list[float], bare: list[Bore], field: str) -> Row:
    mine = statistics.median(ours)
    peer = statistics.median(float(getattr(one, field)) for one in bare)
    return Row(what, f"{mine:,.1f}", peer=f"{peer:,.1f}, bare Django view", ratio=f"{mine / peer:.2f}")


# --- A socket -------------------------------------------------------------------------------------------------------
def _socket_rows(running: product.Product) -> list[Row]:
    url, admin = str(running.ready["url"]), running.ready["admin"]
    token = product.sign_in(url=url, email=admin["email"], password=admin["password"])

    async def ours() -> None:
        ticket = await asyncio.to_thread(product.post, url=f"{url}/api/v1/live/ticket", body={}, token=token)
        async with connect(str(ticket["url"])) as socket:
            await socket.recv()

    return asyncio.run(_compare_sockets(ours))


async def _compare_sockets(ours: Callable[[], Awaitable[None]]) -> list[Row]:
    async def greet(socket: ServerConnection) -> None:
        await socket.send('{"op":"welcome"}')
        await socket.wait_closed()

    port = machine.free_port()

    async def bare() -> None:
        async with connect(f"ws://127.0.0.1:{port}") as socket:
            await socket.recv()

    mine = await _times(ours)
    async with serve(greet, "127.0.0.1", port):
        peer = await _times(bare)
    return [
        Row(
            "socket: ticket, handshake, welcome",
            f"{statistics.median(mine):.1f} ms",
            peer=f"{statistics.median(peer):.1f} ms, bare websockets without a ticket",
            ratio=f"{statistics.median(mine) / statistics.median(peer):.1f}",
        )
    ]


async def _times(attempt: Callable[[], Awaitable[None]]) -> list[float]:
    times = []
    for _ in range(SOCKETS):
        started = time.perf_counter()
        await attempt()
        times.append((time.perf_counter() - started) * 1000)
    return times
