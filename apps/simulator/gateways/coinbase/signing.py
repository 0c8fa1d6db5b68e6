"""Who signs a request to Coinbase: a JSON web token of two minutes, by ES256 or EdDSA, for one method and path."""

import base64
import binascii
from collections.abc import Mapping

import orjson
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from apps.simulator.domain.shapes import Account
from apps.simulator.gateways.desk import Desk
from apps.simulator.gateways.venue import RefusedError

_CLOCK_LEEWAY_S = 5
_LONGEST_S = 120
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
Claims = dict[str, object]


class Token:
    """A token taken apart, before anything in it is believed."""

    def __init__(self, text: str) -> None:
        head, _, rest = text.partition(".")
        body, _, signature = rest.partition(".")
        self.signed = f"{head}.{body}".encode()
        self.head: Claims = orjson.loads(_decode(head))
        self.claims: Claims = orjson.loads(_decode(body))
        self.signature = _decode(signature)


class Gatekeeper:
    """Checks tokens; remembers the public key of each account."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._keys: dict[str, PublicKey] = {}

    def signed(self, request: web.Request) -> Account:
        """Return the account that signed a request, or refuse."""
        token = _token(request.headers)
        account = self._desk.account(str(token.head.get("kid", "")))
        if account is None or token.claims.get("sub") != account.api_key:
            raise unauthorized()
        key = self._keys.setdefault(account.api_key, _public_key(account))
        if not _is_signed_by(key, token) or not _is_meant_for(request, token):
            raise unauthorized()
        self._check_time(token.claims)
        return account

    def _check_time(self, claims: Claims) -> None:
        now = self._desk.now() // 1000
        expires, begins = claims.get("exp"), claims.get("nbf")
        if not isinstance(expires, int) or not isinstance(begins, int) or expires - begins > _LONGEST_S:
            raise unauthorized()
        if expires < now or begins > now + _CLOCK_LEEWAY_S:
            raise unauthorized("request timestamp expired")


def unauthorized(message: str = "invalid signature") -> RefusedError:
    """Return the refusal of a request that nobody has signed."""
    return RefusedError(401, {"errors": [{"id": "authentication_error", "message": message}]})


def refuse(status: int, error: str, message: str) -> RefusedError:
    """Return a refusal in the words of the advanced trade paths."""
    return RefusedError(status, {"error": error, "error_details": message, "message": message})


def claimed_key(headers: Mapping[str, str]) -> str:
    """Return the key that a request claims, "" if it claims none."""
    try:
        return str(_token(headers).head.get("kid", ""))
    except RefusedError:
        return ""


def _token(headers: Mapping[str, str]) -> Token:
    kind, _, text = headers.get("Authorization", "").partition(" ")
    if kind != "Bearer":
        raise unauthorized("missing authorization")
    try:
        return Token(text)
    except (binascii.Error, orjson.JSONDecodeError, UnicodeEncodeError) as error:
        raise unauthorized("malformed token") from error


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _public_key(account: Account) -> PublicKey:
    if account.key_kind == "ed25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(account.api_secret)[32:])
    private = load_pem_private_key(account.api_secret.encode(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError("A Coinbase key is on the curve P-256 or Ed25519.")
    return private.public_key()


def _is_signed_by(key: PublicKey, token: Token) -> bool:
    algorithm = "EdDSA" if isinstance(key, ed25519.Ed25519PublicKey) else "ES256"
    if token.head.get("alg") != algorithm:
        return False
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(token.signature, token.signed)
        else:
            half = len(token.signature) // 2
            pair = (int.from_bytes(part, "big") for part in (token.signature[:half], token.signature[half:]))
            key.verify(encode_dss_signature(*pair), token.signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _is_meant_for(request: web.Request, token: Token) -> bool:
    """Return whether the token names this method and path; the host may be another one, as behind a proxy."""
    named = token.claims.get("uris") or [token.claims.get("uri")]
    if not isinstance(named, list):
        return False
    for uri in named:
        method, _, address = str(uri).partition(" ")
        path = "/" + address.removeprefix("http://").removeprefix("https://").partition("/")[2]
        if method == request.method and path == request.path:
            return True
    return False
