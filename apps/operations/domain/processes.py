"""The table of processes: what each one runs, how it is asked to stop, and every time span the supervisor goes by."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass

RESTART_FIRST = 0.5
RESTART_LONGEST = 30.0
HEALTHY_AFTER = 60.0

SERVICE_PATIENCE = 60.0
READY_PATIENCE = 120.0
STOP_PRODUCT = 6.0
STOP_SERVICE = 1.5
STOP_ORPHANS = 5.0
LOG_LIMIT_BYTES = 5_000_000
LOG_KEPT = 3
LARGEST_FRAME = 524_288  # a list of far too many keys is still read, and refused in words

#: The exchanges of the demo world in the order in which the simulator takes their ports.
SIMULATED_EXCHANGES = ("binance", "coinbase", "kraken", "kucoin")
SIMULATED_PORTS = (18101, 18102, 18103, 18104)


#: Requests answered at once: more threads than this only wait for each other.
WEB_THREADS = 4


class StartError(Exception):
    """The product cannot start or go on; the message is one sentence with the way out."""


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged account of the machine that embedded services run as."""

    name: str
    user_id: int
    group_id: int


@dataclass(frozen=True, slots=True)
class Program:
    """One process to run. `orphan_signal` is what it gets should the supervisor itself be killed."""

    name: str
    argv: tuple[str, ...]
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGTERM
    stop_patience: float = STOP_PRODUCT
    account: Account | None = None
    folder: str | None = None
    stdin: str = ""
    niceness: int = 0
    is_service: bool = False


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the pages and the socket listen."""

    host: str
    port: int
    live_port: int


def product(
    *,
    python: str,
    data: str,
    addresses: Addresses,
    with_trainer: bool,
    with_feed: bool,
    simulated: Mapping[str, int],
) -> tuple[Program, ...]:
    """Return the product's own processes in the order in which they start; `simulated` are exchanges and ports."""
    programs = [_simulator(python, data, simulated)] if simulated else []
    programs += [_web(python, addresses), _live(python, addresses), _worker(python)]
    if with_trainer:
        programs.append(_trainer(python))
    if with_feed:
        programs.append(_loop(python, "feed", "feed"))
    return (*programs, _beat(python, data))


def _web(python: str, addresses: Addresses) -> Program:
    """One process is enough: Django under WSGI answers thousands of requests a second; threads wait for the rows."""
    argv: tuple[str, ...] = (
        python,
        "-m",
        "granian",
        "config.wsgi:application",
        "--interface",
        "wsgi",
        "--http",
        "1",
        "--no-ws",
    )
    argv += ("--host", addresses.host, "--port", str(addresses.port), "--log-level", "warning")
    argv += ("--workers", "1", "--blocking-threads", str(WEB_THREADS))
    argv += ("--respawn-failed-workers", "--workers-kill-timeout", "5")
    return Program("web", argv)


def _live(python: str, addresses: Addresses) -> Program:
    argv: tuple[str, ...] = (python, "-m", "uvicorn", "config.asgi:application", "--host", addresses.host)
    argv += ("--port", str(addresses.live_port), "--log-level", "warning", "--no-access-log", "--lifespan", "on")
    argv += ("--ws", "websockets-sansio", "--ws-max-size", str(LARGEST_FRAME), "--ws-per-message-deflate", "false")
    argv += ("--timeout-graceful-shutdown", "3")
    return Program("live", argv)


def _loop(python: str, name: str, *command: str) -> Program:
    return Program(name, (python, "-m", "config.loops", name, *command))


def _simulator(python: str, data: str, ports: Mapping[str, int]) -> Program:
    """What was posted to the exchanges is kept in the data folder, so that their accounts survive a restart."""
    wanted = ",".join(str(ports[exchange]) for exchange in SIMULATED_EXCHANGES)
    return _loop(python, "simulator", "simulate", "--ports", wanted, "--journal", f"{data}/simulator.jsonl")


def _celery(python: str, name: str, application: str, *arguments: str) -> Program:
    """A killed supervisor ends Celery at once (SIGQUIT): its work stands in rows and another run takes it over."""
    argv = (python, "-m", "celery", "-A", application, "--quiet", *arguments, "--loglevel", "warning")
    return Program(name, argv, orphan_signal=signal.SIGQUIT)


def _worker(python: str) -> Program:
    quiet = ("--without-gossip", "--without-mingle", "--hostname", "worker@coinsphere")
    arguments = ("worker", "-Q", "sync,default,notify", "--concurrency", "2")
    return _celery(python, "worker", "config.worker", *arguments, *quiet)


def _trainer(python: str) -> Program:
    quiet = ("--without-gossip", "--without-mingle", "--hostname", "trainer@coinsphere")
    recycled = ("--concurrency", "1", "--max-tasks-per-child", "1")
    return _celery(python, "trainer", "config.worker", "worker", "-Q", "train", *recycled, *quiet)


def _beat(python: str, data: str) -> Program:
    """Beat keeps its note of what ran when in the data folder, so that a daily task survives restarts."""
    return _celery(python, "beat", "config.celery", "beat", "--schedule", f"{data}/beat-schedule", "--pidfile=")
