"""Booking: 100,000 and a million transactions by each method through `manage book`, and rp2 on the same 100,000."""

import gc
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from apps.portfolios.domain.booking import book_lines
from apps.portfolios.domain.booking.quick import LineReader
from apps.portfolios.domain.policy import Method, Policy
from bench import product
from bench.table import Row

QUICK, FEW, MANY = 2_000, 100_000, 1_000_000
FEW_SECONDS, MANY_SECONDS, MANY_MIB = 1.0, 10.0, 600.0
RP2 = "rp2==1.7.2"
RP2_RATIO = 100.0
_COINS, _ROUNDS = 50, 3
_START = datetime(2018, 1, 1, tzinfo=UTC)
_INSTALL_SECONDS = 300

Event = dict[str, str]


class _Cost(NamedTuple):
    seconds: float
    mib: float


def rows(*, quick: bool = False) -> list[Row]:
    """Book the same ledgers by every method, and let rp2 compute the smaller one of a single coin."""
    with tempfile.TemporaryDirectory(prefix="coinsphere-bench-") as name:
        folder = Path(name)
        if quick:
            return [*_command_rows(folder, QUICK, (Method.FIFO,)), *_peer_rows(folder, QUICK, (Method.FIFO,))]
        found = [*_command_rows(folder, FEW, tuple(Method)), *_command_rows(folder, MANY, tuple(Method))]
        return [*found, *_peer_rows(folder, FEW, (Method.FIFO, Method.LIFO, Method.HIFO))]


# --- The command, file in and result out ----------------------------------------------------------------------------
def _command_rows(folder: Path, count: int, methods: tuple[Method, ...]) -> Iterator[Row]:
    file = _written(folder / f"{count}.json", events(count, coins=_COINS))
    empty = _cost(_written(folder / "empty.json", iter(())), Method.FIFO, folder)
    for method in methods:
        cost = _cost(file, method, folder)
        seconds = cost.seconds - empty.seconds
        large = count == MANY
        budget = MANY_SECONDS if large else FEW_SECONDS
        load = f"load {os.getloadavg()[0]:.1f}"
        yield Row(
            f"manage book, {count:,} transactions, {method.value}",
            f"{seconds:.1f} s CPU, {cost.mib:.0f} MiB at most",
            peer=f"{empty.seconds:.1f} s for an empty file, not counted; {load}",
            budget=f"{budget:.0f} s" + (f", {MANY_MIB:.0f} MiB" if large else ""),
            met=seconds <= budget and (not large or cost.mib <= MANY_MIB),
        )


def _cost(file: Path, method: Method, folder: Path) -> _Cost:
    policy = folder / "policy.json"
    policy.write_text(json.dumps({"method": method.value}))
    command = [sys.executable, str(product.ROOT / "manage.py"), "book", str(file), "--policy", str(policy)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with (folder / "result.json").open("wb") as out:
        subprocess.run([sys.executable, "-c", _MEASURED, *command], stdout=out, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = int((folder / "result.json").read_bytes().rpartition(b"\n")[2])
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _Cost(used, peak / 1024)


#: Runs a command and ends with the most memory that it held, in KiB: the parent's own count keeps the largest of all.
_MEASURED = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); sys.stdout.flush();"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, end='')"
)


# --- rp2 ------------------------------------------------------------------------------------------------------------
def _peer_rows(folder: Path, count: int, methods: tuple[Method, ...]) -> Iterator[Row]:
    """Book one coin's events in this process, as rp2 does in its own: reading the file is counted on neither side."""
    told = list(events(count, coins=1))
    python = _environment(folder)
    for method in methods:
        ours = _engine(told, method)
        theirs = _rp2(python, told, method, folder) if python else None
        yield Row(
            f"engine alone, {count:,} events of one coin, {method.value}",
            f"{ours:.3f} s CPU",
            peer=f"{theirs:.1f} s, {RP2}" if theirs else f"{RP2} could not be installed",
            ratio=f"{theirs / ours:.0f}" if theirs else "",
            budget=f"{RP2_RATIO:.0f}x",
            met=theirs / ours >= RP2_RATIO if theirs else None,
        )


def _engine(events: list[Event], method: Method) -> float:
    reader = LineReader()
    lines = [reader.line(event, index=index) for index, event in enumerate(events)]
    times: list[float] = []
    gc.disable()  # as the command does
    for _round in range(_ROUNDS):
        copy = list(lines)
        started = time.process_time()
        book_lines(copy, Policy(method=method))
        times.append(time.process_time() - started)
        gc.collect()
    gc.enable()
    return statistics.median(times)


def _environment(folder: Path) -> Path | None:
    """Make an environment for the peer alone, which no part of the product needs; return its Python."""
    uv = shutil.which("uv")
    python = folder / "peer" / "bin" / "python"
    if uv is None:
        make = [sys.executable, "-m", "venv", str(folder / "peer")]
        install = [str(python), "-m", "pip", "install", "--quiet", RP2]
    else:
        make = [uv, "venv", "--quiet", "--python", sys.executable, str(folder / "peer")]
        install = [uv, "pip", "install", "--quiet", "--python", str(python), RP2]
    for command in (make, install):
        if subprocess.run(command, timeout=_INSTALL_SECONDS, check=False).returncode:
            return None
    return python


def _rp2(python: Path, events: list[Event], method: Method, folder: Path) -> float:
    file = folder / "events.txt"
    file.write_text(
        "".join(f"{event['ts']} {event['type'].upper()} {event['amount']} {event['price']}\n" for event in events)
    )
    peer = product.ROOT / "bench" / "peer_rp2.py"
    command = [str(python), "-P", str(peer), str(file), method.value]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return float(said.stdout.split()[-1])


# --- Events ---------------------------------------------------------------------------------------------------------
def events(count: int, *, coins: int) -> Iterator[Event]:
    """Make buys and sales by turns of luck, never more sold than bought; the same ones every time."""
    luck = random.Random(5)
    at, held = _START, [0] * coins
    for number in range(count):
        at += timedelta(seconds=luck.randint(1, 300))
        coin, units, is_sale = luck.randrange(coins), luck.randint(1, 10**10), luck.random() < 0.5
        if is_sale:
            units = min(units, held[coin])
        is_sale = is_sale and units > 0
        held[coin] += -units if is_sale else units or 1
        yield {
            "id": f"t{number}",
            "ts": at.isoformat().replace("+00:00", "Z"),
            "type": "sell" if is_sale else "buy",
            "account": "exchange",
            "asset": f"C{coin}",
            "amount": f"{(units or 1) // 10**8}.{(units or 1) % 10**8:08d}",
            "price": f"{luck.randint(1, 99_999)}.{luck.randint(0, 99):02d}",
        }


def _written(file: Path, events: Iterator[Event]) -> Path:
    with file.open("w", encoding="ascii") as out:
        out.write('{"transactions":[')
        for number, event in enumerate(events):
            out.write((",\n" if number else "") + json.dumps(event))
        out.write("]}")
    return file
