"""Binance's public REST: the list of markets, prices, candles and trades; empty lists for what is not played here."""

from collections.abc import Mapping
from decimal import Decimal

import orjson
from aiohttp import web

from apps.simulator.domain.shapes import Candle, Market
from apps.simulator.gateways.binance import errors, tickers
from apps.simulator.gateways.binance.signing import number
from apps.simulator.gateways.venue import Venue, answer

_MOST = 1_000
_ZERO = "0.00000000"
_RATE_LIMITS = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
    {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200000},
    {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61000},
]


class PublicDoor:
    """The paths that need no key."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of the public paths."""
        get = self.venue.get
        return [
            get("/api/v3/ping", self.ping),
            get("/api/v3/time", self.time),
            get("/api/v3/exchangeInfo", self.exchange_info),
            get("/fapi/v1/exchangeInfo", self.no_markets),
            get("/dapi/v1/exchangeInfo", self.no_markets),
            get("/eapi/v1/exchangeInfo", self.no_markets),
            get("/api/v3/ticker/24hr", self.ticker_24h),
            get("/api/v3/ticker/price", self.ticker_price),
            get("/api/v3/ticker/bookTicker", self.book_ticker),
            get("/api/v3/klines", self.klines),
            get("/api/v3/trades", self.trades),
            get("/api/v3/aggTrades", self.aggregate_trades),
            get("/sapi/v1/system/status", self.status),
        ]

    async def ping(self, _: web.Request) -> web.Response:
        return answer({})

    async def time(self, _: web.Request) -> web.Response:
        return answer({"serverTime": self.venue.desk.now()})

    async def status(self, _: web.Request) -> web.Response:
        return answer({"status": 0, "msg": "normal"})

    async def no_markets(self, _: web.Request) -> web.Response:
        return answer(
            {
                "timezone": "UTC",
                "serverTime": self.venue.desk.now(),
                "rateLimits": [],
                "exchangeFilters": [],
                "symbols": [],
            }
        )

    async def exchange_info(self, request: web.Request) -> web.Response:
        markets, _ = self._asked(request.query)
        body = {
            "timezone": "UTC",
            "serverTime": self.venue.desk.now(),
            "rateLimits": _RATE_LIMITS,
            "exchangeFilters": [],
            "symbols": [_symbol(self.venue.market_id(market), market) for market in markets],
        }
        return answer(body)

    async def ticker_24h(self, request: web.Request) -> web.Response:
        markets, single = self._asked(request.query)
        desk, now = self.venue.desk, self.venue.desk.now()
        rows = [tickers.ticker_24h(self.venue.market_id(item), desk.ticker(item.symbol), now) for item in markets]
        return answer(rows[0] if single else rows)

    async def ticker_price(self, request: web.Request) -> web.Response:
        markets, single = self._asked(request.query)
        desk = self.venue.desk
        rows = [
            {"symbol": self.venue.market_id(item), "price": tickers.eight(desk.ticker(item.symbol).last)}
            for item in markets
        ]
        return answer(rows[0] if single else rows)

    async def book_ticker(self, request: web.Request) -> web.Response:
        markets, single = self._asked(request.query)
        desk = self.venue.desk
        rows = [tickers.book_ticker(self.venue.market_id(item), desk.ticker(item.symbol)) for item in markets]
        return answer(rows[0] if single else rows)

    async def klines(self, request: web.Request) -> web.Response:
        market = self._one(request.query)
        length = tickers.INTERVALS.get(request.query.get("interval", ""))
        if length is None:
            raise errors.bad_interval()
        limit = _limit(request.query, 500)
        now = self.venue.desk.time()
        start, end = number(request.query, "startTime"), number(request.query, "endTime")
        to = now + 1 if end is None else min(end, now) + 1
        if start is None:
            candles = self.venue.desk.candles(market.symbol, length, to - 1 - limit * length, to)[-limit:]
        else:
            candles = self._from(market, length, start, to, limit)
        return answer([tickers.kline(candle, length) for candle in candles])

    async def trades(self, request: web.Request) -> web.Response:
        market = self._one(request.query)
        limit = _limit(request.query, 500)
        found = self.venue.latest_trades(market.symbol, limit)
        return answer(
            [tickers.public_trade(trade, format(Decimal(trade.price) * Decimal(trade.amount), "f")) for trade in found]
        )

    async def aggregate_trades(self, request: web.Request) -> web.Response:
        market = self._one(request.query)
        limit, start = _limit(request.query, 500), number(request.query, "startTime")
        found = (
            self.venue.desk.trades(market.symbol, start, limit)
            if start
            else self.venue.latest_trades(market.symbol, limit)
        )
        return answer([tickers.aggregate_trade(trade) for trade in found])

    def _from(self, market: Market, length: int, start: int, to: int, limit: int) -> list[Candle]:
        """Return candles from a time on; where there are none yet, from the first one, as Binance does."""
        read = self.venue.desk.candles
        candles = read(market.symbol, length, start, min(to, start + (limit + 1) * length))
        if candles or start >= to or not read(market.symbol, length, to - length, to):
            return candles[:limit]
        empty, full = start, to - length
        while full - empty > length:
            middle = (empty + full) // 2
            if read(market.symbol, length, middle, middle + length):
                full = middle
            else:
                empty = middle
        return read(market.symbol, length, empty, min(to, empty + (limit + 2) * length))[:limit]

    def _one(self, query: Mapping[str, str]) -> Market:
        name = query.get("symbol", "")
        if not name:
            raise errors.missing("symbol")
        market = self.venue.listing().by_id.get(name)
        if market is None:
            raise errors.bad_symbol()
        return market

    def _asked(self, query: Mapping[str, str]) -> tuple[list[Market], bool]:
        """Return the markets a request names, all of them when it names none; and whether it named just one."""
        if "symbol" in query:
            return [self._one(query)], True
        if "symbols" not in query:
            return list(self.venue.listing().by_id.values()), False
        try:
            names = orjson.loads(query["symbols"])
        except orjson.JSONDecodeError as error:
            raise errors.illegal("symbols") from error
        return [self._one({"symbol": str(name)}) for name in names], False


def _limit(query: Mapping[str, str], usual: int) -> int:
    return min(number(query, "limit") or usual, _MOST)


def _symbol(market_id: str, market: Market) -> dict[str, object]:
    return {
        "symbol": market_id,
        "status": "BREAK" if market.halted else "TRADING",
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tickers.eight(market.price_step),
                "maxPrice": "1000000.00000000",
                "tickSize": tickers.eight(market.price_step),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": tickers.eight(market.min_amount),
                "maxQty": "9000000.00000000",
                "stepSize": tickers.eight(market.amount_step),
            },
            {"filterType": "ICEBERG_PARTS", "limit": 10},
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": "0.00000000",
                "maxQty": "9000.00000000",
                "stepSize": "0.00000000",
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": tickers.eight(market.min_cost),
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }
