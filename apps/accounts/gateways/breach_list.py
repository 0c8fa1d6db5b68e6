"""Looks a password up in the operator's list of known passwords: SHA-1 in hex, one a line, sorted.

The file is the public list "ordered by hash" or a part of it; a line may go on after the hash with a
colon and a count, and may hold only the first characters of a hash. It is searched, never loaded.
"""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_SHORTEST_PREFIX = 10
_LONGEST_LINE = 128


class BreachListValidator:
    """Refuses a password that stands in the file named by the setting PASSWORD_BREACH_LIST."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:  # noqa: ARG002 - Django's name
        if settings.PASSWORD_BREACH_LIST and is_listed(password, path=Path(settings.PASSWORD_BREACH_LIST)):
            raise ValidationError(
                _("This password is known from a data breach. Choose another one."), code="password_breached"
            )

    def get_help_text(self) -> str:
        return str(_("Your password must not be known from a data breach."))


def is_listed(password: str, *, path: Path) -> bool:
    """Tell whether the password's hash, or the start of it, stands in the sorted file."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    with path.open("rb") as file:
        return _search(file, wanted, size=path.stat().st_size)


def _search(file: BinaryIO, wanted: str, *, size: int) -> bool:
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        start, line = _line_at(file, middle)
        if line is None or start >= high:
            high = middle
            continue
        entry = line.split(":", 1)[0].strip().upper()
        if len(entry) >= _SHORTEST_PREFIX and wanted.startswith(entry):
            return True
        if entry < wanted:
            low = file.tell()
        else:
            high = middle
    return False


def _line_at(file: BinaryIO, position: int) -> tuple[int, str | None]:
    """Return the first line that starts at the position or after it, and where it starts."""
    file.seek(max(0, position - 1), os.SEEK_SET)
    if position:
        file.readline(_LONGEST_LINE)
    start = file.tell()
    line = file.readline(_LONGEST_LINE)
    return start, line.decode("ascii", "replace") if line else None
