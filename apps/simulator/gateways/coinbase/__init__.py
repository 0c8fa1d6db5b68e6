"""Coinbase in miniature: the wallet paths, the advanced trade paths, and the market socket."""

from collections.abc import Iterable, Sequence

from aiohttp import web

from apps.simulator.domain.shapes import Market
from apps.simulator.gateways.coinbase.brokerage import BrokerageDoor
from apps.simulator.gateways.coinbase.public import PublicDoor
from apps.simulator.gateways.coinbase.signing import Gatekeeper, claimed_key
from apps.simulator.gateways.coinbase.socket import SocketDoor
from apps.simulator.gateways.coinbase.wallet import WalletDoor
from apps.simulator.gateways.desk import Desk
from apps.simulator.gateways.sockets import Push
from apps.simulator.gateways.venue import Venue, answer


class Coinbase(Venue):
    """The exchange that calls BTC/USD BTC-USD."""

    name = "coinbase"

    def __init__(self, *, desk: Desk) -> None:
        super().__init__(desk=desk)
        gate = Gatekeeper(desk)
        self._public = PublicDoor(self)
        self._wallet = WalletDoor(self, gate)
        self._brokerage = BrokerageDoor(self, gate, self._public)
        self._socket = SocketDoor(self)

    def routes(self) -> list[web.RouteDef]:
        """Return the handlers of Coinbase's paths."""
        doors = (self._public, self._wallet, self._brokerage, self._socket)
        return [route for door in doors for route in door.routes()]

    def key_of(self, request: web.Request) -> str:
        """Return the key named in the token."""
        return claimed_key(request.headers)

    def failure(self, fault: str) -> web.Response:
        """Return Coinbase's rate limit, the same for longer, or an outage."""
        if fault in {"429", "418"}:
            body = {"errors": [{"id": "rate_limit_exceeded", "message": "Too many requests"}]}
            return answer(body, status=429, headers={"Retry-After": "5" if fault == "429" else "120"})
        message = "Something went wrong"
        return answer({"error": "INTERNAL", "error_details": message, "message": message}, status=500)

    def market_id(self, market: Market) -> str:
        """Return BTC-USD for BTC/USD."""
        return f"{market.base}-{market.quote}"

    def pushes(self, symbols: Sequence[str]) -> Iterable[Push]:
        """Yield the messages that follow from a move of these symbols."""
        return self._socket.pushes(symbols)
