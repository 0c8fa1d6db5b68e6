"""Kraken's price stream, version 2: a ticker at each trade, on one connection."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from apps.markets.domain.tape import Tape
from apps.markets.gateways.streams import Details, TickerStream, number_of


class KrakenStream(TickerStream):
    """`ticker` frames: {"channel","type","data":[{"symbol","last","volume","vwap","change_pct","timestamp"?}]}."""

    venue = "kraken"
    per_connection = 500
    per_message = 100

    @staticmethod
    def name_of(tape: Tape) -> str:
        """Return the pair: this version of the socket speaks no venue codes."""
        return tape.symbol

    async def address(self, exchange: Any) -> str:  # noqa: ANN401 - ccxt is not typed
        """Return the URL."""
        return str(exchange.urls["api"]["ws"]["publicV2"])

    def subscription(self, symbols: Sequence[str], number: int) -> dict[str, Any]:
        """Ask for the ticker."""
        return {"method": "subscribe", "params": {"channel": "ticker", "symbol": list(symbols)}, "req_id": number}

    def take(self, frame: Any) -> bool:  # noqa: ANN401 - a parsed frame may be anything
        """Take the tickers of a frame; where it does not say when, the time is now."""
        if frame.get("channel") != "ticker":
            return False
        line, tapes = self.line, self.tapes
        for ticker in frame["data"]:
            line.messages += 1
            tape = tapes.get(ticker["symbol"])
            if tape is not None:
                at = ticker.get("timestamp")
                ts = int(datetime.fromisoformat(at).timestamp() * 1000) if at else self.now_ms()
                tape.take(ticker["last"], ts, ticker)
        return True

    def refused(self, frame: Any) -> int | None:  # noqa: ANN401 - a parsed frame may be anything
        """Read an answer: mostly each pair has one of its own, which names it and refuses no other."""
        if frame.get("success") is not False or frame.get("method") != "subscribe":
            return None
        return None if frame.get("symbol") or frame.get("req_id") is None else int(frame["req_id"])

    @staticmethod
    def details(raw: Mapping[str, Any], price: float) -> Details:
        """Work the traded money out from the day's mean price."""
        percent, base = number_of(raw.get("change_pct")), number_of(raw.get("volume"))
        mean = number_of(raw.get("vwap")) or price
        quote = None if base is None else base * mean
        return Details(None if percent is None else percent / 100, quote, base)
