"""Who signs a request to KuCoin: HMAC-SHA256 over time, method, path and body; a passphrase; a fresh time."""

import base64
import hashlib
import hmac

from aiohttp import web

from apps.simulator.domain.shapes import Account
from apps.simulator.gateways.desk import Desk
from apps.simulator.gateways.venue import RefusedError

KEY_HEADER = "KC-API-KEY"
_WINDOW_MS = 5_000
_HEADERS = (KEY_HEADER, "KC-API-SIGN", "KC-API-TIMESTAMP", "KC-API-PASSPHRASE")


def refuse(status: int, code: str, message: str) -> RefusedError:
    """Return a refusal in KuCoin's words."""
    return RefusedError(status, {"code": code, "msg": message})


async def signed(request: web.Request, desk: Desk) -> Account:
    """Return the account that signed a request, or refuse."""
    if any(not request.headers.get(name) for name in _HEADERS):
        raise refuse(401, "400001", "Please check the header of your request for KC-API-KEY, KC-API-SIGN.")
    stamp = request.headers["KC-API-TIMESTAMP"]
    if not stamp.isdecimal() or abs(int(stamp) - desk.now()) > _WINDOW_MS:
        raise refuse(400, "400002", "KC-API-TIMESTAMP Invalid")
    account = desk.account(request.headers[KEY_HEADER])
    if account is None:
        raise refuse(401, "400003", "KC-API-KEY not exists")
    if not _same(_passphrase(request, account), request.headers["KC-API-PASSPHRASE"]):
        raise refuse(401, "400004", "Invalid KC-API-PASSPHRASE")
    payload = stamp + request.method + request.raw_path + await request.text()
    if not _same(_sign(account, payload), request.headers["KC-API-SIGN"]):
        raise refuse(401, "400005", "Invalid KC-API-SIGN")
    return account


def _passphrase(request: web.Request, account: Account) -> str:
    """Return the passphrase as it must be sent: signed, by keys of version 2 and 3."""
    plain = account.passphrase or ""
    return plain if request.headers.get("KC-API-KEY-VERSION", "1") == "1" else _sign(account, plain)


def _sign(account: Account, text: str) -> str:
    return base64.b64encode(hmac.new(account.api_secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())
