"""Which event starts what; read by `core.events` through the dotted path in the settings."""

from apps.core.events import Line

LINES: tuple[Line, ...] = ()
