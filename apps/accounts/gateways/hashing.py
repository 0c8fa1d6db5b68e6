"""Password hashing: Argon2id, and never more of it at once than the machine has room for."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher
from prometheus_client import Counter

from apps.core.errors import UnavailableError

WAIT_SECONDS = 5.0
_places = threading.BoundedSemaphore(max(1, (os.cpu_count() or 2) // 2))
hashings = Counter("coinsphere_password_hashings_total", "Password hashings carried out.")


class TooBusyToHashError(UnavailableError):
    """So many people sign in at once that this one would wait too long."""

    code = "sign_in_busy"
    title = "Too many people are signing in"
    default_detail = "Wait a few seconds and try again."


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise TooBusyToHashError(retry_after=5)
    try:
        hashings.inc()
        yield
    finally:
        _places.release()


class CappedArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with 32 MiB, three passes, one lane; half of the cores at most work at it at a time."""

    time_cost = 3
    memory_cost = 32 * 1024
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _place():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _place():
            return super().verify(password, encoded)
