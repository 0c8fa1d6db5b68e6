"""A crowd of sockets in one process that notes when frames arrive and how old the ticks in them are.

The machine's monotonic clock is one for all its processes, and send phases begin at whole hundredths of a
second: so a frame's lateness is its arrival since the beginning of the phase that its socket belongs to.
"""

import asyncio
import gc
import logging
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import orjson
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench import machine

PERIOD = 0.25
PHASE = 0.01
_PHASES = round(PERIOD / PHASE)
_EARLY = 0.0015  # timers of an event loop go by whole milliseconds
_SAMPLE = 53
_AT_ONCE = 64
logging.getLogger("picows").setLevel(logging.WARNING)


#: Makes the address of a socket and the question it asks after the welcome.
Address: TypeAlias = Callable[[int], tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a crowd heard: lateness and ages in milliseconds, frames a second, the server's processor and memory."""

    clients: int
    p50_ms: float
    p99_ms: float
    age_p50_ms: float
    age_p99_ms: float
    delivered: float
    cpu: float
    memory_kib: float
    connect_cpu_ms: float


class Ear(WSListener):
    """One socket of the crowd."""

    def __init__(self, crowd: "Crowd", question: bytes) -> None:
        self.arrivals: list[float] = []
        self.ready = asyncio.Event()
        self._crowd = crowd
        self._question = question
        self.transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        if not self._question:
            self.ready.set()

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        self._crowd.lost += 1
        self.ready.set()

    def on_ws_frame(self, _transport: WSTransport, frame: WSFrame) -> None:
        if self._crowd.is_listening:
            self.arrivals.append(time.monotonic())
            self._crowd.count += 1
            if self._crowd.count % _SAMPLE == 0:
                self._crowd.look(frame.get_payload_as_bytes())
        elif not self.ready.is_set():
            self._greet(frame)

    def _greet(self, frame: WSFrame) -> None:
        """Answer the welcome with the question; the snapshot says that all is well."""
        if frame.msg_type != WSMsgType.TEXT or self.transport is None:
            return
        op = orjson.loads(frame.get_payload_as_bytes())["op"]
        if op == "welcome":
            self.transport.send(WSMsgType.TEXT, self._question)
        elif op == "snapshot":
            self.ready.set()


class Crowd:
    """Sockets that are opened, listened to for a while, and closed."""

    def __init__(self) -> None:
        self.ears: list[Ear] = []
        self.is_listening = False
        self.count = 0
        self.lost = 0
        self.ages: list[float] = []

    def look(self, payload: bytes) -> None:
        """Note how old the ticks of a frame are on arrival."""
        arrived = time.time() * 1000
        self.ages.extend(arrived - ticker["ts"] for ticker in orjson.loads(payload)["data"]["tickers"])

    async def open(self, clients: int, *, address: Address) -> None:
        """Connect so many, a few at a time, and let each ask its question; an address is made when it is needed."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(number: int) -> None:
            async with gate:
                url, question = address(number)
                ear = Ear(self, question)
                await ws_connect(lambda: ear, url, max_frame_size=1 << 20, websocket_handshake_timeout=30)
                self.ears.append(ear)
                async with asyncio.timeout(30):
                    await ear.ready.wait()

        await asyncio.gather(*(one(number) for number in range(clients)))
        if self.lost:
            raise RuntimeError(f"{self.lost} sockets were closed while they connected.")

    async def listen(self, seconds: float) -> None:
        """Note what arrives for so long."""
        self.is_listening = True
        await asyncio.sleep(seconds)
        self.is_listening = False

    def close(self) -> None:
        """Let all sockets go."""
        for ear in self.ears:
            if ear.transport is not None:
                ear.transport.disconnect()

    def lateness(self) -> list[float]:
        """Return in milliseconds how long after the beginning of its phase each frame arrived."""
        return [late for ear in self.ears if ear.arrivals for late in _lateness(ear.arrivals)]


def _lateness(arrivals: Sequence[float]) -> list[float]:
    """Find the phase of one socket, where its frames begin to arrive in numbers, and count all of them from there."""
    bins = Counter(int((at + _EARLY) % PERIOD / PHASE) for at in arrivals)
    first, most = bins.most_common(1)[0]
    while bins[(first - 1) % _PHASES] > most / 10:
        first -= 1
    due = first * PHASE
    return [max(0.0, (at + _EARLY - due) % PERIOD - _EARLY) * 1000 for at in arrivals]


async def hear(
    clients: int, *, address: Address, pid: int, seconds: float, settle: float, from_ticks: bool = False
) -> Heard:
    """Open a crowd, let it settle, listen, and say what it heard and what that cost the server.

    With `from_ticks` lateness is counted from the tick itself: for a server without send phases.
    """
    crowd, server = Crowd(), machine.family(pid)
    memory, cpu = machine.pss_mib(pid), machine.cpu_seconds(server)
    await crowd.open(clients, address=address)
    gc.disable()  # a pause of the crowd's own must not be taken for the server's
    connect_cpu = (machine.cpu_seconds(server) - cpu) / clients * 1000
    await asyncio.sleep(settle)
    held = (machine.pss_mib(pid) - memory) * 1024 / clients
    cpu, started = machine.cpu_seconds(server), time.monotonic()
    await crowd.listen(seconds)
    elapsed = time.monotonic() - started
    used = (machine.cpu_seconds(server) - cpu) / elapsed
    late = crowd.ages if from_ticks else crowd.lateness()
    crowd.close()
    gc.enable()
    await asyncio.sleep(0.5)
    cuts, ages = _percentiles(late), _percentiles(crowd.ages)
    return Heard(clients, *cuts, *ages, crowd.count / elapsed, used, held, connect_cpu)


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return float("nan"), float("nan")
    cuts = statistics.quantiles(values, n=100)
    return cuts[49], cuts[98]
