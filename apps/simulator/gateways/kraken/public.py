"""Kraken's public REST: assets, pairs, tickers, at most 720 candles, and trades."""

from collections.abc import Mapping

from aiohttp import web

from apps.simulator.domain.shapes import Candle, Currency, Market, PublicTrade, Ticker
from apps.simulator.gateways.figures import fixed, iso_seconds, moment
from apps.simulator.gateways.kraken import names
from apps.simulator.gateways.kraken.signing import refuse
from apps.simulator.gateways.venue import Venue, answer

MINUTES = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
MOST_CANDLES = 720
_MOST_TRADES = 1_000
_TAKER_FEES = [[0, 0.4], [10000, 0.35], [50000, 0.24], [100000, 0.22], [250000, 0.2]]
_MAKER_FEES = [[0, 0.25], [10000, 0.2], [50000, 0.14], [100000, 0.12], [250000, 0.08]]


def result(body: object) -> web.Response:
    """Return a result in Kraken's envelope."""
    return answer({"error": [], "result": body})


def vwap(candle: Candle, digits: int) -> str:
    """Return what a unit cost on average within a candle."""
    volume = float(candle.volume)
    return f"{float(candle.quote_volume) / volume:.{digits}f}" if volume else fixed("0", digits)


class PublicDoor:
    """The paths that need no key."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.desk = venue.desk

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of the public paths; Kraken takes each by GET and by POST."""
        handlers = {
            "Time": self.time,
            "SystemStatus": self.status,
            "Assets": self.assets,
            "AssetPairs": self.pairs,
            "Ticker": self.ticker,
            "OHLC": self.candles,
            "Trades": self.trades,
        }
        return [self.venue.get(f"/0/public/{name}", handler) for name, handler in handlers.items()]

    async def time(self, _: web.Request) -> web.Response:
        now = self.desk.now()
        return result({"unixtime": now // 1000, "rfc1123": moment(now).strftime("%a, %d %b %y %H:%M:%S +0000")})

    async def status(self, _: web.Request) -> web.Response:
        return result({"status": "online", "timestamp": iso_seconds(self.desk.now())})

    async def assets(self, request: web.Request) -> web.Response:
        wanted = _list(request.query, "asset")
        listed = {}
        for currency in self.desk.currencies():
            identity, short = names.asset_id(currency.code), names.short_name(currency.code)
            if not wanted or wanted & {identity, short}:
                listed[identity] = _asset(currency, short)
            if currency.kind == "crypto" and (not wanted or f"{short}.S" in wanted):
                listed[f"{short}.S"] = _asset(currency, f"{short}.S")
        if not listed:
            raise refuse("EQuery:Unknown asset")
        return result(listed)

    async def pairs(self, request: web.Request) -> web.Response:
        return result({self.venue.market_id(market): _pair(market) for market in self._asked(request.query)})

    async def ticker(self, request: web.Request) -> web.Response:
        markets = self._asked(request.query)
        body = {self.venue.market_id(market): _ticker(self.desk.ticker(market.symbol)) for market in markets}
        return result(body)

    async def candles(self, request: web.Request) -> web.Response:
        market = self._one(request.query)
        minutes, since = _number(request.query, "interval", 1), _number(request.query, "since", 0)
        if minutes not in MINUTES:
            raise refuse("EGeneral:Invalid arguments")
        length, now = minutes * 60_000, self.desk.time()
        found = self.desk.candles(market.symbol, length, now - MOST_CANDLES * length, now + 1)[-MOST_CANDLES:]
        rows = [_candle(candle, market.price_digits) for candle in found if candle.ts > since * 1000]
        last = found[-2].ts // 1000 if len(found) > 1 else 0
        return result({self.venue.market_id(market): rows, "last": last})

    async def trades(self, request: web.Request) -> web.Response:
        market = self._one(request.query)
        count = min(max(_number(request.query, "count", _MOST_TRADES), 1), _MOST_TRADES)
        since = request.query.get("since", "")
        start = int(since[:13].ljust(13, "0")) if since.isdecimal() and since != "0" else None
        if start is None:
            found = self.venue.latest_trades(market.symbol, count)
        else:
            found = self.desk.trades(market.symbol, start, count)
        last = found[-1].ts if found else self.desk.time()
        return result({self.venue.market_id(market): [_trade(trade) for trade in found], "last": f"{last}000000"})

    def _one(self, query: Mapping[str, str]) -> Market:
        if "pair" not in query:
            raise refuse("EGeneral:Invalid arguments")
        return self._asked(query)[0]

    def _asked(self, query: Mapping[str, str]) -> list[Market]:
        """Return the pairs that a request names by id, short name or with a slash; all of them when it names none."""
        markets = self.venue.listing().by_id
        wanted = _list(query, "pair")
        if not wanted:
            return list(markets.values())
        known = {alias: market for market in markets.values() for alias in _aliases(market)} | dict(markets)
        found = [known.get(name) for name in query["pair"].split(",") if name]
        if not found or None in found:
            raise refuse("EQuery:Unknown asset pair")
        return [market for market in found if market is not None]


def _aliases(market: Market) -> tuple[str, ...]:
    return names.short_pair(market.base, market.quote), names.socket_pair(market), market.symbol


def _list(query: Mapping[str, str], name: str) -> set[str]:
    return {part for part in query.get(name, "").split(",") if part}


def _number(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name, "")
    if not text:
        return usual
    if not text.lstrip("-").partition(".")[0].isdecimal():
        raise refuse(f"EGeneral:Invalid arguments:{name}")
    return int(text.partition(".")[0])


def _asset(currency: Currency, short: str) -> dict[str, object]:
    return {
        "aclass": "currency",
        "altname": short,
        "decimals": currency.digits,
        "display_decimals": min(currency.digits, 6),
        "status": "enabled",
    }


def _pair(market: Market) -> dict[str, object]:
    return {
        "altname": names.short_pair(market.base, market.quote),
        "wsname": names.socket_pair(market),
        "aclass_base": "currency",
        "base": names.asset_id(market.base),
        "aclass_quote": "currency",
        "quote": names.asset_id(market.quote),
        "lot": "unit",
        "cost_decimals": 8,
        "pair_decimals": market.price_digits,
        "lot_decimals": market.amount_digits,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": _TAKER_FEES,
        "fees_maker": _MAKER_FEES,
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": market.min_amount,
        "costmin": market.min_cost,
        "tick_size": market.price_step,
        "status": "cancel_only" if market.halted else "online",
    }


def _ticker(ticker: Ticker) -> dict[str, object]:
    return {
        "a": [ticker.ask, "1", ticker.ask_amount],
        "b": [ticker.bid, "1", ticker.bid_amount],
        "c": [ticker.last, ticker.last_amount],
        "v": [ticker.volume, ticker.volume],
        "p": [ticker.average, ticker.average],
        "t": [ticker.trades, ticker.trades],
        "l": [ticker.low, ticker.low],
        "h": [ticker.high, ticker.high],
        "o": ticker.open_day,
    }


def _candle(candle: Candle, digits: int) -> list[object]:
    average = vwap(candle, digits)
    prices = [candle.open, candle.high, candle.low, candle.close]
    return [candle.ts // 1000, *prices, average, candle.volume, candle.trades]


def _trade(trade: PublicTrade) -> list[object]:
    moment_of_trade = (trade.ts * 10 + 4) / 10_000  # the digit after the milliseconds keeps them whole when cut
    return [trade.price, trade.amount, moment_of_trade, "b" if trade.side == "buy" else "s", "m", "", trade.id]
