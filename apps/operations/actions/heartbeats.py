"""Signs of life: each process writes its row, and takes it away when it ends in order."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from apps.operations.models import KEPT, ProcessBeat


@transaction.atomic
def beat(
    *,
    name: str,
    host: str,
    pid: int,
    started_at: datetime,
    version: str,
    now: datetime,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Note that a process is alive, and forget machines that were not heard for a day."""
    row = ProcessBeat(
        name=name,
        host=host,
        pid=pid,
        version=version,
        detail=dict(detail or {}),
        started_at=started_at,
        last_seen_at=now,
    )
    ProcessBeat.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["name", "host"],
        update_fields=["pid", "version", "detail", "started_at", "last_seen_at"],
    )
    ProcessBeat.objects.filter(last_seen_at__lt=now - KEPT).delete()


def end_beat(*, name: str, host: str, pid: int) -> None:
    """Take the row of a process away; its successor's row stays."""
    ProcessBeat.objects.filter(name=name, host=host, pid=pid).delete()
