"""KuCoin in miniature: public and private REST of its classic accounts, and the socket behind a token."""

from collections.abc import Iterable, Sequence

from aiohttp import web

from apps.simulator.domain.shapes import Market
from apps.simulator.gateways.desk import Desk
from apps.simulator.gateways.kucoin.private import PrivateDoor
from apps.simulator.gateways.kucoin.public import PublicDoor
from apps.simulator.gateways.kucoin.signing import KEY_HEADER
from apps.simulator.gateways.kucoin.socket import SocketDoor
from apps.simulator.gateways.sockets import Push
from apps.simulator.gateways.venue import Venue, answer


class Kucoin(Venue):
    """The exchange that calls BTC/USDT BTC-USDT."""

    name = "kucoin"

    def __init__(self, *, desk: Desk) -> None:
        super().__init__(desk=desk)
        self._public = PublicDoor(self)
        self._private = PrivateDoor(self)
        self._socket = SocketDoor(self)

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of KuCoin's paths."""
        return [*self._public.routes(), *self._private.routes(), *self._socket.routes()]

    def key_of(self, request: web.Request) -> str:
        """Return the key header."""
        return request.headers.get(KEY_HEADER, "")

    def failure(self, fault: str) -> web.Response:
        """Return KuCoin's rate limit, its older one, or an outage."""
        if fault == "429":
            headers = {"Retry-After": "5", "gw-ratelimit-remaining": "0", "gw-ratelimit-reset": "5000"}
            return answer({"code": "429000", "msg": "Too many requests"}, status=429, headers=headers)
        if fault == "418":
            body = {"code": "200002", "msg": "Too many requests in a short period of time, please retry later"}
            return answer(body, status=429, headers={"Retry-After": "120"})
        return answer({"code": "503", "msg": "Service Unavailable"}, status=503)

    def market_id(self, market: Market) -> str:
        """Return BTC-USDT for BTC/USDT."""
        return f"{market.base}-{market.quote}"

    def pushes(self, symbols: Sequence[str]) -> Iterable[Push]:
        """Yield the messages that follow from a move of these symbols."""
        return self._socket.pushes(symbols)
