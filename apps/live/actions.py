"""Tickets: the only way into the live socket, good once and for thirty seconds."""

import hashlib
import re
import secrets
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import orjson
from django.conf import settings

from apps.core.cache import RedisOutage, health, redis_client
from apps.core.errors import UnavailableError
from apps.live.domain.bonds import Bond, SignIn, Ticket

TICKET_SECONDS = 30
SOCKET_PATH = "/ws/live"
_PREFIX = "coinsphere:live:ticket:"
_SHAPE = re.compile(r"[A-Za-z0-9_-]{43}")


class LivePausedError(UnavailableError):
    """Redis is away: nothing can be pushed, everything can still be read."""

    code = "live_paused"
    title = "Live data is paused"
    default_detail = "Live data is paused. Pages and the API go on; try again in a moment."


def issue_ticket(*, bond: Bond) -> Ticket:
    """Make a ticket for a sign-in and say where the socket is."""
    secret = secrets.token_urlsafe(32)
    if health.resting():
        raise LivePausedError(retry_after=5)
    try:
        with health.noted():
            redis_client().set(_key(secret), _written(bond), ex=TICKET_SECONDS)
    except RedisOutage as problem:
        raise LivePausedError(retry_after=5) from problem
    url = f"{settings.LIVE_PUBLIC_URL}{SOCKET_PATH}?ticket={secret}"
    return Ticket(secret=secret, url=url, expires_in=TICKET_SECONDS)


def redeem_tickets(*, secrets: Collection[str]) -> dict[str, Bond]:
    """Spend tickets and return the sign-in behind each; one that never was, is spent or too old is absent."""
    sane = [secret for secret in dict.fromkeys(secrets) if _SHAPE.fullmatch(secret)]
    if not sane:
        return {}
    if health.resting():
        raise LivePausedError(retry_after=5)
    try:
        with health.noted():
            pipe = redis_client().pipeline(transaction=False)
            for secret in sane:
                pipe.getdel(_key(secret))
            stored = pipe.execute()
    except RedisOutage as problem:
        raise LivePausedError(retry_after=5) from problem
    return {secret: _read(held) for secret, held in zip(sane, stored, strict=True) if isinstance(held, bytes)}


def _key(secret: str) -> str:
    # Only the hash is stored: whoever reads Redis cannot open a socket with it.
    return _PREFIX + hashlib.sha256(secret.encode()).hexdigest()


def _written(bond: Bond) -> bytes:
    expires_at = None if bond.expires_at is None else bond.expires_at.isoformat()
    return orjson.dumps([str(bond.user_id), bond.sign_in.value, bond.reference, expires_at])


def _read(stored: bytes) -> Bond:
    user_id, sign_in, reference, expires_at = orjson.loads(stored)
    return Bond(
        user_id=UUID(user_id),
        sign_in=SignIn(sign_in),
        reference=reference,
        expires_at=None if expires_at is None else datetime.fromisoformat(expires_at),
    )
