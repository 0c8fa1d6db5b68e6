"""Who signs a request to Binance: HMAC-SHA256 over the query and body as sent, with a time stamp that is not stale."""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from aiohttp import web

from apps.simulator.domain.shapes import Account
from apps.simulator.gateways.binance import errors
from apps.simulator.gateways.desk import Desk

KEY_HEADER = "X-MBX-APIKEY"
_DEFAULT_WINDOW_MS = 5_000
_LONGEST_WINDOW_MS = 60_000
_AHEAD_MS = 1_000


def number(params: Mapping[str, str], name: str) -> int | None:
    """Return a whole number among the parameters, or None when it was not sent."""
    text = params.get(name, "")
    if not text:
        return None
    if not text.isdecimal():
        raise errors.illegal(name)
    return int(text)


async def signed(request: web.Request, desk: Desk) -> tuple[Account, dict[str, str]]:
    """Return the account that signed a request and the parameters it sent, or refuse."""
    account = keyed(request, desk)
    query = request.raw_path.partition("?")[2]
    body = await request.text()
    payload = "&".join(part for part in f"{query}&{body}".split("&") if part and not part.startswith("signature="))
    params = dict(parse_qsl(f"{query}&{body}", keep_blank_values=True))
    if "signature" not in params:
        raise errors.missing("signature")
    expected = hmac.new(account.api_secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, params["signature"]):
        raise errors.bad_signature()
    _check_time(params, desk.now())
    return account, params


def keyed(request: web.Request, desk: Desk) -> Account:
    """Return whose key a request carries, without a look at the signature."""
    key = request.headers.get(KEY_HEADER, "")
    if not key:
        raise errors.no_key()
    account = desk.account(key)
    if account is None:
        raise errors.bad_key()
    return account


def _check_time(params: Mapping[str, str], now: int) -> None:
    stamp = number(params, "timestamp")
    if stamp is None:
        raise errors.missing("timestamp")
    window = number(params, "recvWindow") or _DEFAULT_WINDOW_MS
    if window > _LONGEST_WINDOW_MS:
        raise errors.refuse(400, -1131, "recvWindow must be less than 60000")
    if stamp > now + _AHEAD_MS:
        raise errors.too_early()
    if stamp < now - window:
        raise errors.too_late()
