"""Coinbase's price stream: batches of tickers every few seconds, on one connection."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from apps.markets.gateways.streams import Details, TickerStream, number_of


class CoinbaseStream(TickerStream):
    """`ticker_batch` frames: {"channel","timestamp":ISO,"events":[{"tickers":[{"product_id","price",…}]}]}."""

    venue = "coinbase"
    per_connection = 500
    per_message = 100

    async def address(self, exchange: Any) -> str:  # noqa: ANN401 - ccxt is not typed
        """Return the URL."""
        return str(exchange.urls["api"]["ws"])

    def subscription(self, symbols: Sequence[str], number: int) -> dict[str, Any]:  # noqa: ARG002 - it has no ids
        """Ask for the batched ticker."""
        return {"type": "subscribe", "product_ids": list(symbols), "channel": "ticker_batch"}

    def take(self, frame: Any) -> bool:  # noqa: ANN401 - a parsed frame may be anything
        """Take all tickers of a frame; they share its time."""
        if frame.get("channel") not in {"ticker_batch", "ticker"}:
            return False
        ts = int(datetime.fromisoformat(frame["timestamp"]).timestamp() * 1000)
        line, tapes = self.line, self.tapes
        for event in frame["events"]:
            for ticker in event["tickers"]:
                line.messages += 1
                tape = tapes.get(ticker["product_id"])
                if tape is not None:
                    tape.take(ticker["price"], ts, ticker)
        return True

    def refused(self, frame: Any) -> int | None:  # noqa: ANN401 - a parsed frame may be anything
        """Read an answer: it bears no number, but subscriptions are answered in the order in which they were sent."""
        oldest = next(iter(self._sent), None)
        if frame.get("channel") == "subscriptions" and oldest is not None:
            del self._sent[oldest]
        return oldest if frame.get("type") == "error" else None

    @staticmethod
    def details(raw: Mapping[str, Any], price: float) -> Details:
        """Take the change, in percent, as it is given."""
        percent, base = number_of(raw.get("price_percent_chg_24_h")), number_of(raw.get("volume_24_h"))
        quote = None if base is None else base * price
        return Details(None if percent is None else percent / 100, quote, base)
