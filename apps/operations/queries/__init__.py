"""The console's questions; one file a topic, the public ones named here."""

from apps.operations.queries.health import Health, Startup, is_ready, read_health, read_startup

__all__ = ["Health", "Startup", "is_ready", "read_health", "read_startup"]
