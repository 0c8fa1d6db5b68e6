"""KuCoin's price stream: it hands out the address of its socket first, and says nothing of the day's change."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from apps.markets.gateways.streams import Details, TickerStream

_TOPIC: Final = "/market/ticker:"


class KucoinStream(TickerStream):
    """`trade.ticker` messages: {"topic":"/market/ticker:BTC-USDT","data":{"price","size","time":ms}}."""

    venue = "kucoin"
    per_connection = 300
    per_message = 100
    lacks_day_figures = True

    async def address(self, exchange: Any) -> str:  # noqa: ANN401 - ccxt is not typed
        """Ask for a token and the socket's address."""
        answer = await exchange.publicPostBulletPublic()
        data = answer["data"]
        query = urlencode({"token": data["token"], "connectId": f"coinsphere-{self.number}"})
        return f"{data['instanceServers'][0]['endpoint']}?{query}"

    def subscription(self, symbols: Sequence[str], number: int) -> dict[str, Any]:
        """Ask for the ticker."""
        topic = _TOPIC + ",".join(symbols)
        return {"id": str(number), "type": "subscribe", "topic": topic, "response": True}

    def take(self, frame: Any) -> bool:  # noqa: ANN401 - a parsed frame may be anything
        """Take one ticker."""
        if frame.get("subject") != "trade.ticker":
            return False
        self.line.messages += 1
        tape = self.tapes.get(frame["topic"][len(_TOPIC) :])
        if tape is not None:
            data = frame["data"]
            tape.take(data["price"], int(data["time"]), data)
        return True

    def refused(self, frame: Any) -> int | None:  # noqa: ANN401 - a parsed frame may be anything
        """Read an answer: one unknown pair refuses the whole topic, {"type":"error","code":404,"id"}."""
        return int(frame["id"]) if frame.get("type") == "error" and frame.get("id") else None

    @staticmethod
    def details(raw: Mapping[str, Any], price: float) -> Details:  # noqa: ARG004 - as the others
        """Say nothing: the figures of the day come from elsewhere; the size of a trade is not what a day traded."""
        return Details()
