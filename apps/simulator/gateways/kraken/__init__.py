"""Kraken in miniature: public and private REST, and the socket of version 2."""

from collections.abc import Iterable, Sequence

from aiohttp import web

from apps.simulator.domain.shapes import Market
from apps.simulator.gateways.desk import Desk
from apps.simulator.gateways.kraken import names
from apps.simulator.gateways.kraken.private import PrivateDoor
from apps.simulator.gateways.kraken.public import PublicDoor
from apps.simulator.gateways.kraken.signing import KEY_HEADER
from apps.simulator.gateways.kraken.socket import SocketDoor
from apps.simulator.gateways.sockets import Push
from apps.simulator.gateways.venue import Venue, answer


class Kraken(Venue):
    """The exchange that calls BTC/USD XXBTZUSD."""

    name = "kraken"

    def __init__(self, *, desk: Desk) -> None:
        super().__init__(desk=desk)
        self._public = PublicDoor(self)
        self._private = PrivateDoor(self)
        self._socket = SocketDoor(self)

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of Kraken's paths."""
        return [*self._public.routes(), *self._private.routes(), *self._socket.routes()]

    def key_of(self, request: web.Request) -> str:
        """Return the key header."""
        return request.headers.get(KEY_HEADER, "")

    def failure(self, fault: str) -> web.Response:
        """Return Kraken's rate limit, lockout or outage; it says the first two with status 200."""
        if fault == "429":
            return answer({"error": ["EAPI:Rate limit exceeded"]}, status=429, headers={"Retry-After": "5"})
        if fault == "418":
            return answer({"error": ["EGeneral:Temporary lockout"]}, headers={"Retry-After": "120"})
        return answer({"error": ["EService:Unavailable"]}, status=503)

    def market_id(self, market: Market) -> str:
        """Return XXBTZUSD for BTC/USD."""
        return names.pair_id(market.base, market.quote)

    def pushes(self, symbols: Sequence[str]) -> Iterable[Push]:
        """Yield the messages that follow from a move of these symbols."""
        return self._socket.pushes(symbols)
