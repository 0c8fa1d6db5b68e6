"""Kraken's socket, version 2: a snapshot on subscribing, then updates; numbers are exact JSON numbers."""

from collections.abc import Iterator, Sequence

import orjson
from aiohttp import web

from apps.simulator.domain.shapes import Candle, PublicTrade, Ticker
from apps.simulator.gateways.figures import iso, short
from apps.simulator.gateways.kraken.public import MINUTES, MOST_CANDLES, vwap
from apps.simulator.gateways.sockets import EVERYTHING, Push, Socket, Topic
from apps.simulator.gateways.venue import Venue

_HEARTBEAT = Topic(EVERYTHING, "heartbeat")
_HEARTBEAT_EVERY_MS = 1_000
Message = dict[str, object]


class SocketDoor:
    """The socket of one exchange."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.desk = venue.desk
        self._beaten_at = 0

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of the socket's paths."""
        return [web.get("/v2", self.serve, allow_head=False)]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        return await self.venue.sockets.serve(request, on_open=self._opened, on_text=self._said)

    def _opened(self, socket: Socket) -> None:
        status = {"version": "2.0.10", "system": "online", "api_version": "v2", "connection_id": id(socket)}
        _send(socket, {"channel": "status", "type": "update", "data": [status]})

    def _said(self, socket: Socket, text: str) -> None:
        came = iso(self.desk.now())
        try:
            message = orjson.loads(text)
            method, identity, params = message["method"], message.get("req_id"), message.get("params") or {}
            symbols = [str(name) for name in params.get("symbol") or ()]
        except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError):
            return _send(socket, {"error": "Malformed request", "success": False, "time_in": came, "time_out": came})
        head = {"method": method, "time_in": came, "time_out": came} | ({"req_id": identity} if identity else {})
        if method == "ping":
            return _send(socket, head | {"method": "pong"})
        if method not in {"subscribe", "unsubscribe"}:
            return _send(socket, head | {"success": False, "error": f"Method(s) not found: {method}"})
        channel, minutes = str(params.get("channel", "")), params.get("interval", 1)
        kind = f"ohlc-{minutes}" if channel == "ohlc" else channel
        if channel not in {"ticker", "trade", "ohlc"} or (channel == "ohlc" and minutes not in MINUTES):
            return _send(socket, head | {"success": False, "error": f"Subscription {channel} not found"})
        for symbol in symbols:
            self._answer(socket, head, Topic(symbol, kind), snapshot=params.get("snapshot", True) is not False)
        return None

    def _answer(self, socket: Socket, head: Message, topic: Topic, *, snapshot: bool) -> None:
        """Start or end one subscription and say so."""
        market = self.venue.listing().by_symbol.get(topic.symbol)
        if market is None:
            error = f"Currency pair not supported {topic.symbol}"
            return _send(socket, head | {"success": False, "error": error, "symbol": topic.symbol})
        channel, _, minutes = topic.kind.partition("-")
        said = {"channel": channel, "symbol": topic.symbol} | ({"interval": int(minutes)} if minutes else {})
        if head["method"] == "unsubscribe":
            socket.forget(topic)
            return _send(socket, head | {"success": True, "result": said})
        socket.listen(topic)
        socket.listen(_HEARTBEAT)
        _send(socket, head | {"success": True, "result": said | {"snapshot": snapshot}})
        if snapshot:
            socket.send(self._encode(topic, "snapshot", self._snapshot(topic)))
        return None

    def _snapshot(self, topic: Topic) -> list[Message]:
        now = self.desk.time()
        if topic.kind == "ticker":
            return [self._ticker(self.desk.ticker(topic.symbol))]
        if topic.kind == "trade":
            return [_trade(topic.symbol, trade) for trade in self.venue.latest_trades(topic.symbol, 50)]
        length = _minutes(topic) * 60_000
        candles = self.desk.candles(topic.symbol, length, now - MOST_CANDLES * length, now + 1)
        return [self._candle(topic, candle) for candle in candles]

    def pushes(self, symbols: Sequence[str]) -> Iterator[Push]:
        """Yield one update per topic that somebody listens to, and a heartbeat every second."""
        for symbol in symbols:
            for kind in self.venue.sockets.kinds(symbol):
                topic = Topic(symbol, kind)
                news = self._news(topic)
                if news:
                    yield Push(topic, self._encode(topic, "update", news))
        now = self.desk.time()
        if now - self._beaten_at >= _HEARTBEAT_EVERY_MS:
            self._beaten_at = now
            yield Push(_HEARTBEAT, b'{"channel":"heartbeat"}')

    def _news(self, topic: Topic) -> list[Message]:
        if topic.symbol not in self.venue.listing().by_symbol:
            return []
        if topic.kind == "ticker":
            return [self._ticker(self.desk.ticker(topic.symbol))]
        if topic.kind == "trade":
            return [_trade(topic.symbol, trade) for trade in self.venue.fresh_trades(topic.symbol, topic.kind)]
        candles = self.venue.fresh_candles(topic.symbol, _minutes(topic) * 60_000)
        return [self._candle(topic, candle) for candle in candles]

    def _encode(self, topic: Topic, kind: str, data: list[Message]) -> bytes:
        channel = topic.kind.partition("-")[0]
        return orjson.dumps({"channel": channel, "type": kind, "timestamp": iso(self.desk.now()), "data": data})

    def _ticker(self, ticker: Ticker) -> Message:
        percent = f"{float(ticker.change_fraction) * 100:.2f}"
        return {
            "symbol": ticker.symbol,
            "bid": _number(ticker.bid),
            "bid_qty": _number(ticker.bid_amount),
            "ask": _number(ticker.ask),
            "ask_qty": _number(ticker.ask_amount),
            "last": _number(ticker.last),
            "volume": _number(ticker.volume),
            "vwap": _number(ticker.average),
            "low": _number(ticker.low),
            "high": _number(ticker.high),
            "change": _number(ticker.change),
            "change_pct": _number(percent),
            "timestamp": iso(ticker.ts),
        }

    def _candle(self, topic: Topic, candle: Candle) -> Message:
        minutes = _minutes(topic)
        digits = len(candle.close.partition(".")[2])
        return {
            "symbol": topic.symbol,
            "open": _number(candle.open),
            "high": _number(candle.high),
            "low": _number(candle.low),
            "close": _number(candle.close),
            "trades": candle.trades,
            "volume": _number(candle.volume),
            "vwap": _number(vwap(candle, digits)),
            "interval_begin": iso(candle.ts).replace("Z", "000Z"),
            "interval": minutes,
            "timestamp": iso(candle.ts + minutes * 60_000),
        }


def _minutes(topic: Topic) -> int:
    return int(topic.kind.partition("-")[2])


def _trade(symbol: str, trade: PublicTrade) -> Message:
    return {
        "symbol": symbol,
        "side": trade.side,
        "price": _number(trade.price),
        "qty": _number(trade.amount),
        "ord_type": "market",
        "trade_id": trade.id,
        "timestamp": iso(trade.ts),
    }


def _number(text: str) -> orjson.Fragment:
    """Return a number that is written into JSON as it stands, without a float in between."""
    return orjson.Fragment(short(text))


def _send(socket: Socket, body: Message) -> None:
    socket.send(orjson.dumps(body))
