"""The guardian of keys: their rights are looked at anew every week, and keys that can do harm stop being used."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Final

import structlog
from django.conf import settings
from django.db import transaction

from apps.accounts.actions import record_audit
from apps.core.errors import ProductError
from apps.core.locks import LockTakenError, lock
from apps.exchanges.actions.probing import adapter_of
from apps.exchanges.actions.scheduling import stop_syncs
from apps.exchanges.actions.secrets import NoKeyError, secrets_of
from apps.exchanges.domain.guarding import LOOKED_AT_EVERY, can_move_coins, rights_of
from apps.exchanges.gateways.errors import (
    CredentialsRejectedError,
    KeyCanWithdrawError,
    PermissionMissingError,
    VenueRefusedError,
)
from apps.exchanges.models import Connection, ConnectionState, KeyUse, UsePurpose
from apps.exchanges.models.connections import SYNC_USES_KEPT

if TYPE_CHECKING:
    from apps.exchanges.domain.reading import KeyRights

log = structlog.get_logger(__name__)

#: Keys that one tick of the schedule looks at; the next tick goes on.
MOST_AT_ONCE: Final = 50
_HELD_SECONDS: Final = 60.0


def look_at_keys(*, now: datetime) -> int:
    """Look at the rights of the keys whose week is over; return how many were looked at."""
    looked_at = 0
    for connection in Connection.objects.to_probe(before=now - LOOKED_AT_EVERY)[:MOST_AT_ONCE]:
        looked_at += _look_at(connection, now)
    tidy_uses(now=now)
    return looked_at


def tidy_uses(*, now: datetime) -> int:
    """Forget the lines about syncs that are a month old; the database lets no other line go."""
    old = KeyUse.objects.filter(purpose=UsePurpose.SYNC, at__lt=now - SYNC_USES_KEPT)
    deleted, _by_model = old.delete()
    return deleted


def _look_at(connection: Connection, now: datetime) -> bool:
    name = f"exchanges:key:{connection.exchange}:{connection.key_fingerprint}"
    try:
        with lock(name, seconds=_HELD_SECONDS):
            rights = _told(connection, now)
    except LockTakenError:
        return False  # it is being read; the next tick comes soon enough
    except (CredentialsRejectedError, NoKeyError) as refusal:
        refuse_key(connection=connection, problem=refusal, now=now)
        return True
    except ProductError as problem:
        log.info("A key could not be looked at", connection=str(connection.pk), code=problem.code)
        return False
    keep_rights(connection=connection, rights=rights, now=now)
    return True


def _told(connection: Connection, now: datetime) -> KeyRights:
    """Ask the exchange; what it does not tell stays as it was told before."""
    adapter = adapter_of(exchange=connection.exchange)
    secrets = secrets_of(connection=connection, purpose=UsePurpose.RIGHTS, now=now)
    with adapter.lend(secrets=secrets, now=now) as session:
        try:
            return session.rights()
        except (PermissionMissingError, VenueRefusedError):
            return rights_of(connection.rights)


def keep_rights(*, connection: Connection, rights: KeyRights, now: datetime) -> None:
    """Keep what a key may do; one that can take coins away is used no more, unless that is allowed."""
    Connection.objects.filter(pk=connection.pk).update(rights=asdict(rights), rights_checked_at=now)
    if can_move_coins(rights) and not settings.ALLOW_KEYS_THAT_WITHDRAW:
        refuse_key(connection=connection, problem=KeyCanWithdrawError(), now=now)


def refuse_key(*, connection: Connection, problem: ProductError, now: datetime) -> None:
    """Stop using a key: the exchange refuses it, or it can do harm. Only its owner can change that."""
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        row.problem_code, row.problem_detail = problem.code, problem.detail[:500]
        row.rights_checked_at, row.next_run_at = now, None
        if row.state != ConnectionState.PAUSED:
            row.state = ConnectionState.REVOKED
        row.save(update_fields=["state", "problem_code", "problem_detail", "rights_checked_at", "next_run_at"])
        stop_syncs(connection=row, now=now)
        record_audit(
            actor=None,
            subject=row.owner,
            action="exchange.key_refused",
            target=str(row.pk),
            now=now,
            detail={"exchange": row.exchange, "code": problem.code},
        )
