"""Which event starts what; read by `core.events` through the dotted path in the settings."""

from apps.accounts.events import AccessEnded, UserDeleted
from apps.core.events import JobChanged, Line

LINES: tuple[Line, ...] = (
    # people: their sockets close
    Line(AccessEnded, "stream"),
    Line(UserDeleted, "stream"),
    # work in rows
    Line(JobChanged, "stream"),
)
