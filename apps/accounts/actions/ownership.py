"""One at a time: whatever decides who owns the instance, so that two decisions cannot leave it without an owner."""

from django.db import connection

_OWNERSHIP_LOCK = 5_115_001


def hold_ownership() -> None:
    """Wait for others who decide about roles, and keep them waiting until this transaction is over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_OWNERSHIP_LOCK])
