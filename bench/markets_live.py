"""Prices to people: frames of the live process to thousands of sockets, beside naive Channels and bare picows."""

import asyncio
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import orjson
import uvloop
from django.core.management import call_command
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from bench import machine, product, sockets
from bench.live_source import INSTRUMENTS
from bench.sockets import Heard
from bench.table import Row

SIZES = (500, 2_000, 5_000)
QUICK_SIZES = (200,)
STALLED = 50
NAIVE_CLIENTS = 10
KEYS_EACH = 10
SECONDS, SETTLE = 12.0, 3.0
CONNECTS = 60
MEASURED = 2_000  # the size that the budgets are about
FRAME_BUDGET_MS, AGE_BUDGET_MS, CPU_BUDGET, MEMORY_BUDGET_KIB = 15.0, 265.0, 0.5, 30.0
_PER_PERSON = 2_400


def rows(*, quick: bool = False) -> list[Row]:
    """Run every part and return its figures."""
    call_command("migrate", verbosity=0)
    seconds = 3.0 if quick else SECONDS
    found: list[Row] = []
    limits = {size: _limit(size, seconds=seconds) for size in (QUICK_SIZES if quick else SIZES)}
    with _source("bench.live_source"):
        heard = {size: _ours(size, seconds=seconds) for size in limits}
        beside = heard.get(MEASURED) or heard[QUICK_SIZES[0]]
        crowded = _ours(beside.clients, seconds=seconds, stalled=STALLED)
    for size, limit in limits.items():
        found += _rows_of(heard[size], limit)
    return [*found, *_stalled_rows(crowded), *_naive_rows(_naive(seconds=seconds), beside), *_connect_rows()]


# --- Servers --------------------------------------------------------------------------------------------------------
@contextmanager
def _running(*argv: str, port: int | None = None) -> Iterator[int]:
    """Run a program of ours for as long as the block lasts; yield its process id."""
    process = subprocess.Popen([sys.executable, *argv], cwd=product.ROOT, env=os.environ | _SETTINGS)
    try:
        if port is not None:
            _wait_for(port)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


_SETTINGS = {"DJANGO_SETTINGS_MODULE": "config.settings", "FEED": "simulator"}


def _wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"Nothing listens on port {port}.")


def _uvicorn(application: str, port: int) -> tuple[str, ...]:
    """Return the command of the product's live process, for this application."""
    argv: tuple[str, ...] = ("-m", "uvicorn", application, "--host", "127.0.0.1", "--port", str(port))
    argv += ("--log-level", "warning", "--no-access-log", "--ws", "websockets-sansio")
    return (*argv, "--ws-per-message-deflate", "false", "--timeout-graceful-shutdown", "1")


@contextmanager
def _source(module: str) -> Iterator[None]:
    """Run a source of ticks; it says on standard output when the first one is out."""
    process = subprocess.Popen(
        [sys.executable, "-m", module], cwd=product.ROOT, env=os.environ | _SETTINGS, stdout=subprocess.PIPE, text=True
    )
    try:
        if not (process.stdout and process.stdout.readline()):
            raise RuntimeError(f"{module} does not run.")
        yield
    finally:
        process.kill()
        process.wait()


# --- Crowds ---------------------------------------------------------------------------------------------------------
def _ticket_office(count: int) -> Callable[[int], str]:
    """Return who makes the ticket of each socket; a person may hold some thousand, so there are several people."""
    from apps.accounts.models import RefreshFamily, User  # only the benchmark makes people without asking them
    from apps.core import clock
    from apps.core.ids import uuid7
    from apps.live.actions import issue_ticket
    from apps.live.domain.bonds import Bond, SignIn

    bonds, now = [], clock.now()
    for number in range(-(-count // _PER_PERSON)):
        email = f"crowd-{number}@example.org"
        user = User.objects.filter(email=email).first()
        user = user or User.objects.create_user(email=email, password="figures-need-a-peer-1")
        times = {"created_at": now, "authenticated_at": now, "last_used_at": now}
        family = RefreshFamily.objects.create(
            user=user, live_token=uuid7(), expires_at=now + timedelta(days=1), **times
        )
        bonds.append(Bond(user_id=user.pk, sign_in=SignIn.FAMILY, reference=str(family.pk)))
    return lambda number: issue_ticket(bond=bonds[number // _PER_PERSON]).secret


def _question() -> bytes:
    keys = random.sample(INSTRUMENTS, KEYS_EACH)
    return orjson.dumps({"id": 1, "op": "subscribe", "channel": "market_data", "keys": keys})


def _ours(clients: int, *, seconds: float, stalled: int = 0) -> Heard:
    port = machine.free_port()
    with _running(*_uvicorn("config.asgi:application", port), port=port) as pid:
        time.sleep(2.0)
        ticket = _ticket_office(clients + stalled)

        def address(number: int) -> tuple[str, bytes]:
            return f"ws://127.0.0.1:{port}/ws/live?ticket={ticket(number)}", _question()

        with _stalled(port, [ticket(clients + number) for number in range(stalled)]):
            return uvloop.run(sockets.hear(clients, address=address, pid=pid, seconds=seconds, settle=SETTLE))


@contextmanager
def _stalled(port: int, tickets: Sequence[str]) -> Iterator[None]:
    """Hold sockets that ask for prices and never read a byte."""
    held = [_stalled_socket(port, ticket) for ticket in tickets]
    try:
        yield
    finally:
        for pipe in held:
            pipe.close()


def _stalled_socket(port: int, ticket: str) -> socket.socket:
    pipe = socket.socket()
    pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    pipe.connect(("127.0.0.1", port))
    head = f"GET /ws/live?ticket={ticket} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    question = _question()
    masked = b"\x81" + bytes([0x80 | 126]) + len(question).to_bytes(2, "big") + b"\0\0\0\0" + question
    pipe.sendall((head + key).encode())
    pipe.recv(64)  # the handshake's answer has begun, so the frame is welcome
    pipe.sendall(masked)
    return pipe


def _limit(clients: int, *, seconds: float) -> Heard:
    port = machine.free_port()
    with _running("-m", "bench.peer_picows", str(port), port=port) as pid:
        address = f"ws://127.0.0.1:{port}/", b"{}"
        return uvloop.run(
            sockets.hear(clients, address=lambda _number: address, pid=pid, seconds=seconds, settle=SETTLE)
        )


def _naive(*, seconds: float) -> Heard:
    port = machine.free_port()
    with _running(*_uvicorn("bench.peer_channels:application", port), port=port) as pid, _source("bench.peer_channels"):

        def address(_number: int) -> tuple[str, bytes]:
            return f"ws://127.0.0.1:{port}/", _question()

        heard = sockets.hear(NAIVE_CLIENTS, address=address, pid=pid, seconds=seconds, settle=SETTLE, from_ticks=True)
        return uvloop.run(heard)


# --- Rows -----------------------------------------------------------------------------------------------------------
def _rows_of(ours: Heard, limit: Heard) -> list[Row]:
    counts = ours.clients == MEASURED
    what = f"{ours.clients:,} sockets at 4 Hz, {KEYS_EACH} instruments each"
    found = [
        Row(
            f"{what}: frame due to client, p50 / p99",
            f"{ours.p50_ms:.1f} / {ours.p99_ms:.1f} ms",
            peer=f"{limit.p50_ms:.1f} / {limit.p99_ms:.1f} ms, picows sending ready bytes",
            ratio=f"{ours.p99_ms / limit.p99_ms:.1f}",
            budget=f"{FRAME_BUDGET_MS:.0f} ms" if counts else "",
            met=ours.p99_ms <= FRAME_BUDGET_MS if counts else None,
        ),
        Row(
            "the same: age of a tick on arrival, p50 / p99",
            f"{ours.age_p50_ms:.0f} / {ours.age_p99_ms:.0f} ms",
            budget=f"{AGE_BUDGET_MS:.0f} ms" if counts else "",
            met=ours.age_p99_ms <= AGE_BUDGET_MS if counts else None,
        ),
        Row(
            "the same: processor, and for each frame",
            f"{ours.cpu:.0%} of a core, {_microseconds(ours):.0f} us",
            peer=f"{limit.cpu:.0%}, {_microseconds(limit):.0f} us",
            ratio=f"{_microseconds(ours) / _microseconds(limit):.1f}",
            budget=f"{CPU_BUDGET:.0%}" if counts else "",
            met=ours.cpu <= CPU_BUDGET if counts else None,
        ),
        Row(
            "the same: frames a second, of those due",
            f"{ours.delivered:,.0f}, {ours.delivered / (4 * ours.clients):.1%}",
            peer=f"{limit.delivered:,.0f}",
        ),
    ]
    return [*found, _cost_row(ours)]


def _cost_row(ours: Heard) -> Row:
    counts = ours.clients == MEASURED
    return Row(
        "the same: memory a socket; processor for ticket, handshake and snapshot",
        f"{ours.memory_kib:.0f} KiB; {ours.connect_cpu_ms:.1f} ms",
        budget=f"{MEMORY_BUDGET_KIB:.0f} KiB" if counts else "",
        met=ours.memory_kib <= MEMORY_BUDGET_KIB if counts else None,
    )


def _stalled_rows(ours: Heard) -> list[Row]:
    return [
        Row(
            f"{ours.clients:,} sockets, {STALLED} more that never read: frame due to client, p50 / p99",
            f"{ours.p50_ms:.1f} / {ours.p99_ms:.1f} ms",
            budget=f"{FRAME_BUDGET_MS:.0f} ms",
            met=ours.p99_ms <= FRAME_BUDGET_MS,
        )
    ]


def _naive_rows(naive: Heard, ours: Heard) -> list[Row]:
    mine, theirs = ours.cpu / ours.clients * 1000, naive.cpu / naive.clients * 1000
    return [
        Row(
            f"1,000 ticks/s: processor for a thousand sockets (ours at {ours.clients:,}, peer at {naive.clients})",
            f"{mine:.2f} cores",
            peer=f"{theirs:.1f} cores, Channels group_send for each tick",
            ratio=f"1/{theirs / mine:.0f}",
        ),
        Row(
            "the same: age of a tick on arrival, p50 / p99",
            f"{ours.age_p50_ms:.0f} / {ours.age_p99_ms:.0f} ms",
            peer=f"{naive.age_p50_ms:.0f} / {naive.age_p99_ms:.0f} ms, each tick by itself",
        ),
    ]


def _microseconds(heard: Heard) -> float:
    return heard.cpu / heard.delivered * 1_000_000


# --- Coming in ------------------------------------------------------------------------------------------------------
def _connect_rows() -> list[Row]:
    port = machine.free_port()
    with _running(*_uvicorn("config.asgi:application", port), port=port) as pid:
        time.sleep(2.0)
        ticket = _ticket_office(CONNECTS)
        tickets = [f"ws://127.0.0.1:{port}/ws/live?ticket={ticket(number)}" for number in range(CONNECTS)]
        cpu = machine.cpu_seconds([pid])
        mine, theirs = asyncio.run(_compare_connects(tickets))
        used = (machine.cpu_seconds([pid]) - cpu) / CONNECTS * 1000
    return [
        Row(
            "socket with a ready ticket: handshake and welcome, one after another",
            f"{statistics.median(mine):.1f} ms, {used:.1f} ms of processor",
            peer=f"{statistics.median(theirs):.1f} ms, bare websockets without a ticket",
            ratio=f"{statistics.median(mine) / statistics.median(theirs):.1f}",
        )
    ]


async def _compare_connects(addresses: Sequence[str]) -> tuple[list[float], list[float]]:
    async def greet(held: ServerConnection) -> None:
        await held.send('{"op":"welcome"}')
        await held.wait_closed()

    port = machine.free_port()
    async with serve(greet, "127.0.0.1", port, compression=None):
        theirs = [await _time_of(f"ws://127.0.0.1:{port}") for _ in addresses]
    return [await _time_of(address) for address in addresses], theirs


async def _time_of(address: str) -> float:
    started = time.perf_counter()
    async with connect(address, proxy=None, compression=None) as held:
        await held.recv()
        taken = time.perf_counter() - started
    return taken * 1000
