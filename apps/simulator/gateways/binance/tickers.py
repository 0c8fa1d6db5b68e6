"""Binance's tickers, trades and candles as REST bodies and as stream events."""

from apps.simulator.domain.shapes import DAY_MS, Candle, PublicTrade, Ticker
from apps.simulator.gateways.figures import fixed

INTERVALS = {
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "6h": 21_600_000,
    "8h": 28_800_000,
    "12h": 43_200_000,
    "1d": 86_400_000,
    "3d": 259_200_000,
    "1w": 604_800_000,
}


def eight(text: str) -> str:
    """Write a number as Binance does, with eight digits after the point."""
    return fixed(text, 8)


def percent(fraction: str) -> str:
    """Write a fraction as a percentage with three digits."""
    sign, digits = ("-", fraction[1:]) if fraction.startswith("-") else ("", fraction)
    whole, _, rest = digits.partition(".")
    rest = rest.ljust(5, "0")
    return f"{sign}{int(whole + rest[:2])}.{rest[2:5]}"


def ticker_24h(market_id: str, ticker: Ticker, now: int) -> dict[str, object]:
    """Return the body of ticker/24hr."""
    return {
        "symbol": market_id,
        "priceChange": eight(ticker.change),
        "priceChangePercent": percent(ticker.change_fraction),
        "weightedAvgPrice": eight(ticker.average),
        "prevClosePrice": eight(ticker.open),
        "lastPrice": eight(ticker.last),
        "lastQty": eight(ticker.last_amount),
        "bidPrice": eight(ticker.bid),
        "bidQty": eight(ticker.bid_amount),
        "askPrice": eight(ticker.ask),
        "askQty": eight(ticker.ask_amount),
        "openPrice": eight(ticker.open),
        "highPrice": eight(ticker.high),
        "lowPrice": eight(ticker.low),
        "volume": eight(ticker.volume),
        "quoteVolume": eight(ticker.quote_volume),
        "openTime": now - DAY_MS,
        "closeTime": now,
        "firstId": max(0, ticker.last_id - ticker.trades + 1),
        "lastId": ticker.last_id,
        "count": ticker.trades,
    }


def book_ticker(market_id: str, ticker: Ticker) -> dict[str, object]:
    """Return the body of ticker/bookTicker."""
    return {
        "symbol": market_id,
        "bidPrice": eight(ticker.bid),
        "bidQty": eight(ticker.bid_amount),
        "askPrice": eight(ticker.ask),
        "askQty": eight(ticker.ask_amount),
    }


def kline(candle: Candle, length: int) -> list[object]:
    """Return one candle of klines."""
    return [
        candle.ts,
        eight(candle.open),
        eight(candle.high),
        eight(candle.low),
        eight(candle.close),
        eight(candle.volume),
        candle.ts + length - 1,
        eight(candle.quote_volume),
        candle.trades,
        eight(candle.volume),
        eight(candle.quote_volume),
        "0",
    ]


def public_trade(trade: PublicTrade, cost: str) -> dict[str, object]:
    """Return one trade of trades."""
    return {
        "id": trade.id,
        "price": eight(trade.price),
        "qty": eight(trade.amount),
        "quoteQty": eight(cost),
        "time": trade.ts,
        "isBuyerMaker": trade.side == "sell",
        "isBestMatch": True,
    }


def aggregate_trade(trade: PublicTrade) -> dict[str, object]:
    """Return one trade of aggTrades."""
    return {
        "a": trade.id,
        "p": eight(trade.price),
        "q": eight(trade.amount),
        "f": trade.id,
        "l": trade.id,
        "T": trade.ts,
        "m": trade.side == "sell",
        "M": True,
    }


def mini_event(market_id: str, ticker: Ticker, now: int) -> dict[str, object]:
    """Return a miniTicker event."""
    return {
        "e": "24hrMiniTicker",
        "E": now,
        "s": market_id,
        "c": eight(ticker.last),
        "o": eight(ticker.open),
        "h": eight(ticker.high),
        "l": eight(ticker.low),
        "v": eight(ticker.volume),
        "q": eight(ticker.quote_volume),
    }


def ticker_event(market_id: str, ticker: Ticker, now: int) -> dict[str, object]:
    """Return a ticker event."""
    return {
        "e": "24hrTicker",
        "E": now,
        "s": market_id,
        "p": eight(ticker.change),
        "P": percent(ticker.change_fraction),
        "w": eight(ticker.average),
        "x": eight(ticker.open),
        "c": eight(ticker.last),
        "Q": eight(ticker.last_amount),
        "b": eight(ticker.bid),
        "B": eight(ticker.bid_amount),
        "a": eight(ticker.ask),
        "A": eight(ticker.ask_amount),
        "o": eight(ticker.open),
        "h": eight(ticker.high),
        "l": eight(ticker.low),
        "v": eight(ticker.volume),
        "q": eight(ticker.quote_volume),
        "O": now - DAY_MS,
        "C": now,
        "F": max(0, ticker.last_id - ticker.trades + 1),
        "L": ticker.last_id,
        "n": ticker.trades,
    }


def book_event(market_id: str, ticker: Ticker) -> dict[str, object]:
    """Return a bookTicker event; the only one without a type of its own."""
    return {
        "u": ticker.last_id,
        "s": market_id,
        "b": eight(ticker.bid),
        "B": eight(ticker.bid_amount),
        "a": eight(ticker.ask),
        "A": eight(ticker.ask_amount),
    }


def trade_event(market_id: str, trade: PublicTrade, now: int) -> dict[str, object]:
    """Return a trade event."""
    return {
        "e": "trade",
        "E": now,
        "s": market_id,
        "t": trade.id,
        "p": eight(trade.price),
        "q": eight(trade.amount),
        "T": trade.ts,
        "m": trade.side == "sell",
        "M": True,
    }


def aggregate_event(market_id: str, trade: PublicTrade, now: int) -> dict[str, object]:
    """Return an aggTrade event."""
    return {"e": "aggTrade", "E": now, "s": market_id, **aggregate_trade(trade)}


def kline_event(market_id: str, interval: str, candle: Candle, now: int) -> dict[str, object]:
    """Return a kline event; x says that the candle has closed."""
    close_time = candle.ts + INTERVALS[interval] - 1
    return {
        "e": "kline",
        "E": now,
        "s": market_id,
        "k": {
            "t": candle.ts,
            "T": close_time,
            "s": market_id,
            "i": interval,
            "f": -1,
            "L": -1,
            "o": eight(candle.open),
            "c": eight(candle.close),
            "h": eight(candle.high),
            "l": eight(candle.low),
            "v": eight(candle.volume),
            "n": candle.trades,
            "x": now > close_time,
            "q": eight(candle.quote_volume),
            "V": eight(candle.volume),
            "Q": eight(candle.quote_volume),
            "B": "0",
        },
    }
