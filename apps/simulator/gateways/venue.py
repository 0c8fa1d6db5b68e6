"""What the doors of all exchanges share; the hub, the fault switches and the counters see an exchange only as this."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import ClassVar, NamedTuple

import orjson
from aiohttp import web

from apps.simulator.domain.shapes import Candle, Market, PublicTrade
from apps.simulator.gateways.desk import Desk
from apps.simulator.gateways.sockets import Push, Sockets

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LISTING_LASTS_MS = 1_000
_SPANS_MS = (10_000, 60_000, 600_000)
_ANY = 1_000_000


class RefusedError(Exception):
    """The exchange says no: a status and a body of its own."""

    def __init__(self, status: int, body: object, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers


class Listing(NamedTuple):
    """The markets of one moment, by the exchange's own name and by symbol."""

    at: int
    by_id: dict[str, Market]
    by_symbol: dict[str, Market]


class Venue(ABC):
    """One exchange: its routes, the key a request claims, the body of a failure, and what it pushes to its sockets."""

    name: ClassVar[str]

    def __init__(self, *, desk: Desk) -> None:
        self.desk = desk
        self.sockets = Sockets()
        self._listing = Listing(-LISTING_LASTS_MS, {}, {})
        self._traded: dict[tuple[str, str], PublicTrade] = {}
        self._candled: dict[tuple[str, int], int] = {}

    # --- what the hub and the fault switches use -----------------------------------------------------------------
    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of this exchange's paths."""

    @abstractmethod
    def key_of(self, request: web.Request) -> str:
        """Return the API key a request claims, or "" for a public one; checks nothing."""

    @abstractmethod
    def failure(self, fault: str) -> web.Response:
        """Return this exchange's own answer for one of 429, 418, 5xx."""

    @abstractmethod
    def market_id(self, market: Market) -> str:
        """Return what this exchange calls a market."""

    @abstractmethod
    def pushes(self, symbols: Sequence[str]) -> Iterable[Push]:
        """Yield the messages that follow from a move of these symbols, for topics somebody listens to."""

    def push(self, symbols: Sequence[str]) -> None:
        """Tell the sockets that these symbols (BTC/USDT) have moved; called by the hub at every tick."""
        if self.sockets.listeners:
            self.sockets.broadcast(self.pushes(symbols))

    # --- what the doors share ------------------------------------------------------------------------------------
    def listing(self) -> Listing:
        """Return the markets in the list now; looked up once a second."""
        now = self.desk.time()
        if abs(now - self._listing.at) >= LISTING_LASTS_MS:
            markets = self.desk.markets()
            self._listing = Listing(
                now, {self.market_id(item): item for item in markets}, {item.symbol: item for item in markets}
            )
        return self._listing

    def trading(self) -> list[Market]:
        """Return the markets in which one can trade now."""
        return [market for market in self.listing().by_id.values() if not market.halted]

    def latest_trades(self, symbol: str, count: int) -> list[PublicTrade]:
        """Return the newest public trades of the last ten minutes, oldest first."""
        now = self.desk.time()
        found: list[PublicTrade] = []
        for span in _SPANS_MS:
            found = self.desk.trades(symbol, now - span, _ANY)
            if len(found) >= count:
                break
        return found[-count:]

    def fresh_trades(self, symbol: str, kind: str) -> list[PublicTrade]:
        """Return the public trades of a symbol since this was last asked for this kind; at first the newest one."""
        known = self._traded.get((symbol, kind))
        if known is None or self.desk.time() - known.ts > _SPANS_MS[-1]:
            fresh = self.latest_trades(symbol, 1)
        else:
            fresh = [trade for trade in self.desk.trades(symbol, known.ts, _ANY) if trade.id > known.id]
        if fresh:
            self._traded[symbol, kind] = fresh[-1]
        return fresh

    def fresh_candles(self, symbol: str, timeframe_ms: int) -> list[Candle]:
        """Return the growing candle, after the one that has closed since this was last asked."""
        now = self.desk.time()
        opened = now - now % timeframe_ms
        known = self._candled.get((symbol, timeframe_ms), opened)
        self._candled[symbol, timeframe_ms] = opened
        return self.desk.candles(symbol, timeframe_ms, min(known, opened), now + 1)

    def guarded(self, handler: Handler) -> Handler:
        """Return the handler with refusals turned into the answers that they carry."""

        @functools.wraps(handler)
        async def answering(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except RefusedError as refusal:
                return answer(refusal.body, status=refusal.status, headers=refusal.headers)

        return answering

    def get(self, path: str, handler: Handler) -> web.RouteDef:
        """Return the route of a GET handler."""
        return web.get(path, self.guarded(handler), allow_head=False)

    def post(self, path: str, handler: Handler) -> web.RouteDef:
        """Return the route of a POST handler."""
        return web.post(path, self.guarded(handler))


def answer(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a body as JSON."""
    return web.Response(body=orjson.dumps(body), status=status, headers=headers, content_type="application/json")
