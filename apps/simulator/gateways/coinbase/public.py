"""Coinbase's public REST: products with their prices, at most 350 candles, trades, and the wallet's lists of money."""

from collections.abc import Mapping

from aiohttp import web

from apps.simulator.domain.shapes import Candle, Currency, Market, PublicTrade, Ticker
from apps.simulator.gateways.coinbase.names import identity, iso, iso_seconds
from apps.simulator.gateways.coinbase.signing import refuse
from apps.simulator.gateways.figures import short
from apps.simulator.gateways.venue import Venue, answer

GRANULARITIES = {
    "ONE_MINUTE": 60_000,
    "FIVE_MINUTE": 300_000,
    "FIFTEEN_MINUTE": 900_000,
    "THIRTY_MINUTE": 1_800_000,
    "ONE_HOUR": 3_600_000,
    "TWO_HOUR": 7_200_000,
    "FOUR_HOUR": 14_400_000,
    "SIX_HOUR": 21_600_000,
    "ONE_DAY": 86_400_000,
}
_MOST_CANDLES = 350
_MOST_TRADES = 1_000


def percent(fraction: str) -> str:
    """Write a fraction as a percentage, without a float in between."""
    sign, digits = ("-", fraction[1:]) if fraction.startswith("-") else ("", fraction)
    whole, _, rest = digits.partition(".")
    rest = rest.ljust(3, "0")
    return sign + short(f"{int(whole + rest[:2])}.{rest[2:]}")


class PublicDoor:
    """The paths that need no key."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.desk = venue.desk

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of the public paths."""
        get = self.venue.get
        products = "/api/v3/brokerage/market/products"
        return [
            get("/v2/time", self.wallet_time),
            get("/v2/currencies", self.fiat),
            get("/v2/currencies/crypto", self.crypto),
            get("/v2/exchange-rates", self.rates),
            get("/api/v3/brokerage/time", self.time),
            get(products, self.products),
            get(f"{products}/{{name}}", self.product),
            get(f"{products}/{{name}}/candles", self.candles),
            get(f"{products}/{{name}}/ticker", self.ticker),
        ]

    async def wallet_time(self, _: web.Request) -> web.Response:
        now = self.desk.now()
        return answer({"data": {"iso": iso_seconds(now), "epoch": now // 1000}})

    async def time(self, _: web.Request) -> web.Response:
        now = self.desk.now()
        return answer({"iso": iso_seconds(now), "epochSeconds": str(now // 1000), "epochMillis": str(now)})

    async def fiat(self, _: web.Request) -> web.Response:
        money = [item for item in self.desk.currencies() if item.kind == "fiat"]
        return answer({"data": [{"id": item.code, "name": item.name, "min_size": "0.01"} for item in money]})

    async def crypto(self, _: web.Request) -> web.Response:
        coins = [item for item in self.desk.currencies() if item.kind != "fiat"]
        return answer({"data": [_coin(number, item) for number, item in enumerate(coins)]})

    async def rates(self, _: web.Request) -> web.Response:
        rates = {"USD": "1.0"}
        for market in self.venue.listing().by_id.values():
            if market.quote == "USD":
                rates[market.base] = f"{1 / float(self.desk.ticker(market.symbol).last):.12f}"
        return answer({"data": {"currency": "USD", "rates": rates}})

    async def products(self, request: web.Request) -> web.Response:
        if request.query.get("product_type", "SPOT") != "SPOT":
            return answer({"products": [], "num_products": 0})
        wanted = set(request.query.getall("product_ids", []))
        listed = self.venue.listing().by_id.items()
        rows = [self._product(name, market) for name, market in listed if not wanted or name in wanted]
        offset, limit = _number(request.query, "offset") or 0, _number(request.query, "limit") or len(rows)
        return answer({"products": rows[offset : offset + limit], "num_products": len(rows)})

    async def product(self, request: web.Request) -> web.Response:
        market = self._one(request)
        return answer(self._product(self.venue.market_id(market), market))

    def _product(self, name: str, market: Market) -> dict[str, object]:
        return _product(name, market, self.desk.ticker(market.symbol))

    async def candles(self, request: web.Request) -> web.Response:
        market = self._one(request)
        length = GRANULARITIES.get(request.query.get("granularity", ""))
        start, end = _number(request.query, "start"), _number(request.query, "end")
        if length is None or start is None or end is None or end < start:
            raise refuse(400, "INVALID_ARGUMENT", "granularity, start and end are required")
        if (end - start) * 1000 > _MOST_CANDLES * length:
            message = (
                f"start and end argument is invalid - number of candles requested should be less than {_MOST_CANDLES}"
            )
            raise refuse(400, "INVALID_ARGUMENT", message)
        to = min(end * 1000, self.desk.time()) + 1
        found = self.desk.candles(market.symbol, length, start * 1000, to)
        return answer({"candles": [candle_row(candle) for candle in reversed(found)]})

    async def ticker(self, request: web.Request) -> web.Response:
        market = self._one(request)
        start, end = _number(request.query, "start"), _number(request.query, "end")
        limit = min(_number(request.query, "limit") or 100, _MOST_TRADES)
        if start is None:
            found = self.venue.latest_trades(market.symbol, limit)
        else:
            found = self.desk.trades(market.symbol, start * 1000, _MOST_TRADES)
        found = [trade for trade in found if end is None or trade.ts <= end * 1000][-limit:]
        ticker, name = self.desk.ticker(market.symbol), self.venue.market_id(market)
        rows = [trade_row(name, trade) | {"bid": "", "ask": "", "exchange": ""} for trade in reversed(found)]
        return answer({"trades": rows, "best_bid": ticker.bid, "best_ask": ticker.ask})

    def _one(self, request: web.Request) -> Market:
        market = self.venue.listing().by_id.get(request.match_info["name"])
        if market is None:
            raise refuse(404, "NOT_FOUND", "valid product_id is required")
        return market


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not text.isdecimal():
        raise refuse(400, "INVALID_ARGUMENT", f"{name} is invalid")
    return int(text)


def candle_row(candle: Candle) -> dict[str, str]:
    """Return a candle."""
    return {
        "start": str(candle.ts // 1000),
        "low": candle.low,
        "high": candle.high,
        "open": candle.open,
        "close": candle.close,
        "volume": candle.volume,
    }


def trade_row(name: str, trade: PublicTrade) -> dict[str, str]:
    """Return a public trade."""
    return {
        "trade_id": str(trade.id),
        "product_id": name,
        "price": trade.price,
        "size": trade.amount,
        "time": iso(trade.ts),
        "side": trade.side.upper(),
    }


def _coin(number: int, item: Currency) -> dict[str, object]:
    return {
        "asset_id": identity("asset", item.code),
        "code": item.code,
        "name": item.name,
        "color": "#5B616E",
        "sort_index": 100 + number,
        "exponent": item.digits,
        "type": "crypto",
        "address_regex": "",
    }


def _product(name: str, market: Market, ticker: Ticker) -> dict[str, object]:
    return {
        "product_id": name,
        "price": ticker.last,
        "price_percentage_change_24h": percent(ticker.change_fraction),
        "volume_24h": ticker.volume,
        "volume_percentage_change_24h": "0",
        "base_increment": market.amount_step,
        "quote_increment": market.price_step,
        "quote_min_size": market.min_cost,
        "quote_max_size": "150000000",
        "base_min_size": market.min_amount,
        "base_max_size": "3400000000",
        "base_name": market.base,
        "quote_name": market.quote,
        "watched": False,
        "is_disabled": market.halted,
        "new": False,
        "status": "delisted" if market.halted else "online",
        "cancel_only": False,
        "limit_only": False,
        "post_only": False,
        "trading_disabled": market.halted,
        "auction_mode": False,
        "product_type": "SPOT",
        "quote_currency_id": market.quote,
        "base_currency_id": market.base,
        "fcm_trading_session_details": None,
        "mid_market_price": "",
        "alias": "",
        "alias_to": [],
        "base_display_symbol": market.base,
        "quote_display_symbol": market.quote,
        "view_only": False,
        "price_increment": market.price_step,
        "display_name": name,
        "product_venue": "CBE",
        "approximate_quote_24h_volume": ticker.quote_volume,
    }
