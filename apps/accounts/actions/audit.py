"""Writes the audit log."""

from collections.abc import Mapping
from datetime import datetime

import structlog

from apps.accounts.domain.origin import NO_REQUEST, RequestMeta
from apps.accounts.models import AuditEntry, User

log = structlog.get_logger(__name__)


def record_audit(
    *,
    actor: User | None,
    action: str,
    now: datetime,
    target: str = "",
    subject: User | None = None,
    detail: Mapping[str, str | int | bool | None] | None = None,
    request_meta: RequestMeta = NO_REQUEST,
) -> AuditEntry:
    """Add one entry. `target` and `detail` name things by id, never by an address, a name or a secret."""
    log.info("Audit", action=action, target=target)
    return AuditEntry.objects.create(
        at=now,
        action=action,
        actor=actor,
        subject=subject or actor,
        target=target,
        detail=dict(detail or {}),
        network_address=request_meta.network_address[:45],
        device=request_meta.device[:200],
        request_id=request_meta.request_id[:64],
    )
