"""Row ids: UUID version 7, so that they sort by the time they were made."""

import os
import time
import uuid

_VERSION = 0x7
_VARIANT = 0b10


def uuid7() -> uuid.UUID:
    """Return a new UUIDv7: 48 bits of milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    random_a = random >> 68
    random_b = random & ((1 << 62) - 1)
    return uuid.UUID(int=milliseconds << 80 | _VERSION << 76 | random_a << 64 | _VARIANT << 62 | random_b)
