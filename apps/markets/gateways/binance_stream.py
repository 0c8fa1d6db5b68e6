"""Binance's price stream: one small ticker a symbol and second, up to 200 symbols a connection."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.markets.gateways.streams import Details, TickerStream, number_of


class BinanceStream(TickerStream):
    """`24hrMiniTicker` events: {"e","E":ms,"s","c":close,"o":open,"h","l","v":base volume,"q":quote volume}."""

    venue = "binance"
    per_connection = per_message = 200

    async def address(self, exchange: Any) -> str:  # noqa: ANN401 - ccxt is not typed
        """Return the URL; each connection has a number of its own, as ccxt gives them."""
        return f"{exchange.urls['api']['ws']['spot']}/{self.number}"

    def subscription(self, symbols: Sequence[str], number: int) -> dict[str, Any]:
        """Ask for the small ticker."""
        return {"method": "SUBSCRIBE", "params": [f"{symbol.lower()}@miniTicker" for symbol in symbols], "id": number}

    def take(self, frame: Any) -> bool:  # noqa: ANN401 - a parsed frame may be anything
        """Take one ticker."""
        if frame.get("e") != "24hrMiniTicker":
            return False
        self.line.messages += 1
        tape = self.tapes.get(frame["s"])
        if tape is not None:
            tape.take(frame["c"], frame["E"], frame)
        return True

    def refused(self, frame: Any) -> int | None:  # noqa: ANN401 - a parsed frame may be anything
        """Read the answer to a subscription: {"error":{…},"id"} or, where all is well, {"result":null,"id"}."""
        return int(frame["id"]) if frame.get("error") and frame.get("id") is not None else None

    @staticmethod
    def details(raw: Mapping[str, Any], price: float) -> Details:
        """Work the change out from the price of a day ago."""
        opened = number_of(raw.get("o"))
        change = price / opened - 1 if opened else None
        return Details(change, number_of(raw.get("q")), number_of(raw.get("v")))
