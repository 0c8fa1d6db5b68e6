"""What the venues' price streams share: a ccxt.pro connection whose ticker frames we take before ccxt sees them.

Everything else on the socket, such as answers to subscriptions, pings and errors, goes ccxt's ordinary way.
"""

import asyncio
import math
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, ClassVar, Final, NamedTuple, TypeVar

import orjson
import structlog
from aiohttp import WSMsgType

from apps.markets.domain.tape import Line, Tape
from apps.markets.gateways.ccxt_client import stream_client

log = structlog.get_logger(__name__)

CONNECT_SECONDS: Final = 10.0
KEEP_ALIVE_MS: Final = 5_000
CLOSE_SECONDS: Final = 1.0
#: A socket without any frame, or a lively one without a ticker, for so long is dead. Where few trade, the absence
#: of tickers says little: the patience with them doubles each time.
SILENCE_SECONDS: Final = 15.0
LONGEST_SILENCE_SECONDS: Final = 300.0
#: A subscription holds at the latest so long after it was sent.
SETTLED_MS: Final = 1_000
_ASKED_AGAIN_AT_ONCE: Final = 4
_LIVELY: Final = 0.5
_LOOK_SECONDS: Final = 1.0
_WAITING: Final = "coinsphere"
_T = TypeVar("_T")


class StreamLostError(Exception):
    """The connection has ended or is as good as dead; `reason` is closed, silent or unreachable."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        super().__init__(detail or reason)


class Details(NamedTuple):
    """What a ticker says besides its price: the change of a day as a fraction, and what was traded in it."""

    change: float | None = None
    quote_volume: float | None = None
    base_volume: float | None = None


class TickerStream(ABC):
    """One connection to one venue: lays every ticker onto the tape of its instrument."""

    venue: ClassVar[str]
    #: How many instruments one connection carries, and one subscription names.
    per_connection: ClassVar[int]
    per_message: ClassVar[int]
    #: Whether the frames lack the figures of the day, so that somebody has to ask for them.
    lacks_day_figures: ClassVar[bool] = False

    def __init__(
        self,
        *,
        number: int,
        tapes: Sequence[Tape],
        line: Line,
        now_ms: Callable[[], int],
        silence: float = SILENCE_SECONDS,
    ) -> None:
        self.number, self.line, self.now_ms = number, line, now_ms
        self.silence = self._patience = silence
        self.tapes = {self.name_of(tape): tape for tape in tapes}
        self.is_connected = False
        self._has_complained = False
        self._client: Any = None
        self._frames = self._number = 0
        self._sent: dict[int, list[str]] = {}
        self._refused: list[list[str]] = []

    # --- What differs from venue to venue -----------------------------------------------------------------------------
    @abstractmethod
    async def address(self, exchange: Any) -> str:  # noqa: ANN401 - ccxt is not typed
        """Return the URL of the socket."""

    @abstractmethod
    def subscription(self, symbols: Sequence[str], number: int) -> dict[str, Any]:
        """Return the message that asks for the tickers of these symbols, named as the venue does."""

    @abstractmethod
    def take(self, frame: Any) -> bool:  # noqa: ANN401 - a parsed frame may be anything
        """Lay a frame's tickers onto their tapes; false if it is another kind of frame."""

    @abstractmethod
    def refused(self, frame: Any) -> int | None:  # noqa: ANN401 - a parsed frame may be anything
        """Return the number of the subscription that a frame refuses as a whole, if it does."""

    @staticmethod
    @abstractmethod
    def details(raw: Mapping[str, Any], price: float) -> Details:
        """Read what else stands in a ticker; called for the newest one only."""

    @staticmethod
    def name_of(tape: Tape) -> str:
        """Return what the socket calls the instrument."""
        return tape.venue_symbol

    # --- One life of the connection -----------------------------------------------------------------------------------
    async def run(self) -> None:
        """Connect, subscribe and listen until the connection is lost, which is raised as `StreamLostError`."""
        exchange = stream_client(self.venue)
        exchange.streaming = {**exchange.streaming, "keepAlive": KEEP_ALIVE_MS}
        self._sent, self._refused = {}, []
        try:
            ended = await self._connect(exchange)
            await self.subscribe(list(self.tapes))
            self._hear_of(self.tapes.values())
            await self._listen(ended)
        finally:
            self.is_connected, self._client = False, None
            for tape in self.tapes.values():
                tape.builder.listen(math.inf)
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await exchange.close()

    def drop(self, tapes: Sequence[Tape]) -> None:
        """Hear no more of these instruments; the venue goes on sending until the next connection."""
        for tape in tapes:
            self.tapes.pop(self.name_of(tape), None)

    async def add(self, tapes: Sequence[Tape]) -> None:
        """Listen to more instruments on the connection as it is."""
        new = {self.name_of(tape): tape for tape in tapes}
        self.tapes.update(new)
        if self.is_connected:
            await self.subscribe(list(new))
            self._hear_of(tapes)

    def _hear_of(self, tapes: Iterable[Tape]) -> None:
        """Note that from now on nothing of these is missed: minutes are built of whole ones only."""
        for tape in tapes:
            tape.builder.listen((self.line.true_now or self.now_ms()) + SETTLED_MS)

    async def subscribe(self, symbols: Sequence[str]) -> None:
        """Ask for the tickers of these symbols."""
        for first in range(0, len(symbols), self.per_message):
            part = list(symbols[first : first + self.per_message])
            self._number += 1
            self._sent[self._number] = part
            message = self.subscription(part, self._number)
            try:
                await self._client.send(message)
            except (OSError, RuntimeError) as error:
                raise StreamLostError("closed", str(error)) from error

    async def _ask_again(self) -> None:
        """Ask for what was refused together with something unknown in halves: in the end only that is left out."""
        due, self._refused = self._refused[:_ASKED_AGAIN_AT_ONCE], self._refused[_ASKED_AGAIN_AT_ONCE:]
        for symbols in due:
            known = [symbol for symbol in symbols if symbol in self.tapes]
            if known:
                await self.subscribe(known)
                self._hear_of([self.tapes[symbol] for symbol in known])

    def _note_refusal(self, number: int) -> None:
        symbols = self._sent.pop(number, [])
        for tape in filter(None, map(self.tapes.get, symbols)):
            tape.builder.listen(math.inf)
        if len(symbols) == 1:
            self.line.refuse("unknown_pair")
            log.warning("A venue streams no such pair", venue=self.venue, pair=symbols[0])
            return
        half = len(symbols) // 2
        self._refused += [part for part in (symbols[:half], symbols[half:]) if part]

    async def _connect(self, exchange: Any) -> "asyncio.Future[Any]":  # noqa: ANN401 - ccxt is not typed
        exchange.open()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                url = await self.address(exchange)
        except Exception as error:
            raise StreamLostError("unreachable", str(error)) from error
        client = self._client = exchange.client(url)
        client.keepAlive, client.handle_message = KEEP_ALIVE_MS, self._hook(exchange, client)
        ended: asyncio.Future[Any] = client.future(_WAITING)
        opened = client.connect(exchange.session)
        await asyncio.wait({opened, ended}, timeout=CONNECT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not opened.done() or ended.done():
            raise StreamLostError("unreachable", _words(ended))
        self.is_connected = True
        return ended

    def _hook(self, exchange: Any, client: Any) -> Callable[[Any], None]:  # noqa: ANN401 - ccxt is not typed
        """Return what ccxt's socket calls for every frame: tickers are ours, the rest is ccxt's."""
        loads, take, text, line = orjson.loads, self.take, WSMsgType.TEXT, self.line
        ordinary = client.handle_message  # bound before it is replaced

        def handle(message: Any) -> None:  # noqa: ANN401 - aiohttp's message
            self._frames += 1
            if message.type is not text:
                ordinary(message)
                return
            try:
                frame = loads(message.data)
                if take(frame):
                    return
                number = self.refused(frame)
                if number is not None:
                    self._note_refusal(number)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
                line.refuse("garbage")
                return
            try:
                exchange.handle_message(client, frame)
            except Exception as error:  # noqa: BLE001 - one pair the venue does not know must not cost the others
                self._complain(error)

        return handle

    def _complain(self, error: Exception) -> None:
        self.line.refuse("error")
        if not self._has_complained:
            self._has_complained = True
            log.warning("A venue's stream reports an error", venue=self.venue, error=str(error)[:300])

    async def _listen(self, ended: "asyncio.Future[Any]") -> None:
        loop = asyncio.get_running_loop()
        started = frame_at = ticker_at = loop.time()
        frames, first, messages = self._frames, self.line.messages, self.line.messages
        while True:
            await asyncio.wait({ended}, timeout=_LOOK_SECONDS)
            if ended.done():
                raise StreamLostError("closed", _words(ended))
            await self._ask_again()
            at = loop.time()
            if self._frames != frames:
                frames, frame_at = self._frames, at
            if self.line.messages != messages:
                messages, ticker_at = self.line.messages, at
            is_lively = messages - first > _LIVELY * max(5.0, ticker_at - started)
            if at - frame_at > self.silence or at - ticker_at > (self.silence if is_lively else self._patience):
                self._patience = self.silence if is_lively else min(LONGEST_SILENCE_SECONDS, self._patience * 2)
                raise StreamLostError("silent")


def _words(ended: "asyncio.Future[Any]") -> str:
    if not ended.done() or ended.cancelled():
        return ""
    return str(ended.exception() or "")


def load_library() -> None:
    """Load ccxt.pro, which takes seconds; in a thread, so that the loop goes on meanwhile."""
    import_module("ccxt.pro")


def pause_after(failures: int) -> float:
    """Return how many seconds to wait before trying again: longer each time, and never all at once."""
    return float(random.uniform(0.5, 1.0) * min(30.0, 0.5 * 2 ** min(failures, 6)))  # noqa: S311 - spread, not secrecy


def spread(things: Sequence[_T], *, per_connection: int) -> list[list[_T]]:
    """Deal instruments, the largest first, onto as few connections as carry them, each with lively ones."""
    count = -(-len(things) // per_connection)
    return [list(things[number::count]) for number in range(count)]


def number_of(value: object) -> float | None:
    """Read a number of a frame, given as text or number; nothing where it is none."""
    try:
        return float(value)  # type: ignore[arg-type]  # refused below
    except (TypeError, ValueError):
        return None
