"""Which event starts what; read by `core.events` through the dotted path in the settings."""

from apps.core.events import JobChanged, Line

LINES: tuple[Line, ...] = (
    # work in rows
    Line(JobChanged, "stream"),
)
