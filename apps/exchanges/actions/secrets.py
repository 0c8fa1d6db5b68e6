"""Keys at rest: sealed for one connection, opened for a moment, every opening written down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.crypto import salted_hmac

from apps.core.logs import current_request_id
from apps.core.vault import Secret, VaultError, key_ring, seal, unseal
from apps.exchanges.models import Connection, KeyUse, SealedSecret, UsePurpose

_SALT: Final = "coinsphere.exchanges.key"
#: A key shorter than this is not hinted at: its ends would be most of it.
_SHORTEST_HINTED: Final = 8


class NoKeyError(VaultError):
    """The connection has no key any more."""

    code = "key_forgotten"
    title = "This connection has no key"
    default_detail = "Its key was forgotten. Give it a new read-only key, or remove the connection."


def key_hint(*, api_key: Secret) -> str:
    """Return what is shown of a key: its first and last two characters."""
    text = api_key.reveal()
    return f"{text[:2]}…{text[-2:]}" if len(text) >= _SHORTEST_HINTED else "…"


def key_fingerprint(*, exchange: str, api_key: Secret) -> str:
    """Return a keyed hash by which the same key is recognized without being held."""
    return salted_hmac(_SALT, f"{exchange}:{api_key.reveal()}", algorithm="sha256").hexdigest()


def keep_secrets(*, connection: Connection, secrets: Mapping[str, Secret], now: datetime) -> None:
    """Seal the fields of a key for this connection, in place of those it had."""
    ring = key_ring()
    rows = [
        SealedSecret(
            connection=connection,
            field=field,
            sealed=seal(ring=ring, secret=secret, place=connection.place(field)),
            key_version=ring.current,
            changed_at=now,
        )
        for field, secret in secrets.items()
    ]
    with transaction.atomic():
        SealedSecret.objects.filter(connection=connection).delete()
        SealedSecret.objects.bulk_create(rows)


def secrets_of(*, connection: Connection, purpose: UsePurpose, now: datetime) -> Mapping[str, Secret]:
    """Open the key of a connection for the moment and write down what for; a key sealed elsewhere stays shut."""
    rows = list(SealedSecret.objects.filter(connection=connection))
    if not rows:
        raise NoKeyError
    ring = key_ring()
    opened = {row.field: unseal(ring=ring, sealed=row.sealed, place=connection.place(row.field)) for row in rows}
    note_use(connection=connection, purpose=purpose, now=now)
    return opened


def note_use(*, connection: Connection, purpose: UsePurpose, now: datetime) -> None:
    """Write into the log of a key what it is used for."""
    KeyUse.objects.create(
        connection=connection,
        at=now,
        purpose=purpose,
        key_hint=connection.key_hint,
        request_id=current_request_id()[:64],
    )
    Connection.objects.filter(pk=connection.pk).update(last_used_at=now)
