"""KuCoin's public REST: currencies, symbols, tickers, at most 1,500 candles, trades, and the way to its socket."""

from collections.abc import Mapping

from aiohttp import web

from apps.simulator.domain.shapes import Candle, Currency, Market, PublicTrade, Ticker
from apps.simulator.gateways.figures import short
from apps.simulator.gateways.kucoin.signing import refuse
from apps.simulator.gateways.venue import Venue, answer

CANDLES = {
    "1min": 60_000,
    "3min": 180_000,
    "5min": 300_000,
    "15min": 900_000,
    "30min": 1_800_000,
    "1hour": 3_600_000,
    "2hour": 7_200_000,
    "4hour": 14_400_000,
    "6hour": 21_600_000,
    "8hour": 28_800_000,
    "12hour": 43_200_000,
    "1day": 86_400_000,
    "1week": 604_800_000,
}
_MOST_CANDLES = 1_500
_MOST_TRADES = 100


def data(body: object) -> web.Response:
    """Return data in KuCoin's envelope."""
    return answer({"code": "200000", "data": body})


def number(params: Mapping[str, str], name: str) -> int | None:
    """Return a whole number among the parameters, or None when it was not sent."""
    text = params.get(name, "")
    if not text:
        return None
    if not text.isdecimal():
        raise refuse(400, "400100", f"{name} is invalid")
    return int(text)


class PublicDoor:
    """The paths that need no key."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.desk = venue.desk

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of the public paths."""
        get = self.venue.get
        return [
            get("/api/v1/timestamp", self.time),
            get("/api/v1/status", self.status),
            get("/api/v3/currencies", self.currencies),
            get("/api/v2/symbols", self.symbols),
            get("/api/v1/contracts/active", self.no_contracts),
            get("/api/v1/market/allTickers", self.all_tickers),
            get("/api/v1/market/stats", self.stats),
            get("/api/v1/market/orderbook/level1", self.best),
            get("/api/v1/market/candles", self.candles),
            get("/api/v1/market/histories", self.trades),
        ]

    async def time(self, _: web.Request) -> web.Response:
        return answer({"code": "200000", "msg": "success", "data": self.desk.now()})

    async def status(self, _: web.Request) -> web.Response:
        return data({"status": "open", "msg": ""})

    async def no_contracts(self, _: web.Request) -> web.Response:
        return data([])

    async def currencies(self, _: web.Request) -> web.Response:
        return data([_currency(currency) for currency in self.desk.currencies()])

    async def symbols(self, _: web.Request) -> web.Response:
        return data([_symbol(market_id, market) for market_id, market in self.venue.listing().by_id.items()])

    async def all_tickers(self, _: web.Request) -> web.Response:
        rows = [
            _ticker(market_id, self.desk.ticker(market.symbol)) | {"symbolName": market_id}
            for market_id, market in self.venue.listing().by_id.items()
        ]
        return data({"time": self.desk.now(), "ticker": rows})

    async def stats(self, request: web.Request) -> web.Response:
        market = self._one(request.query)
        ticker = self.desk.ticker(market.symbol)
        return data({"time": self.desk.now()} | _ticker(self.venue.market_id(market), ticker))

    async def best(self, request: web.Request) -> web.Response:
        ticker = self.desk.ticker(self._one(request.query).symbol)
        return data(best(ticker) | {"time": ticker.ts})

    async def candles(self, request: web.Request) -> web.Response:
        market = self._one(request.query)
        length = CANDLES.get(request.query.get("type", ""))
        if length is None:
            raise refuse(400, "400100", "Incorrect candlestick type.")
        now = self.desk.time()
        start, end = (number(request.query, name) or 0 for name in ("startAt", "endAt"))
        to = min(end * 1000 or now + 1, now + 1)  # the end is exclusive
        first = max(start * 1000, to - _MOST_CANDLES * length)
        found = self.desk.candles(market.symbol, length, first, to)
        return data([candle_row(candle) for candle in reversed(found[-_MOST_CANDLES:])])

    async def trades(self, request: web.Request) -> web.Response:
        market = self._one(request.query)
        found = self.venue.latest_trades(market.symbol, _MOST_TRADES)
        return data([_trade(trade) for trade in found])

    def _one(self, query: Mapping[str, str]) -> Market:
        market = self.venue.listing().by_id.get(query.get("symbol", ""))
        if market is None:
            raise refuse(400, "900001", "symbol not exists")
        return market


def best(ticker: Ticker) -> dict[str, object]:
    """Return the last trade and the best prices, as the ticker topic and level 1 have them."""
    return {
        "sequence": str(ticker.last_id),
        "price": short(ticker.last),
        "size": short(ticker.last_amount),
        "bestBid": short(ticker.bid),
        "bestBidSize": short(ticker.bid_amount),
        "bestAsk": short(ticker.ask),
        "bestAskSize": short(ticker.ask_amount),
    }


def candle_row(candle: Candle) -> list[str]:
    """Return a candle as KuCoin orders it: open, close, high, low."""
    prices = (candle.open, candle.close, candle.high, candle.low, candle.volume, candle.quote_volume)
    return [str(candle.ts // 1000), *(short(text) for text in prices)]


def _ticker(market_id: str, ticker: Ticker) -> dict[str, object]:
    return {
        "symbol": market_id,
        "buy": short(ticker.bid),
        "bestBidSize": short(ticker.bid_amount),
        "sell": short(ticker.ask),
        "bestAskSize": short(ticker.ask_amount),
        "changeRate": short(ticker.change_fraction),
        "changePrice": short(ticker.change),
        "high": short(ticker.high),
        "low": short(ticker.low),
        "vol": short(ticker.volume),
        "volValue": short(ticker.quote_volume),
        "last": short(ticker.last),
        "averagePrice": short(ticker.average),
        "takerFeeRate": "0.001",
        "makerFeeRate": "0.001",
        "takerCoefficient": "1",
        "makerCoefficient": "1",
    }


def _trade(trade: PublicTrade) -> dict[str, object]:
    return {
        "sequence": str(trade.id),
        "price": short(trade.price),
        "size": short(trade.amount),
        "side": trade.side,
        "time": trade.ts * 1_000_000,
    }


def _symbol(market_id: str, market: Market) -> dict[str, object]:
    return {
        "symbol": market_id,
        "name": market_id,
        "baseCurrency": market.base,
        "quoteCurrency": market.quote,
        "feeCurrency": market.quote,
        "market": "USDS" if market.quote.startswith("USD") else market.quote,
        "baseMinSize": short(market.min_amount),
        "quoteMinSize": short(market.min_cost),
        "baseMaxSize": "10000000000",
        "quoteMaxSize": "99999999",
        "baseIncrement": market.amount_step,
        "quoteIncrement": market.price_step,
        "priceIncrement": market.price_step,
        "priceLimitRate": "0.1",
        "minFunds": short(market.min_cost),
        "isMarginEnabled": False,
        "enableTrading": not market.halted,
        "feeCategory": 1,
        "makerFeeCoefficient": "1.00",
        "takerFeeCoefficient": "1.00",
        "st": False,
    }


def _currency(currency: Currency) -> dict[str, object]:
    return {
        "currency": currency.code,
        "name": currency.code,
        "fullName": currency.name,
        "precision": currency.digits,
        "confirms": None,
        "contractAddress": None,
        "isMarginEnabled": False,
        "isDebitEnabled": False,
        "chains": [_chain(name, currency.digits) for name in currency.networks] or None,
    }


def _chain(name: str, digits: int) -> dict[str, object]:
    return {
        "chainName": name,
        "withdrawalMinSize": "0.002",
        "depositMinSize": "0.0002",
        "withdrawFeeRate": "0",
        "withdrawalMinFee": "0.001",
        "isWithdrawEnabled": True,
        "isDepositEnabled": True,
        "confirms": 12,
        "preConfirms": 12,
        "contractAddress": "",
        "withdrawPrecision": digits,
        "maxWithdraw": None,
        "maxDeposit": None,
        "needTag": False,
        "chainId": name.lower(),
    }
