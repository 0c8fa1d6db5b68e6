"""KuCoin's socket: a token first, then topics; pings are messages."""

import hashlib
from collections.abc import Iterator, Sequence

import orjson
from aiohttp import web

from apps.simulator.domain.shapes import Market, PublicTrade, Ticker
from apps.simulator.gateways.figures import short
from apps.simulator.gateways.kucoin import books
from apps.simulator.gateways.kucoin.public import CANDLES, best, candle_row, data
from apps.simulator.gateways.kucoin.signing import signed
from apps.simulator.gateways.sockets import EVERYTHING, Push, Socket, Topic
from apps.simulator.gateways.venue import Venue

_CHANNELS = {
    "/market/ticker": "ticker",
    "/market/snapshot": "snapshot",
    "/market/match": "match",
    "/market/candles": "candles",
    "/spotMarket/level1": "level1",
}
_SUBJECTS = {
    "ticker": "trade.ticker",
    "snapshot": "trade.snapshot",
    "match": "trade.l3match",
    "candles": "trade.candles.update",
    "level1": "level1",
}
_PATHS = {kind: path for path, kind in _CHANNELS.items()}
_PING_EVERY_MS = 18_000
Body = dict[str, object]


class SocketDoor:
    """The socket of one exchange, and the two paths that give a token for it."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.desk = venue.desk
        self._tokens: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of the socket and its tokens."""
        return [
            self.venue.post("/api/v1/bullet-public", self.public_token),
            self.venue.post("/api/v1/bullet-private", self.private_token),
            web.get("/endpoint", self.serve, allow_head=False),
        ]

    async def public_token(self, request: web.Request) -> web.Response:
        return data(self._bullet(request))

    async def private_token(self, request: web.Request) -> web.Response:
        await signed(request, self.desk)
        return data(self._bullet(request))

    def _bullet(self, request: web.Request) -> Body:
        token = hashlib.sha256(f"{len(self._tokens)}:{self.desk.time()}".encode()).hexdigest()
        self._tokens.add(token)
        server = {
            "endpoint": f"ws://{request.host}/endpoint",
            "encrypt": False,
            "protocol": "websocket",
            "pingInterval": _PING_EVERY_MS,
            "pingTimeout": 10_000,
        }
        return {"token": token, "instanceServers": [server]}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        return await self.venue.sockets.serve(request, on_open=self._opened, on_text=self._said)

    def _opened(self, socket: Socket) -> None:
        identity = socket.request.query.get("connectId", "")
        if socket.request.query.get("token", "") in self._tokens:
            _send(socket, {"id": identity, "type": "welcome"})
        else:
            _send(socket, {"id": identity, "type": "error", "code": 401, "data": "token is invalid"})

    def _said(self, socket: Socket, text: str) -> None:
        try:
            message = orjson.loads(text)
            kind, identity, topic = message["type"], str(message.get("id", "")), str(message.get("topic", ""))
        except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError):
            return _send(socket, {"type": "error", "code": 400, "data": "message format is not correct"})
        if kind == "ping":
            return _send(socket, {"id": identity, "type": "pong"})
        if kind not in {"subscribe", "unsubscribe"}:
            return _send(socket, {"id": identity, "type": "error", "code": 415, "data": "type is not supported"})
        topics = self._topics(topic)
        if socket.request.query.get("token", "") not in self._tokens or not topics:
            return _send(socket, {"id": identity, "type": "error", "code": 404, "data": f"topic {topic} is not found"})
        for wanted in topics:
            if kind == "subscribe":
                socket.listen(wanted)
            else:
                socket.forget(wanted)
        if message.get("response", True):
            _send(socket, {"id": identity, "type": "ack"})
        return None

    def _topics(self, text: str) -> list[Topic]:
        """Return what /market/ticker:BTC-USDT,ETH-USDT asks for; nothing if one of it does not exist."""
        path, _, names = text.partition(":")
        channel = _CHANNELS.get(path, "")
        if channel == "ticker" and names == "all":
            return [Topic(EVERYTHING, channel)]
        found = []
        for name in names.split(",") if channel else ():
            market_id, _, length = name.partition("_")
            market = self.venue.listing().by_id.get(market_id)
            if market is None or (channel == "candles") is not (length in CANDLES):
                return []
            found.append(Topic(market.symbol, f"{channel}_{length}" if length else channel))
        return found

    def pushes(self, symbols: Sequence[str]) -> Iterator[Push]:
        """Yield one message per topic that somebody listens to."""
        sockets, listing = self.venue.sockets, self.venue.listing().by_symbol
        everything = sockets.kinds(EVERYTHING)
        for symbol in symbols:
            kinds = sockets.kinds(symbol)
            market = listing.get(symbol)
            if market is None or not (kinds or everything):
                continue
            ticker = self.desk.ticker(symbol)
            for kind in kinds:
                for body in self._bodies(market, kind, ticker):
                    yield Push(Topic(symbol, kind), self._encode(market, kind, body))
            for kind in everything:
                body = best(ticker) | {"time": ticker.ts}
                subject = self.venue.market_id(market)
                message = {"type": "message", "topic": "/market/ticker:all", "subject": subject, "data": body}
                yield Push(Topic(EVERYTHING, kind), orjson.dumps(message))

    def _bodies(self, market: Market, kind: str, ticker: Ticker) -> list[Body]:
        if kind == "ticker":
            return [best(ticker) | {"time": ticker.ts}]
        if kind == "level1":
            asks, bids = [ticker.ask, ticker.ask_amount], [ticker.bid, ticker.bid_amount]
            return [{"asks": asks, "bids": bids, "timestamp": ticker.ts}]
        if kind == "snapshot":
            return [{"sequence": str(ticker.last_id), "data": self._snapshot(market, ticker)}]
        market_id = self.venue.market_id(market)
        if kind == "match":
            return [_match(market_id, trade) for trade in self.venue.fresh_trades(market.symbol, kind)]
        now = self.desk.now() * 1_000_000
        candles = self.venue.fresh_candles(market.symbol, CANDLES[kind.partition("_")[2]])
        return [{"symbol": market_id, "candles": candle_row(candle), "time": now} for candle in candles]

    def _snapshot(self, market: Market, ticker: Ticker) -> Body:
        market_id = self.venue.market_id(market)
        return {
            "trading": not market.halted,
            "symbol": market_id,
            "buy": _number(ticker.bid),
            "sell": _number(ticker.ask),
            "sort": 100,
            "volValue": _number(ticker.quote_volume),
            "baseCurrency": market.base,
            "market": market.quote,
            "quoteCurrency": market.quote,
            "symbolCode": market_id,
            "datetime": ticker.ts,
            "high": _number(ticker.high),
            "vol": _number(ticker.volume),
            "low": _number(ticker.low),
            "open": _number(ticker.open),
            "changePrice": _number(ticker.change),
            "changeRate": _number(ticker.change_fraction),
            "lastTradedPrice": _number(ticker.last),
            "averagePrice": _number(ticker.average),
            "board": 0,
            "mark": 0,
        }

    def _encode(self, market: Market, kind: str, body: Body) -> bytes:
        channel, _, length = kind.partition("_")
        name = self.venue.market_id(market) + (f"_{length}" if length else "")
        topic = f"{_PATHS[channel]}:{name}"
        return orjson.dumps({"type": "message", "topic": topic, "subject": _SUBJECTS[channel], "data": body})


def _match(market_id: str, trade: PublicTrade) -> Body:
    return {
        "sequence": str(trade.id),
        "symbol": market_id,
        "side": trade.side,
        "size": short(trade.amount),
        "price": short(trade.price),
        "takerOrderId": books.hex_id("taker", market_id, trade.id),
        "time": str(trade.ts * 1_000_000),
        "type": "match",
        "makerOrderId": books.hex_id("maker", market_id, trade.id),
        "tradeId": str(trade.id),
    }


def _number(text: str) -> orjson.Fragment:
    """Return a number that is written into JSON as it stands, without a float in between."""
    return orjson.Fragment(short(text))


def _send(socket: Socket, body: Body) -> None:
    socket.send(orjson.dumps(body))
