"""Coinbase's socket: a snapshot on subscribing, then updates, numbered one by one for every connection."""

from collections.abc import Iterator, Sequence

import orjson
from aiohttp import web

from apps.simulator.domain.shapes import Candle, Ticker
from apps.simulator.gateways.coinbase.names import iso
from apps.simulator.gateways.coinbase.public import candle_row, percent, trade_row
from apps.simulator.gateways.sockets import EVERYTHING, Push, Socket, Topic
from apps.simulator.gateways.venue import Venue

_CHANNELS = {"ticker", "ticker_batch", "market_trades", "candles"}
_HEARTBEAT = Topic(EVERYTHING, "heartbeats")
_HEARTBEAT_EVERY_MS = 1_000
_CANDLE_MS = 300_000
Row = dict[str, object]


class SocketDoor:
    """The socket of one exchange."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.desk = venue.desk
        self._beaten_at = 0
        self._beats = 0

    def routes(self) -> list[web.RouteDef]:
        """Return the handler of the socket; it has no path."""
        return [web.get("/", self.serve, allow_head=False)]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        return await self.venue.sockets.serve(request, on_open=lambda _: None, on_text=self._said)

    def _said(self, socket: Socket, text: str) -> None:
        try:
            message = orjson.loads(text)
            kind, channel = message["type"], str(message["channel"])
            names = [str(name) for name in message.get("product_ids") or ()]
        except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError):
            return _error(socket, "failed to unmarshal message")
        if kind not in {"subscribe", "unsubscribe"}:
            return _error(socket, f"message type {kind} is not supported")
        topics = self._topics(channel, names)
        if topics is None:
            refused = "authentication failure" if channel == "user" else f"{channel} or a product of it is not found"
            return _error(socket, refused)
        if kind == "subscribe":
            self._begin(socket, topics)
        else:
            for topic in topics:
                socket.forget(topic)
            self._acknowledge(socket)
        return None

    def _begin(self, socket: Socket, topics: Sequence[Topic]) -> None:
        for topic in topics:
            socket.listen(topic, name=topic.kind)
        self._acknowledge(socket)
        for topic in topics:
            self._start(socket, topic)

    def _topics(self, channel: str, names: Sequence[str]) -> list[Topic] | None:
        """Return what a message asks for, None if one of it does not exist; without products it asks for all."""
        if channel == _HEARTBEAT.kind:
            return [_HEARTBEAT]
        listed = self.venue.listing().by_id
        if channel not in _CHANNELS or any(name not in listed for name in names):
            return None
        return [Topic(listed[name].symbol, channel) for name in names or listed]

    def _acknowledge(self, socket: Socket) -> None:
        by_symbol = self.venue.listing().by_symbol
        listening: dict[str, list[str]] = {}
        for topic, channel in socket.topics.items():
            market = by_symbol.get(topic.symbol)
            listening.setdefault(channel, []).append(self.venue.market_id(market) if market else channel)
        self._send(socket, "subscriptions", [{"subscriptions": listening}])

    def _start(self, socket: Socket, topic: Topic) -> None:
        name = "" if topic == _HEARTBEAT else self._name(topic)
        if not name:
            return
        now = self.desk.time()
        if topic.kind == "market_trades":
            rows: list[Row] = [
                dict(trade_row(name, trade)) for trade in reversed(self.venue.latest_trades(topic.symbol, 50))
            ]
            event: Row = {"type": "snapshot", "trades": rows}
        elif topic.kind == "candles":
            found = self.desk.candles(topic.symbol, _CANDLE_MS, now - 100 * _CANDLE_MS, now + 1)
            event = {"type": "snapshot", "candles": [_candle(name, row) for row in reversed(found)]}
        else:
            event = {"type": "snapshot", "tickers": [_ticker(name, self.desk.ticker(topic.symbol))]}
        self._send(socket, topic.kind, [event])

    def pushes(self, symbols: Sequence[str]) -> Iterator[Push]:
        """Yield one message per topic that somebody listens to, and a heartbeat every second."""
        for symbol in symbols:
            for kind in self.venue.sockets.kinds(symbol):
                topic = Topic(symbol, kind)
                event = self._event(topic)
                if event is not None:
                    yield Push(topic, *self._encode(kind, [event]))
        now = self.desk.time()
        if now - self._beaten_at >= _HEARTBEAT_EVERY_MS:
            self._beaten_at, self._beats = now, self._beats + 1
            beat: Row = {"current_time": iso(now), "heartbeat_counter": str(self._beats)}
            yield Push(_HEARTBEAT, *self._encode(_HEARTBEAT.kind, [beat]))

    def _event(self, topic: Topic) -> Row | None:
        name = self._name(topic)
        if not name:
            return None
        if topic.kind == "market_trades":
            trades = [trade_row(name, trade) for trade in reversed(self.venue.fresh_trades(topic.symbol, topic.kind))]
            return {"type": "update", "trades": trades} if trades else None
        if topic.kind == "candles":
            candles = self.venue.fresh_candles(topic.symbol, _CANDLE_MS)
            return {"type": "update", "candles": [_candle(name, candle) for candle in candles]}
        return {"type": "update", "tickers": [_ticker(name, self.desk.ticker(topic.symbol))]}

    def _name(self, topic: Topic) -> str:
        market = self.venue.listing().by_symbol.get(topic.symbol)
        return self.venue.market_id(market) if market else ""

    def _encode(self, channel: str, events: list[Row]) -> tuple[bytes, bytes]:
        """Return a message in two parts; the number of the message within the connection goes between them."""
        head = orjson.dumps({"channel": channel, "client_id": "", "timestamp": iso(self.desk.now())})
        return head[:-1] + b',"sequence_num":', b',"events":' + orjson.dumps(events) + b"}"

    def _send(self, socket: Socket, channel: str, events: list[Row]) -> None:
        socket.send(*self._encode(channel, events))


def _ticker(name: str, ticker: Ticker) -> Row:
    return {
        "type": "ticker",
        "product_id": name,
        "price": ticker.last,
        "volume_24_h": ticker.volume,
        "low_24_h": ticker.low,
        "high_24_h": ticker.high,
        "low_52_w": ticker.low,
        "high_52_w": ticker.high,
        "price_percent_chg_24_h": percent(ticker.change_fraction),
        "best_bid": ticker.bid,
        "best_bid_quantity": ticker.bid_amount,
        "best_ask": ticker.ask,
        "best_ask_quantity": ticker.ask_amount,
    }


def _error(socket: Socket, message: str) -> None:
    socket.send(orjson.dumps({"type": "error", "message": message}))


def _candle(name: str, candle: Candle) -> dict[str, str]:
    return candle_row(candle) | {"product_id": name}
