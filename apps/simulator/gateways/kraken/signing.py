"""Who signs a request to Kraken: HMAC-SHA512 over the path and the hash of nonce and body, and a nonce that rises."""

import base64
import binascii
import hashlib
import hmac
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from apps.simulator.domain.shapes import Account
from apps.simulator.gateways.desk import Desk
from apps.simulator.gateways.venue import RefusedError

KEY_HEADER = "API-Key"
Params = dict[str, str]


def refuse(error: str) -> RefusedError:
    """Return a refusal in Kraken's words: status 200 and a list of errors."""
    return RefusedError(200, {"error": [error]})


class Gatekeeper:
    """Checks signatures and remembers the last nonce of every key."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._nonces: dict[str, int] = {}

    async def signed(self, request: web.Request) -> tuple[Account, Params]:
        """Return the account that signed a request and the parameters it sent, or refuse."""
        account = self._desk.account(request.headers.get(KEY_HEADER, ""))
        if account is None:
            raise refuse("EAPI:Invalid key")
        body = await request.text()
        params = _params(request, body)
        nonce = params.get("nonce", "")
        if not _fits(request, account, nonce, body):
            raise refuse("EAPI:Invalid signature")
        if not nonce.isdecimal() or int(nonce) <= self._nonces.get(account.api_key, 0):
            raise refuse("EAPI:Invalid nonce")
        self._nonces[account.api_key] = int(nonce)
        return account, params


def _params(request: web.Request, body: str) -> Params:
    if request.content_type != "application/json":
        return dict(parse_qsl(body, keep_blank_values=True))
    try:
        return {str(name): str(value) for name, value in orjson.loads(body).items()}
    except (orjson.JSONDecodeError, AttributeError) as error:
        raise refuse("EGeneral:Invalid arguments") from error


def _fits(request: web.Request, account: Account, nonce: str, body: str) -> bool:
    try:
        given = base64.b64decode(request.headers.get("API-Sign", ""), validate=True)
    except binascii.Error:
        return False
    digest = hashlib.sha256((nonce + body).encode()).digest()
    secret = base64.b64decode(account.api_secret)
    expected = hmac.new(secret, request.path.encode() + digest, hashlib.sha512).digest()
    return hmac.compare_digest(expected, given)
