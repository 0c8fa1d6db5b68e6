"""Marks of devices that have signed in: signed, for one account, good for nothing but a budget of wrong tries."""

from datetime import timedelta
from uuid import UUID

from django.core import signing

from apps.accounts.domain.secrets import secret_hash
from apps.core.ids import uuid7

AGE = timedelta(days=180)
_SALT = "coinsphere.known-device"
_MOST = 5


def device_id_for(token: str, *, email: str) -> str:
    """Return the id under which the device is known for this account, or nothing."""
    return _read(token).get(_key(email), "")


def mark(token: str, *, email: str) -> str:
    """Return the device's token with this account in it; the oldest of more than five is dropped."""
    known = _read(token)
    device_id = known.pop(_key(email), "") or str(uuid7())
    kept = dict([*known.items(), (_key(email), device_id)][-_MOST:])
    return signing.dumps(kept, salt=_SALT, compress=True)


def _read(token: str) -> dict[str, str]:
    if not token or len(token) > 4096:
        return {}
    try:
        known = signing.loads(token, salt=_SALT, max_age=AGE)
    except signing.BadSignature:
        return {}
    return {str(key): str(UUID(device_id)) for key, device_id in known.items()}


def _key(email: str) -> str:
    return secret_hash(email)[:16]
