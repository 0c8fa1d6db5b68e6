"""Gives every client its prices four times a second, spread over the quarter so that bursts never line up.

A quarter of a second has 25 send phases. A client belongs to one of them and is sent what has changed since
its last frame: newest wins by itself. Where nothing has changed, nothing runs: no timer ticks for nobody.
"""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final

from prometheus_client import Counter, Histogram

from apps.live.domain.protocol import CloseCode
from apps.live.hub.board import NEVER, Board
from apps.live.hub.clients import Client, Keeper
from apps.live.hub.subscriptions import PriceSubscription, refreshes

PERIOD: Final = 0.25
PHASES: Final = 25
_WIDTH: Final = PERIOD / PHASES
_LAG_BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 1)
frame_lag = Histogram(
    "coinsphere_live_frame_lag_seconds",
    "From the moment price frames were due to the moment the last of their phase was handed to its socket.",
    buckets=_LAG_BUCKETS,
)
frames = Counter("coinsphere_live_price_frames_total", "Price updates handed to sockets.")
skipped = Counter("coinsphere_live_price_frames_skipped_total", "Price updates left out for readers that were slow.")


class _Phase:
    """The clients that are served together; `served` is the revision that all of them have."""

    __slots__ = ("members", "served")

    def __init__(self) -> None:
        self.members: dict[PriceSubscription, Client] = {}
        self.served = NEVER


class Pacer:
    """Sends price updates at their pace."""

    def __init__(self, board: Board, *, keeper: Keeper, now_ms: Callable[[], int]) -> None:
        self._board = board
        self._keeper = keeper
        self._now_ms = now_ms
        self._phases = tuple(_Phase() for _ in range(PHASES))
        self._timer: asyncio.TimerHandle | None = None
        self._planned: float = math.inf
        self._last = NEVER

    # --- Who is served ----------------------------------------------------------------------------------------------
    def add(self, prices: PriceSubscription, client: Client) -> None:
        """Serve a client from now on; the emptiest phase takes it."""
        if prices.slot < 0:
            prices.slot = min(range(PHASES), key=lambda slot: len(self._phases[slot].members))
        phase = self._phases[prices.slot]
        phase.members[prices] = client
        phase.served = NEVER
        self.wake()

    def remove(self, prices: PriceSubscription) -> None:
        """Serve a client no longer."""
        if prices.slot >= 0:
            self._phases[prices.slot].members.pop(prices, None)

    def members(self) -> list[tuple[PriceSubscription, Client]]:
        """Return everybody who watches prices."""
        return [pair for phase in self._phases for pair in phase.members.items()]

    # --- When -------------------------------------------------------------------------------------------------------
    def wake(self) -> None:
        """Plan the next phase that has something to send; called whenever the board has changed."""
        self._plan(max(self._last + 1, math.ceil(time.monotonic() / _WIDTH)))

    def _plan(self, first: int) -> None:
        due = next((number for number in range(first, first + PHASES) if self._is_due(number)), None)
        if due is None or due >= self._planned:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._planned = due
        self._timer = asyncio.get_running_loop().call_at(due * _WIDTH, self._run, due)

    def stop(self) -> None:
        """Send nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._planned = None, math.inf

    def _is_due(self, number: int) -> bool:
        phase = self._phases[number % PHASES]
        return bool(phase.members) and phase.served != self._board.revision

    def _run(self, number: int) -> None:
        self._timer, self._planned, self._last = None, math.inf, number
        try:
            self._serve(self._phases[number % PHASES])
        finally:
            # A phase that is late is served late; one that is late by a whole round is left out.
            present = time.monotonic()
            self._plan(max(number + 1, math.floor(present / _WIDTH) - PHASES + 1))
            frame_lag.observe(max(0.0, present - number * _WIDTH))

    # --- What -------------------------------------------------------------------------------------------------------
    def _serve(self, phase: _Phase) -> None:
        board, at, sent, held = self._board, asyncio.get_running_loop().time(), 0, 0
        board.begin(self._now_ms())
        for prices, client in tuple(phase.members.items()):
            line = client.line
            if line.waiting():
                held += 1
                self._hold(prices, client, at)
                continue
            if prices.held_since is not None:
                self._come_back(prices, at)
            if prices.snapshot_due:
                line.write(prices.snapshot())
                self._keeper.wake(client)
                continue
            frame = prices.update()
            if frame is not None:
                line.write(frame)
                sent += 1
        phase.served = NEVER if held else board.revision
        frames.inc(sent)
        if held:
            skipped.inc(held)

    def _hold(self, prices: PriceSubscription, client: Client, at: float) -> None:
        """Leave out one who has not taken the last frame yet."""
        if prices.held_since is None:
            prices.held_since = at
        elif at - prices.held_since > self._keeper.limits.hopeless_after:
            self._keeper.end(client, CloseCode.TOO_SLOW)

    def _come_back(self, prices: PriceSubscription, at: float) -> None:
        slow = prices.held_since is not None and at - prices.held_since > self._keeper.limits.slow_after
        prices.held_since = None
        if slow:
            refreshes.labels(reason="slow").inc()
            prices.refresh()
