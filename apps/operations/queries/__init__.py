"""The console's questions; one file a topic, the public ones named here."""

from apps.operations.queries.console import (
    Console,
    Installation,
    last_self_check,
    living_processes,
    read_console,
    read_installation,
)
from apps.operations.queries.health import Health, Startup, is_ready, read_health, read_startup

__all__ = [
    "Console",
    "Health",
    "Installation",
    "Startup",
    "is_ready",
    "last_self_check",
    "living_processes",
    "read_console",
    "read_health",
    "read_installation",
    "read_startup",
]
