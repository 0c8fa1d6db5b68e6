"""Row ids: UUID version 7, so that they sort by the time they were made."""

import os
import threading
import time
import uuid

_VERSION = 0x7
_VARIANT = 0b10
_NANOSECONDS_OF_A_MILLISECOND = 1_000_000
_LARGEST_LEAD = 1_000 << 12  # a second: whoever sets the clock back further is followed


class _Moments:
    """The time in milliseconds with twelve bits of fraction; in one process it rises, unless the clock is set back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def forget_lock(self) -> None:
        """Start with a free lock: a fork may have happened while another thread held it."""
        self._lock = threading.Lock()

    def take(self) -> int:
        """Return the present moment, or the next one after the last that was taken."""
        milliseconds, rest = divmod(time.time_ns(), _NANOSECONDS_OF_A_MILLISECOND)
        present = milliseconds << 12 | (rest << 12) // _NANOSECONDS_OF_A_MILLISECOND
        with self._lock:
            clock_was_set_back = self._last - present > _LARGEST_LEAD
            self._last = present if clock_was_set_back else max(present, self._last + 1)
            return self._last


_moments = _Moments()
os.register_at_fork(after_in_child=_moments.forget_lock)


def uuid7() -> uuid.UUID:
    """Return a new UUIDv7: 48 bits of milliseconds, 12 of their fraction, 62 random ones."""
    moment = _moments.take()
    random = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    milliseconds, fraction = moment >> 12, moment & 0xFFF
    return uuid.UUID(int=milliseconds << 80 | _VERSION << 76 | fraction << 64 | _VARIANT << 62 | random)
