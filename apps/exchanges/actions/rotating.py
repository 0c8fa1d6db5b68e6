"""A new master key: every sealed secret is wrapped anew, some at a time; who stops in the middle goes on later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from django.conf import settings
from django.db import connection as database
from django.db import transaction

from apps.accounts.actions import record_audit
from apps.core.errors import ConflictError
from apps.core.vault import KeyRing, Place, VaultError, key_ring, rewrap, save_ring
from apps.exchanges.models import SealedSecret

log = structlog.get_logger(__name__)

BATCH: Final = 2_500
_READ: Final = ("field", "sealed", "key_version", "connection__owner")


class RingNotOursError(ConflictError):
    """The master key does not stand in a file, so that nobody here can add another."""

    code = "master_key_not_in_a_file"
    title = "The master key is given from outside"
    default_detail = (
        "MASTER_KEY or MASTER_PASSPHRASE names the master key. Add a line of a higher version to MASTER_KEY, restart, "
        "and run this again with --keep-key: the secrets are then wrapped by the new one."
    )


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did: how many secrets were wrapped anew, and those that could not be opened."""

    version: int
    wrapped: int
    damaged: tuple[str, ...]


def add_master_key(*, now: datetime) -> KeyRing:
    """Put a new master key into the key file beside the old ones, which still open; from now on it seals."""
    if settings.MASTER_KEY or settings.MASTER_PASSPHRASE:
        raise RingNotOursError
    ring = key_ring().with_new_key()
    save_ring(ring=ring, path=Path(settings.MASTER_KEY_FILE))
    record_audit(actor=None, action="vault.key_added", now=now, detail={"version": ring.current})
    return ring


def rotation_is_open() -> bool:
    """Tell whether secrets are still wrapped by an older master key than the one that seals."""
    return SealedSecret.objects.filter(key_version__lt=key_ring().current).exists()


def rewrap_secrets(*, now: datetime) -> Rotated:
    """Wrap every secret by the present master key, a batch a transaction; what is done already is passed over."""
    ring, wrapped, damaged = key_ring(), 0, []
    after = None
    while True:
        with transaction.atomic():
            rows = SealedSecret.objects.filter(key_version__lt=ring.current).order_by("id").only(*_READ)
            rows = rows if after is None else rows.filter(pk__gt=after)
            taken = list(rows.select_for_update(of=("self",)).select_related("connection")[:BATCH])
            if not taken:
                break
            done, broken = _wrapped(ring, taken)
            _write(done, ring.current)
        after = taken[-1].pk
        wrapped += len(done)
        damaged += broken
    record_audit(
        actor=None,
        action="vault.rotated",
        now=now,
        detail={"version": ring.current, "wrapped": wrapped, "damaged": len(damaged)},
    )
    return Rotated(version=ring.current, wrapped=wrapped, damaged=tuple(damaged))


def _wrapped(ring: KeyRing, rows: list[SealedSecret]) -> tuple[dict[str, bytes], list[str]]:
    """Wrap a batch; one that does not open is named, and hides none of the others."""
    done, broken = {}, []
    for row in rows:
        place: Place = row.connection.place(row.field)
        try:
            done[str(row.pk)] = rewrap(ring=ring, sealed=row.sealed, place=place)
        except VaultError:
            log.warning("A sealed secret does not open", secret=str(row.pk), connection=str(row.connection_id))
            broken.append(str(row.pk))
    return done, broken


def _write(done: dict[str, bytes], version: int) -> None:
    """Write a batch in one statement."""
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE exchanges_sealedsecret AS held SET sealed = fresh.sealed, key_version = %s "
            "FROM unnest(%s::uuid[], %s::bytea[]) AS fresh (id, sealed) WHERE held.id = fresh.id",
            [version, list(done), list(done.values())],
        )
