"""Binance's streams: SUBSCRIBE and UNSUBSCRIBE, raw events under /ws, wrapped ones under /stream."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import orjson
from aiohttp import web

from apps.simulator.domain.shapes import Ticker
from apps.simulator.gateways.binance import tickers
from apps.simulator.gateways.sockets import EVERYTHING, Push, Socket, Topic
from apps.simulator.gateways.venue import Venue

_WRAPPED = "+"
_KINDS = {"miniTicker", "ticker", "bookTicker", "trade", "aggTrade"}
_ALL = {"!miniTicker@arr": "miniTicker", "!ticker@arr": "ticker"}
Event = dict[str, object]


class Moved(NamedTuple):
    """A symbol that has moved, with its ticker."""

    symbol: str
    market_id: str
    ticker: Ticker


class SocketDoor:
    """The streams of one exchange."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of the stream paths."""
        paths = ("/ws", "/ws/{name:.*}", "/stream", "/stream/ws", "/stream/ws/{name:.*}")
        return [web.get(path, self.serve, allow_head=False) for path in paths]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        return await self.venue.sockets.serve(request, on_open=self._opened, on_text=self._said)

    def _opened(self, socket: Socket) -> None:
        """Start the streams that the address names: /ws/btcusdt@trade or /stream?streams=a/b."""
        names = socket.request.query.get("streams") or socket.request.match_info.get("name", "")
        for name in names.split("/"):
            self._subscribe(socket, name)

    def _said(self, socket: Socket, text: str) -> None:
        try:
            message = orjson.loads(text)
            method, identity = message["method"], message.get("id")
            names = [str(name) for name in message.get("params", ())]
        except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError):
            return _reply(socket, {"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}})
        if method == "SUBSCRIBE":
            for name in names:
                self._subscribe(socket, name)
        elif method == "UNSUBSCRIBE":
            for topic in [topic for topic, given in socket.topics.items() if given in names]:
                socket.forget(topic)
        elif method == "LIST_SUBSCRIPTIONS":
            return _reply(socket, {"result": list(socket.topics.values()), "id": identity})
        else:
            body = {"code": 2, "msg": f"Invalid request: unknown variant `{method}`"}
            return _reply(socket, {"error": body, "id": identity})
        return _reply(socket, {"result": None, "id": identity})

    def _subscribe(self, socket: Socket, name: str) -> None:
        """Listen to a stream; one that does not exist is accepted and stays quiet, as at Binance."""
        wrapped = _WRAPPED if socket.request.path == "/stream" else ""
        if name in _ALL:
            socket.listen(Topic(EVERYTHING, wrapped + _ALL[name]), name=name)
            return
        market_name, _, kind = name.partition("@")
        market = self.venue.listing().by_id.get(market_name.upper())
        known = kind in _KINDS or kind.removeprefix("kline_") in tickers.INTERVALS
        if market is not None and known:
            socket.listen(Topic(market.symbol, wrapped + kind), name=name)

    def pushes(self, symbols: Sequence[str]) -> Iterator[Push]:
        """Yield one event per stream that somebody listens to."""
        sockets, listing = self.venue.sockets, self.venue.listing()
        everything = sockets.kinds(EVERYTHING)
        moved = []
        for symbol in symbols:
            kinds = sockets.kinds(symbol)
            market = listing.by_symbol.get(symbol)
            if market is None or not (kinds or everything):
                continue
            change = Moved(symbol, self.venue.market_id(market), self.venue.desk.ticker(symbol))
            moved.append(change)
            yield from self._of_symbol(change, kinds)
        yield from self._of_all(moved, everything)

    def _of_symbol(self, change: Moved, kinds: Iterable[str]) -> Iterator[Push]:
        events: dict[str, list[Event]] = {}
        for kind in kinds:
            plain = kind.removeprefix(_WRAPPED)
            if plain not in events:
                events[plain] = self._events(change, plain)
            for event in events[plain]:
                name = f"{change.market_id.lower()}@{plain}" if kind != plain else ""
                yield Push(Topic(change.symbol, kind), _encode(event, name))

    def _events(self, change: Moved, kind: str) -> list[Event]:
        now = self.venue.desk.now()
        if kind in {"trade", "aggTrade"}:
            make = tickers.trade_event if kind == "trade" else tickers.aggregate_event
            return [make(change.market_id, trade, now) for trade in self.venue.fresh_trades(change.symbol, kind)]
        makers: dict[str, Callable[[], Event]] = {
            "miniTicker": lambda: tickers.mini_event(change.market_id, change.ticker, now),
            "ticker": lambda: tickers.ticker_event(change.market_id, change.ticker, now),
            "bookTicker": lambda: tickers.book_event(change.market_id, change.ticker),
        }
        if kind in makers:
            return [makers[kind]()]
        interval = kind.removeprefix("kline_")
        candles = self.venue.fresh_candles(change.symbol, tickers.INTERVALS[interval])
        return [tickers.kline_event(change.market_id, interval, candle, now) for candle in candles]

    def _of_all(self, moved: Sequence[Moved], kinds: Iterable[str]) -> Iterator[Push]:
        now = self.venue.desk.now()
        for kind in kinds if moved else ():
            plain = kind.removeprefix(_WRAPPED)
            make = tickers.mini_event if plain == "miniTicker" else tickers.ticker_event
            body = [make(change.market_id, change.ticker, now) for change in moved]
            yield Push(Topic(EVERYTHING, kind), _encode(body, f"!{plain}@arr" if kind != plain else ""))


def _encode(event: object, wrapped_as: str) -> bytes:
    return orjson.dumps({"stream": wrapped_as, "data": event} if wrapped_as else event)


def _reply(socket: Socket, body: Event) -> None:
    socket.send(orjson.dumps(body))
