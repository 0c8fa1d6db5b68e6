"""Binance in miniature: spot REST, the wallet paths of sapi, and the market streams."""

from collections.abc import Iterable, Sequence

from aiohttp import web

from apps.simulator.domain.shapes import Market
from apps.simulator.gateways.binance.private import PrivateDoor
from apps.simulator.gateways.binance.public import PublicDoor
from apps.simulator.gateways.binance.signing import KEY_HEADER
from apps.simulator.gateways.binance.socket import SocketDoor
from apps.simulator.gateways.desk import Desk
from apps.simulator.gateways.sockets import Push
from apps.simulator.gateways.venue import Venue, answer

_RETRY_AFTER = "5"
_TOO_MUCH = (
    "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. "
    "Please use WebSocket Streams for live updates to avoid polling the API."
)
_BANNED = "Way too much request weight used; IP banned until {until}. Please use WebSocket Streams for live updates."
_UNAVAILABLE = "<html><head><title>503 Service Temporarily Unavailable</title></head></html>"


class Binance(Venue):
    """The exchange that calls BTC/USDT BTCUSDT."""

    name = "binance"

    def __init__(self, *, desk: Desk) -> None:
        super().__init__(desk=desk)
        self._public = PublicDoor(self)
        self._private = PrivateDoor(self)
        self._socket = SocketDoor(self)

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of Binance's paths."""
        return [*self._public.routes(), *self._private.routes(), *self._socket.routes()]

    def key_of(self, request: web.Request) -> str:
        """Return the key header."""
        return request.headers.get(KEY_HEADER, "")

    def failure(self, fault: str) -> web.Response:
        """Return Binance's rate limit, ban or outage."""
        if fault == "429":
            headers = {"Retry-After": _RETRY_AFTER, "X-MBX-USED-WEIGHT-1M": "6001"}
            return answer({"code": -1003, "msg": _TOO_MUCH}, status=429, headers=headers)
        if fault == "418":
            until = self.desk.now() + 120_000
            return answer(
                {"code": -1003, "msg": _BANNED.format(until=until)}, status=418, headers={"Retry-After": "120"}
            )
        return web.Response(text=_UNAVAILABLE, status=503, content_type="text/html")

    def market_id(self, market: Market) -> str:
        """Return BTCUSDT for BTC/USDT."""
        return market.base + market.quote

    def pushes(self, symbols: Sequence[str]) -> Iterable[Push]:
        """Yield the stream events that follow from a move of these symbols."""
        return self._socket.pushes(symbols)
